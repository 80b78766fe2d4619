"""One process at a time writes to a destination; a command can wait for its turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import dlt

from .destinations import adapter_of
from .destinations.adapter import Lock
from .failures import in_use
from .private_files import make_private_folder, private_files

Result = TypeVar("Result")
# How often a database in use is retried.
POLL_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Wait:
    """How long a command waits while another process uses the database.

    Attributes:
        seconds: maximum for each wait; 0 for none.
        on_wait: called once for each wait, with the other process.
    """

    seconds: float
    on_wait: Callable[[str], None]


NO_WAIT: Final = Wait(0, lambda _: None)


def wait_for(attempt: Callable[[], Result], wait: Wait) -> Result:
    """Return the result of an attempt, which is repeated while another process uses the database.

    Raises:
        BusyError: or DuckDB's own error, where it still does at the end of the wait; and any other error of the attempt.
    """
    until = time.monotonic() + wait.seconds
    has_waited = False
    while True:
        try:
            return attempt()
        except Exception as error:
            user = in_use(error)
            left = until - time.monotonic()
            if user is None or left <= 0:
                raise
        if not has_waited:
            wait.on_wait(user)
            has_waited = True
        time.sleep(min(POLL_SECONDS, left))


@contextmanager
def exclusive(pipeline: dlt.Pipeline, wait: Wait = NO_WAIT) -> Iterator[None]:
    """Lock a pipeline's destination and working files for this process; new files are readable by their owner only.

    Raises:
        BusyError: another process holds the lock for longer than the wait.
        FolderError: the lock file cannot be written.
        UnreachableError: PostgreSQL cannot be reached.
        LostLockError: PostgreSQL ended the connection that held the lock.
    """
    adapter = adapter_of(pipeline)
    with ExitStack() as held:
        held.enter_context(private_files())
        make_private_folder(Path(pipeline.pipelines_dir))
        for lock in adapter.locks(Path(pipeline.pipelines_dir)):
            wait_for(partial(_enter, held, lock), wait)
        if wait.seconds:
            wait_for(partial(adapter.check_unused, pipeline), wait)
        yield


def _enter(held: ExitStack, lock: Lock) -> None:
    held.enter_context(lock())
