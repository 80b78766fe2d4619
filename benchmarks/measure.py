"""Runs a contender in a fresh process against a server in another, and takes both their costs from the system."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

from history import History
from usage import run_measured

HERE: Final = Path(__file__).parent
DATABASE: Final = "bench.duckdb"


@dataclass(frozen=True)
class Contender:
    """A program that loads the history: its name on the command line and in the tables, its script and configuration."""

    name: str
    label: str
    script: str
    variant: str = ""


@dataclass(frozen=True)
class Trial:
    """What one process cost.

    Attributes:
        wall_seconds: from its start to its end.
        startup_seconds: of these, until its first request.
        extract_seconds: of these, from its first request to its last answer.
        cpu_seconds: user and system, of its children too.
        peak_mb: most memory, millions of bytes: resident in one process, or shared out among all of them, whichever is more.
        requests: how many it sent.
        server_busy: the server's CPU time over the wall time; near 1 the server would be what is measured.
    """

    wall_seconds: float
    startup_seconds: float
    extract_seconds: float
    cpu_seconds: float
    peak_mb: float
    requests: int
    server_busy: float


class PageServer:
    """The page server, in a process of its own until the `with` ends."""

    def __init__(self, history: History) -> None:
        self.history = history
        sizes = {
            "runs": history.runs,
            "days": history.days,
            "night-runs": history.night_runs,
            "carried": history.carried,
            "start-ms": history.start_ms,
        }
        options = [f"--{name}={value}" for name, value in sizes.items()] + [
            *(["--documented"] if history.is_documented else []),
            *(["--night"] if history.is_night else []),
        ]
        command = [sys.executable, str(HERE / "page_server.py"), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.endpoint = self._process.stdout.readline().strip()
        if not self.endpoint:
            raise SystemExit("The page server did not start.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def control(self, **changes: int) -> dict[str, Any]:
        """Change how the server behaves, and return what it has done."""
        connection = HTTPConnection(urlsplit(self.endpoint).netloc)
        connection.request("GET", f"/control?{urlencode(changes)}")
        told: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return told

    def pass_night(self) -> None:
        """Let the night's runs happen."""
        self.control(night=1)
        self.history.is_night = True


def run_contender(contender: Contender, server: PageServer, folder: Path, days: int, connections: int | None = None) -> Trial:
    """Run a contender to its end with the database in a folder.

    Raises:
        SystemExit: it failed.
    """
    options = {
        "endpoint": server.endpoint,
        "database": folder / DATABASE,
        "as-of-ms": server.history.now_ms,
        "days": days,
        "variant": contender.variant,
    }
    if connections:
        options["connections"] = connections
    command = [sys.executable, str(HERE / contender.script), *(f"--{name}={value}" for name, value in options.items())]
    before = server.control(begin=1)
    began = time.monotonic()
    usage = run_measured(contender.label, command, folder)
    after = server.control()
    return Trial(
        wall_seconds=usage.wall_seconds,
        startup_seconds=after["first_request"] - began,
        extract_seconds=after["last_answer"] - after["first_request"],
        cpu_seconds=usage.cpu_seconds,
        peak_mb=usage.peak_mb,
        requests=after["requests"],
        server_busy=(after["cpu_seconds"] - before["cpu_seconds"]) / usage.wall_seconds,
    )


def check_database(contender: Contender, folder: Path, expected: dict[str, int]) -> None:
    """Hold a database to what must be in it.

    Raises:
        SystemExit: there is more or less.
    """
    counts = _verify(contender, folder)
    wrong = {name: (counts[name], number) for name, number in expected.items() if counts[name] != number}
    if wrong:
        raise SystemExit(f"{contender.label} loaded something else (counted, expected): {wrong}")


def _verify(contender: Contender, folder: Path) -> dict[str, int]:
    command = [sys.executable, str(HERE / "verify.py"), str(folder / DATABASE), contender.name]
    counts: dict[str, int] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return counts
