"""Runs commands in children of a process that has imported what they need, and injects faults into them; see killable.py."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# A stuck command fails its test and names itself, before pytest's own limit ends everything.
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class FaultInjection:
    """A fault of a command: one of these.

    Attributes:
        place: something happens before or after (`when`) the nth call of this function, `module:Class.method`.
        action: what happens there: it sends itself this signal; or `disk full`: every such call from the nth on fails so.
        calls: it dies after so many calls of Python functions, in any thread; -1 counts them into the file `count`.
        effects: it dies before Python makes, opens for writing, moves or removes a file for the nth time; -1 as above.
        file_bytes: no file it writes may be larger.
    """

    place: str = ""
    when: str = "before"
    nth: int = 1
    action: str = "SIGKILL"
    calls: int = 0
    effects: int = 0
    file_bytes: int = 0


@dataclass(frozen=True)
class Finished:
    """A command that has ended, with its exit code, or a signal's number below zero."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        """What `--json` printed: one line."""
        (line,) = self.out.splitlines()
        facts: dict[str, Any] = json.loads(line)
        return facts

    @property
    def sentence(self) -> str:
        """The one line on standard error that says what failed."""
        (line,) = [line for line in self.err.splitlines() if line.startswith("Error: ")]
        return line.removeprefix("Error: ")

    @property
    def complaints(self) -> list[str]:
        """The lines on standard error; where the machine is slow there are lines of progress between them."""
        return [line for line in self.err.splitlines() if not line.startswith("loading: ")]


class ProcessPool:
    """A process that forks a child for each command, one at a time.

    Args:
        folder: where the children's output goes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        program = str(Path(__file__).with_name("killable.py"))
        self._process = subprocess.Popen(
            [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=self._folder
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._process as process:
            assert process.stdin
            process.stdin.close()
            self._reader.join(PATIENCE_SECONDS)

    def start(
        self, arguments: list[str], folder: Path, environment: Mapping[str, str], fault: FaultInjection | None = None
    ) -> int:
        """Start a command in a folder and return its process id."""
        for name in ("out", "err", "count"):
            (self._folder / name).unlink(missing_ok=True)
        request = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": dict(environment),
            "output": str(self._folder),
            "fault": asdict(fault or FaultInjection()),
        }
        assert self._process.stdin
        print(json.dumps(request), file=self._process.stdin, flush=True)
        self._child = int(self._answer())
        return self._child

    def wait(self) -> Finished:
        """Return how the command ended that was started last."""
        code = int(self._answer())
        return Finished(code, (self._folder / "out").read_text(), (self._folder / "err").read_text())

    @property
    def counted(self) -> int:
        """What a fault of -1 counted."""
        return int((self._folder / "count").read_text())

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _answer(self) -> str:
        try:
            line = self._lines.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            os.kill(self._child, signal.SIGKILL)
            self._lines.get()  # how it ended, so that the next command finds its own answer
            raise AssertionError(f"the command hangs; it printed {(self._folder / 'err').read_text()}") from None
        assert line, "the parent of the commands has died"
        return line
