"""Decoding in separate processes, so that a load uses more than one core: Python decodes in one thread at a time.

A process has no state between two responses. If it is killed, fails or cannot be started, only speed is lost: its response is
decoded in this process.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from ..resources import RESOURCES
from ..resources.declaration import Resource
from .decode import Answer, read_answer

logger = logging.getLogger("emr_serverless")

# Starting a process takes as much CPU as decoding this many pages; most nightly loads have fewer.
PAGES_BEFORE_START: Final = 100
# Beyond this the thread that drives the load is the bottleneck.
MOST_PROCESSES: Final = 2
_LENGTH_BYTES: Final = 8
# The parent package is not imported in the process: it imports dlt, which takes longer than everything else.
_BOOTSTRAP: Final = """
import importlib, sys, types
name, folder = sys.argv[1:]
package = sys.modules[name] = types.ModuleType(name)
package.__path__ = [folder]
importlib.import_module(f"{name}.arrow.processes").serve()
"""


class DecodingProcesses:
    """Decodes answers as `read_answer` does; safe to share between threads.

    Args:
        processes: how many to start; by default one for each core but the one of this process.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._wanted = min(MOST_PROCESSES, (os.cpu_count() or 1) - 1) if processes is None else processes
        self._pages_left = PAGES_BEFORE_START
        self._lock = threading.Lock()
        self._running: list[_Process] = []
        # None wakes the threads that wait when no process is left.
        self._idle: queue.SimpleQueue[_Process | None] = queue.SimpleQueue()

    def __call__(self, content: bytes, resource: Resource, asked: Mapping[str, str]) -> Answer | None:
        """Return a list operation's answer; see `read_answer`."""
        process = self._borrow()
        if process is None:
            return read_answer(content, resource, asked)
        try:
            answer = process.decode(content, resource, asked)
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):
            self._drop(process)
            return read_answer(content, resource, asked)
        self._idle.put(process)
        return read_answer(content, resource, asked) if isinstance(answer, Exception) else answer

    def close(self) -> None:
        """End the processes; what is asked afterwards is decoded here."""
        with self._lock:
            self._wanted = 0
            running, self._running = self._running, []
        for process in running:
            process.end()
        self._idle.put(None)

    def _borrow(self) -> _Process | None:
        with self._lock:
            self._pages_left -= 1
            if self._pages_left < 0 and self._wanted:
                self._start()
            if not self._running:
                return None
        process = self._idle.get()
        if process is None:
            # The next thread that waits is to wake up too.
            self._idle.put(None)
        return process

    def _start(self) -> None:
        wanted, self._wanted = self._wanted, 0
        for _ in range(wanted):
            try:
                process = _Process()
            except OSError as error:
                logger.warning("Answers are decoded in this process only: no other can be started (%s)", error)
                return
            self._running.append(process)
            self._idle.put(process)

    def _drop(self, process: _Process) -> None:
        with self._lock:
            if process not in self._running:
                return
            self._running.remove(process)
            is_last = not self._running
        logger.warning("A process that decodes answers ended; the load continues without it")
        process.end()
        if is_last:
            self._idle.put(None)


class _Process:
    """One process and the pipes to it."""

    def __init__(self) -> None:
        name, folder = __name__.rpartition(".arrow.")[0], Path(__file__).parents[1]
        self._process = subprocess.Popen(  # noqa: S603  # this Python, and a program of ours
            [sys.executable, "-c", _BOOTSTRAP, name, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            # Ctrl-C is for the load, which ends its processes.
            start_new_session=True,
        )

    def decode(self, content: bytes, resource: Resource, asked: Mapping[str, str]) -> Answer | Exception | None:
        """Return what the process answers.

        Raises:
            OSError, ValueError, EOFError, pickle.UnpicklingError: it has ended.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise EOFError
        _send(stdin, (content, resource.table, dict(asked)))
        answer: Answer | Exception | None = _receive(stdout)
        return answer

    def end(self) -> None:
        """Kill the process, which has no state."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what could not be written any more
                if pipe:
                    pipe.close()


def _send(pipe: IO[bytes], message: object) -> None:
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(len(data).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    data = _read(pipe, int.from_bytes(_read(pipe, _LENGTH_BYTES), "big"))
    return pickle.loads(data)  # noqa: S301  # from a process of ours


def _read(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data


def serve() -> None:
    """Decode what comes in on the standard input until it ends, which it does with the process at its other end."""
    resources = {resource.table: resource for resource in RESOURCES}
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # The output of a library must not be read as a response.
    os.dup2(2, 1)
    while True:
        try:
            content, table, asked = _receive(incoming)
        except EOFError:
            return
        answer: Answer | Exception | None
        try:
            answer = read_answer(content, resources[table], asked)
        except Exception as error:  # noqa: BLE001  # the load decodes it again, and says what is wrong
            answer = RuntimeError(type(error).__name__)
        _send(outgoing, answer)
