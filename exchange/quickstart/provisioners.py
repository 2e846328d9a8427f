"""The parent's side of provision.py: one process for each node, asked by lines and answering by lines."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.labs import DemoNode
from exchange.quickstart.processes import CODE_DIR

ANSWER_TIMEOUT_S = 180.0
END_TIMEOUT_S = 15.0


class Provisioner:
    """Sets one node up. Ask several before the answers are awaited, and they work at once."""

    def __init__(self, node: DemoNode, environment: Mapping[str, str], data_dir: Path, log_path: Path) -> None:
        self._name = node.name
        self._log_path = log_path
        self._unread = b""
        argv = [sys.executable, "-m", "exchange.quickstart.provision", str(data_dir), node.name]
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            self._process = subprocess.Popen(
                [*argv, *(lab.slug for lab in node.labs)],
                # Set but empty, it would mean the current folder.
                env={name: value for name, value in environment.items() if name != "PROMETHEUS_MULTIPROC_DIR"},
                cwd=CODE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
            )
        finally:
            os.close(log)

    def ask(self, act: str, **arguments: Any) -> None:
        """Have something done; `answer` awaits it. What is asked may hold secrets: it goes by a pipe."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write((json.dumps({"act": act, **arguments}) + "\n").encode())
        except BrokenPipeError:
            raise self._failed() from None

    def answer(self) -> dict[str, Any]:
        """What came of it.

        Raises:
            QuickstartError: it could not be done, with the line that says why.
        """
        assert self._process.stdout is not None
        while b"\n" not in self._unread:
            if not select.select([self._process.stdout], [], [], ANSWER_TIMEOUT_S)[0]:
                raise QuickstartError(f"the node {self._name} takes too long to set up (see {self._log_path})")
            read = os.read(self._process.stdout.fileno(), 65_536)
            if not read:
                raise self._failed()
            self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _failed(self) -> QuickstartError:
        lines = self._log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        reason = lines[-1] if lines else "no reason given"
        return QuickstartError(f"the node {self._name} could not be set up: {reason} ({self._log_path})")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The end of stdin ends it; whoever leaves by an error does not wait for what is being done."""
        if kind is not None:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
