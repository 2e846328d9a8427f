"""The command `lookup`: addresses, domains and autonomous systems of a file, asked of the node in streams.

What is asked, the node sees, and keeps nothing of it. How each question is meant is told by its form.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from exchange.labtool.answers import printable
from exchange.labtool.client import NodeClient
from exchange.labtool.errors import DataError, UnreachableError
from exchange.labtool.output import Output
from exchange.labtool.ranges import bounded_lines, opened
from exchange.stix.errors import ObjectInvalidError

BATCH_LINES: Final = 20_000
"""A fifth of what a node takes in one stream, so that progress shows and an answer stays small."""


def add_lookup(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="one address, domain or autonomous system a line; with --private identifiers of accounts as CSV or JSON"
        " lines; - is stdin",
    )
    parser.add_argument(
        "--private", action="store_true", help="match accounts at home: nobody learns what is looked up"
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="with --private: keeps what is pulled")
    parser.add_argument("--include-stale", action="store_true", help="with claims that have decayed away or ended")
    parser.add_argument("--matches-only", action="store_true", help="leave out what nobody knows anything of")


def look_up_file(options: Namespace, client: NodeClient, output: Output) -> bool:
    """Ask for every line and say what is known; whether every line was a question.

    Raises: DataError, and what the client raises.
    """
    is_sound, asked = True, 0
    try:
        with opened(options.file) as file:
            questions = read_questions(bounded_lines(file))
            while batch := list(islice(questions, BATCH_LINES)):
                good = [question for _, question, fault in batch if not fault]
                answers = iter(ask(client, good, include_stale=options.include_stale))
                for number, question, fault in batch:
                    answer = {"line": number, "error": fault} if fault else {"line": number, **next(answers)}
                    is_sound = is_sound and "error" not in answer
                    if answer.get("matches") or "error" in answer or not options.matches_only:
                        output.answer(answer, lines_of(answer, question))
                asked += len(batch)
                output.progress(f"{asked:,} asked")
    except OSError as error:
        raise DataError(f"cannot read {options.file}: {error.strerror}") from None
    return is_sound


def ask(client: NodeClient, questions: list[dict[str, str]], *, include_stale: bool) -> list[dict[str, Any]]:
    """An answer to each question, in their order. Raises: UnreachableError: the node answers something else."""
    if not questions:
        return []
    body = b"".join(json.dumps(question).encode() + b"\n" for question in questions)
    try:
        answers = [json.loads(line) for line in client.look_up(body, include_stale=include_stale).splitlines()]
    except ValueError:
        raise UnreachableError("the node's answer is not JSON lines") from None
    fits = len(answers) == len(questions) and all(
        isinstance(answer, dict) and answer.get("query") == question
        for answer, question in zip(answers, questions, strict=False)
    )
    if not fits:
        raise UnreachableError("the node's answer does not fit the questions")
    return answers


def read_questions(lines: Iterable[bytes]) -> Iterator[tuple[int, dict[str, str], str]]:
    """The number, question and fault ("" if there is none) of every line that says something."""
    from attribution.lookups.questions import read_question

    for number, raw in enumerate(lines, 1):
        text = raw.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").decode("utf-8", "replace").strip()
        if not text or text.startswith("#"):
            continue
        name = name_of(text)
        try:
            read_question(name, text)
        except ObjectInvalidError as error:
            yield number, {name: text}, error.message
        else:
            yield number, {name: text}, ""


def name_of(text: str) -> str:
    """What a text asks for: `ip`, `asn` or `domain`."""
    if text.isascii() and text.upper().removeprefix("AS").isdigit():
        return "asn"
    last = text.rpartition(".")[2]
    return "ip" if ":" in text or (last.isascii() and last.isdigit()) else "domain"


def lines_of(answer: dict[str, Any], question: dict[str, str]) -> Iterator[str]:
    """An answer for people."""
    asked = printable(next(iter(question.values())))
    if "error" in answer:
        yield f"{asked}  line {answer['line']}: {printable(_detail(answer['error']))}"
        return
    if not answer["matches"]:
        yield f"{asked}  nothing known"
    for match in answer["matches"]:
        named = match.get("net") or match.get("name")
        parts = [named, match.get("kind") or "-", match.get("lab"), match.get("state")]
        parts += [f"confidence {match.get('confidence')}", f"weight {match.get('weight')}", match.get("id")]
        yield f"{asked}  {'  '.join(printable(str(part)) for part in parts)}"
    if answer.get("more"):
        yield f"{asked}  and more"


def _detail(error: Any) -> str:
    return str(error.get("detail", "refused")) if isinstance(error, dict) else str(error)
