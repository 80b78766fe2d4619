"""The program behind `ProcessPool`: imports once what takes long, then forks a child for each command and injects a fault.

It reads one request per line, as JSON: `arguments`, `folder`, `environment`, `output` (a folder), and a `fault`, see
`process_pool.FaultInjection`. It answers with the child's process id, then with its exit code. A child that dies kills itself
with SIGKILL: nothing of it runs after that instruction.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any, NoReturn

# What a load imports on its way; a child that is forked has it already.
IMPORTED_ON_THE_WAY = (
    "dlt.destinations.impl.duckdb.factory",
    "dlt.destinations.impl.duckdb.duck",
    "dlt.destinations.impl.duckdb.configuration",
    "dlt.load.load",
    "dlt.normalize.normalize",
    "dlt.extract.extract",
    "pyarrow.parquet",
    "dlt.common.libs.pyarrow",
    "emr_usage.build",
    "emr_usage.demo",
    "emr_usage.cli",
    # What a build imports.
    "dbt.cli.main",
    "dbt.adapters.duckdb.impl",
)


EFFECTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"})
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# What a child that was not killed does at its end; atexit does not run in one that leaves by os._exit.
BEFORE_EXIT: list[Callable[[], None]] = []


def die() -> NoReturn:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def fill_the_disk() -> NoReturn:
    """Fail as a write to a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def inject(place: str, when: str, nth: int, action: str) -> None:
    """Let something happen before or after the nth call of a function; a full disk stays full."""
    module_name, _, path = place.partition(":")
    owner: Any = importlib.import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    real = getattr(owner, name)
    calls = count(1)

    def injected(*arguments: Any, **named: Any) -> Any:
        call = next(calls)
        if action == "disk full" and call >= nth:
            fill_the_disk()
        if call == nth and when == "before":
            os.kill(os.getpid(), signal.Signals[action])
        result = real(*arguments, **named)
        if call == nth and when == "after":
            os.kill(os.getpid(), signal.Signals[action])
        return result

    setattr(owner, name, injected)


def die_after(calls: int, report_file: int) -> None:
    """Die after so many calls of Python functions; if it ends before that, report how many there were."""
    made = count(1)
    last = 0

    def profile(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal last
        if event == "call":
            last = next(made)
            if last == calls:
                die()

    def report() -> None:
        sys.setprofile(None)
        os.write(report_file, f"{last}\n".encode())

    threading.setprofile(profile)
    sys.setprofile(profile)
    BEFORE_EXIT.append(report)


def die_before_effect(nth: int, report_file: int) -> None:
    """Die before Python touches a file in any way for the nth time; if it ends before that, report how often it did."""
    calls = count(1)
    last = 0

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal last
        if event == "open" and not arguments[2] & WRITING:
            return
        if event in EFFECTS:
            last = next(calls)
            if last == nth:
                die()

    def report() -> None:
        os.write(report_file, f"{last}\n".encode())

    sys.addaudithook(hear)
    BEFORE_EXIT.append(report)


def run_command(request: dict[str, Any]) -> int:
    """Run a command as `emr-usage` would, and return its exit code."""
    from emr_usage.cli import main  # noqa: PLC0415  # after the fork, and before a fault is injected

    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    out, err, report_file = (os.open(f"{request['output']}/{name}", os.O_WRONLY | os.O_CREAT) for name in ("out", "err", "count"))
    os.dup2(out, 1)
    os.dup2(err, 2)
    fault = request["fault"]
    if fault["place"]:
        inject(fault["place"], fault["when"], fault["nth"], fault["action"])
    if fault["calls"]:
        die_after(fault["calls"], report_file)
    if fault["effects"]:
        die_before_effect(fault["effects"], report_file)
    if fault["file_bytes"]:
        # Nothing of ours may be cut off that others read: no byte code, and the output is small.
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault["file_bytes"], resource.RLIM_INFINITY))
    try:
        main.main(request["arguments"], prog_name="emr-usage")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1


def answer(number: int) -> None:
    """Send a number to the test."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def serve() -> None:
    """Run a command for each request, until there are none."""
    for module in IMPORTED_ON_THE_WAY:
        importlib.import_module(module)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = run_command(request)
            finally:
                for callback in BEFORE_EXIT:
                    callback()
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        answer(child)
        _, status = os.waitpid(child, 0)
        answer(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    serve()
