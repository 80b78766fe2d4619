"""A nursery of commands that die: imports once what takes long, then forks a child for each command and reports its end.

Run as a program it reads one order per line, as JSON: `arguments`, `folder`, `environment`, `output` (a folder), and a `fate`,
see `nursery.Fate`. It answers with the child's process id, then with how it ended. A child that dies kills itself with
SIGKILL: nothing of it runs after that instruction.
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


def wrap(place: str, when: str, nth: int, blow: str) -> None:
    """Let something happen before or after the nth call of a function; a full disk stays full."""
    module_name, _, path = place.partition(":")
    owner: Any = importlib.import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    real = getattr(owner, name)
    calls = count(1)

    def doomed(*arguments: Any, **named: Any) -> Any:
        call = next(calls)
        if blow == "disk full" and call >= nth:
            fill_the_disk()
        if call == nth and when == "before":
            os.kill(os.getpid(), signal.Signals[blow])
        result = real(*arguments, **named)
        if call == nth and when == "after":
            os.kill(os.getpid(), signal.Signals[blow])
        return result

    setattr(owner, name, doomed)


def die_after(calls: int, told: int) -> None:
    """Die after so many calls of Python functions; without an end, tell how many there were."""
    made = count(1)
    last = 0

    def profile(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal last
        if event == "call":
            last = next(made)
            if last == calls:
                die()

    def tell() -> None:
        sys.setprofile(None)
        os.write(told, f"{last}\n".encode())

    threading.setprofile(profile)
    sys.setprofile(profile)
    BEFORE_EXIT.append(tell)


def die_before_effect(nth: int, told: int) -> None:
    """Die before Python touches a file in any way for the nth time; without an end, tell how often it did."""
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

    def tell() -> None:
        os.write(told, f"{last}\n".encode())

    sys.addaudithook(hear)
    BEFORE_EXIT.append(tell)


def live(order: dict[str, Any]) -> int:
    """Run a command as `emr-usage` would, and return its exit code."""
    from emr_usage.cli import main  # noqa: PLC0415  # after the fork, and after its fate is sealed

    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    out, err, told = (os.open(f"{order['output']}/{name}", os.O_WRONLY | os.O_CREAT) for name in ("out", "err", "count"))
    os.dup2(out, 1)
    os.dup2(err, 2)
    fate = order["fate"]
    if fate["place"]:
        wrap(fate["place"], fate["when"], fate["nth"], fate["blow"])
    if fate["calls"]:
        die_after(fate["calls"], told)
    if fate["effects"]:
        die_before_effect(fate["effects"], told)
    if fate["file_bytes"]:
        # Nothing of ours may be cut off that others read: no byte code, and the output is small.
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_FSIZE, (fate["file_bytes"], resource.RLIM_INFINITY))
    try:
        main.main(order["arguments"], prog_name="emr-usage")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1


def answer(number: int) -> None:
    """Tell the test a number."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def serve() -> None:
    """Obey orders until there are none."""
    for module in IMPORTED_ON_THE_WAY:
        importlib.import_module(module)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = live(order)
            finally:
                for last_will in BEFORE_EXIT:
                    last_will()
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        answer(child)
        _, status = os.waitpid(child, 0)
        answer(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    serve()
