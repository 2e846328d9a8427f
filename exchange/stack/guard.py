"""Runs one command and ends it when the process that asked for it is gone, however that one ended.

Started by ``process.py`` as ``python -I -S guard.py SPEC COMMAND...``; imports the standard library only, so that it
starts in milliseconds and depends on no path.

Why a process of its own, and not PR_SET_PDEATHSIG in the command itself: that signal fires when the parent *thread*
ends, is forgotten when the command changes its user, and cannot follow up with SIGKILL. This guard instead holds the
reading end of a pipe, whose writing end only the parent has: end of file is the wish to stop and the death of the
parent alike. A child that the parent forked without exec may keep that end open, so the guard also looks once a second
whether it still has the same parent. PR_SET_PDEATHSIG is used one step below, where it is sound: the guard has a single
thread, and the signal is set after the change of user. So even a killed guard leaves nothing behind.

What the command leaves behind is killed too. The guard makes itself the new parent of orphans for that: PostgreSQL's
processes sit in sessions of their own, and one that computes does not notice for long that its server has died.

It does not restart the command, and it does not know what the command is.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

CLONE_NEWUSER = 0x10000000  # linux/sched.h
PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36
LIFELINE_FD = 0
PARENT_CHECK_MS = 1000
REAP_INTERVAL_S = 0.02
SWEEP_TIMEOUT_S = 5.0
EXIT_NOT_STARTED = 127  # as shells say "command not found"
EXIT_UNREACHABLE = 3

Spec = dict[str, Any]


def enter_user_namespace(uid: int, gid: int) -> None:
    """Become ``uid`` in a new user namespace, while files still belong to the user outside.

    PostgreSQL refuses user 0 by geteuid(); in the namespace that is ``uid``. See user_namespaces(7): a process may map
    its own user without help, and its own group once setgroups(2) is given up.

    Raises:
        OSError: the kernel or a sandbox refuses user namespaces.
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"user namespace refused: {os.strerror(error)}")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")


def assume_identity(identity: Spec) -> None:
    """Change the user of this process as an ``Identity`` says. There is no way back."""
    if identity["mode"] == "namespace":
        enter_user_namespace(identity["uid"], identity["gid"])
    elif identity["mode"] == "uid":
        os.setgroups([])
        os.setresgid(identity["gid"], identity["gid"], identity["gid"])
        os.setresuid(identity["uid"], identity["uid"], identity["uid"])


def become_command(spec: Spec, argv: list[str], guard_pid: int) -> NoReturn:
    """In the forked child: turn into the command, or write why not to the status pipe."""
    try:
        os.setpgid(0, 0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), LIFELINE_FD)
        assume_identity(spec["identity"])
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, spec["stop_signal"], 0, 0, 0)
        # The guard may have ended before the line above; then nobody would send that signal.
        if os.getppid() != guard_pid:
            os._exit(EXIT_NOT_STARTED)
        if spec["cwd"]:
            os.chdir(spec["cwd"])
        os.execvp(argv[0], argv)  # noqa: S606  no shell is the point
    except OSError as error:
        os.write(spec["status_fd"], f"error {error.strerror or error}\n".encode())
    finally:
        os._exit(EXIT_NOT_STARTED)


def sweep_orphans() -> None:
    """Kill what is left below this process, generation after generation."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    deadline = time.monotonic() + SWEEP_TIMEOUT_S
    with contextlib.suppress(ChildProcessError, FileNotFoundError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                for pid in children.read_text().split():
                    os.kill(int(pid), signal.SIGKILL)
                time.sleep(REAP_INTERVAL_S)


class Guard:
    """Watches the lifeline and the command until the command has ended."""

    def __init__(self, spec: Spec, argv: list[str]) -> None:
        self.spec = spec
        self.stop_wanted = False
        self.wakeup_fd, wakeup_end = os.pipe()
        os.set_blocking(wakeup_end, False)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, self.note_signal)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(wakeup_end, warn_on_full_buffer=False)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        guard_pid = os.getpid()
        self.child = os.fork()
        if self.child == 0:
            become_command(spec, argv, guard_pid)
        with contextlib.suppress(BrokenPipeError):
            os.write(spec["status_fd"], f"pid {self.child}\n".encode())
        os.close(spec["status_fd"])

    def note_signal(self, number: int, _frame: object) -> None:
        """Remember that SIGTERM came; SIGCHLD only wakes the loop."""
        if number == signal.SIGTERM:
            self.stop_wanted = True

    def child_has_ended(self) -> bool:
        """Look without reaping the child, so that its process group keeps its number until it is swept."""
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)) is not None:
            if ended.si_pid == self.child:
                return True
            os.waitpid(ended.si_pid, 0)  # an orphan that ended
        return False

    def wait_for_reason_to_stop(self) -> None:
        """Return when the command has ended, the parent is gone, or somebody wants the command to stop."""
        poll = select.poll()
        poll.register(LIFELINE_FD, select.POLLIN | select.POLLHUP)
        poll.register(self.wakeup_fd, select.POLLIN)
        while not (self.child_has_ended() or self.stop_wanted or os.getppid() != self.spec["parent"]):
            for fd, _event in poll.poll(PARENT_CHECK_MS):
                if fd == LIFELINE_FD:
                    return
                os.read(fd, 512)

    def stop_child(self) -> None:
        """Ask the command to stop, and kill it when its time is over."""
        if self.child_has_ended():
            return
        os.kill(self.child, self.spec["stop_signal"])
        deadline = time.monotonic() + self.spec["stop_timeout_s"]
        while not self.child_has_ended() and time.monotonic() < deadline:
            time.sleep(REAP_INTERVAL_S)
        if not self.child_has_ended():
            os.kill(self.child, signal.SIGKILL)

    def run(self) -> int:
        """Return the exit code of the command, 128 + N when signal N ended it."""
        self.wait_for_reason_to_stop()
        self.stop_child()
        os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOWAIT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        sweep_orphans()
        return code if code >= 0 else 128 - code


def can_reach(spec: Spec) -> bool:
    """Assume the identity and tell whether it has the access ``spec["access"]`` (as os.access) to all of ``reach``."""
    assume_identity(spec["identity"])
    return all(os.access(path, spec["access"]) for path in spec["reach"])


def main() -> int:
    """Read the spec (JSON, first argument) and do what it says."""
    spec: Spec = json.loads(sys.argv[1])
    if "reach" in spec:
        return 0 if can_reach(spec) else EXIT_UNREACHABLE
    os.set_inheritable(spec["status_fd"], False)
    return Guard(spec, sys.argv[2:]).run()


if __name__ == "__main__":
    sys.exit(main())
