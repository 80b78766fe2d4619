"""Runs a command in a process of its own and measures what it uses: time, the memory of all its processes, and disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

# The unit of ru_maxrss.
RSS_BYTES: Final = 1 if sys.platform == "darwin" else 1024
# How much of a failed command's output is shown.
OUTPUT_BYTES: Final = 4_000
SAMPLE_SECONDS: Final = 0.25


@dataclass(frozen=True)
class Usage:
    """What a command used.

    Attributes:
        wall_seconds: from its start to its end.
        cpu_seconds: user and system, of its children too.
        peak_mb: most memory, millions of bytes: resident in one process, or shared out among all of them, whichever is more.
        disk_mb: most disk in the folders that were watched, millions of bytes.
        output: what it printed.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    disk_mb: float
    output: str


def run_measured(
    label: str,
    command: Sequence[str],
    folder: Path,
    *,
    variables: Mapping[str, str] | None = None,
    servers: Collection[int] = (),
    watched: Collection[Path] = (),
) -> Usage:
    """Run a command to its end.

    Args:
        label: names it in the error.
        command: the program and its arguments.
        folder: where it runs.
        variables: added to its environment, from which everything that dlt would read as a setting is removed.
        servers: processes that work for it, whose memory counts.
        watched: folders whose size is measured while it runs.

    Raises:
        SystemExit: it failed.
    """
    environment = {name: value for name, value in os.environ.items() if "__" not in name and not name.startswith("DLT_")}
    environment |= {"NO_PROXY": "127.0.0.1", **(variables or {})}
    with TemporaryFile() as output, ExitStack() as stack:
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        memory = stack.enter_context(_peak(lambda: sum(map(_proportional_bytes, (process.pid, *servers)))))
        disk = stack.enter_context(_peak(lambda: sum(map(folder_bytes, watched))))
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        told = _read(output)
        if process.returncode:
            raise SystemExit(f"{label} failed with {process.returncode}:\n{told[-OUTPUT_BYTES:]}")
    peak_bytes = max(usage.ru_maxrss * RSS_BYTES, *memory)
    return Usage(seconds, usage.ru_utime + usage.ru_stime, peak_bytes / 1e6, max(disk) / 1e6, told)


def _read(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode(errors="replace")


@contextmanager
def _peak(sample: Callable[[], int]) -> Iterator[list[int]]:
    """Sample again and again until the end of the `with`, and once more; yields the largest sample, in a list."""
    peak = [0]
    is_over = threading.Event()

    def watch() -> None:
        while True:
            peak[0] = max(peak[0], sample())
            if is_over.wait(SAMPLE_SECONDS):
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()
        peak[0] = max(peak[0], sample())


def _proportional_bytes(pid: int) -> int:
    """Return the memory of a process and its descendants, in which what processes share counts once; Linux only.

    It is 0 where the process has ended or the system does not tell.
    """
    folder = Path(f"/proc/{pid}")
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
        started = [child for task in (folder / "task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return 0
    own = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
    return own + sum(_proportional_bytes(int(child)) for child in started)


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in a folder, some of which may be removed meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except FileNotFoundError:
                continue
    return total
