"""One process at a time writes to a destination, and how long a command waits for its turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import dlt
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration

from .advisory_lock import advisory_lock
from .failures import in_use
from .lock_file import lock_file
from .private_files import make_private_folder, private_files

Result = TypeVar("Result")
Lock = Callable[[], AbstractContextManager[None]]
# How often a database in use is tried again.
POLL_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Wait:
    """How long a command waits while another process uses the database.

    Attributes:
        seconds: at most, each time; 0 for not at all.
        on_wait: called once each time, with who uses it.
    """

    seconds: float
    on_wait: Callable[[str], None]


NO_WAIT: Final = Wait(0, lambda _: None)


def wait_for(attempt: Callable[[], Result], wait: Wait) -> Result:
    """Return what an attempt returns, which is repeated while another process uses the database.

    Raises:
        BusyError: or DuckDB's own error, when it still does at the end of the wait; and whatever else an attempt raises.
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
    """Hold a pipeline's destination and working files for one process; what it makes meanwhile only its owner may read.

    The lock of a DuckDB database is a file beside it, by whatever path and with whatever working files a process comes. A
    PostgreSQL database has an advisory lock besides, for the processes of all machines. dlt's other destinations have only the
    lock file among the working files.

    Raises:
        BusyError: another process holds them for longer than the wait.
        FolderError: the lock file cannot be written.
        UnreachableError: PostgreSQL cannot be asked.
        LostLockError: PostgreSQL ended the connection that held the lock.
    """
    configuration = pipeline.destination_client().config
    with ExitStack() as held:
        held.enter_context(private_files())
        make_private_folder(Path(pipeline.pipelines_dir))
        for lock in _locks(pipeline, configuration):
            wait_for(partial(_enter, held, lock), wait)
        if wait.seconds and isinstance(configuration, DuckDbClientConfiguration):
            wait_for(partial(_open_once, pipeline, Path(configuration.credentials.database)), wait)
        yield


def _enter(held: ExitStack, lock: Lock) -> None:
    held.enter_context(lock())


def _locks(pipeline: dlt.Pipeline, configuration: Any) -> Iterator[Lock]:
    if isinstance(configuration, DuckDbClientConfiguration):
        yield partial(_lock_of_files, Path(configuration.credentials.database), Path(pipeline.pipelines_dir))
        return
    yield partial(_lock_of_files, None, Path(pipeline.pipelines_dir))
    # Redshift's configuration is a kind of PostgreSQL's, but it has no advisory locks.
    if type(configuration) is PostgresClientConfiguration:
        yield partial(advisory_lock, configuration.credentials)


def _lock_of_files(database: Path | None, folder: Path) -> AbstractContextManager[None]:
    if database:
        return lock_file(database.with_name(f"{database.name}.lock"), "--database")
    return lock_file(folder / "emr_usage.lock", "DLT_DATA_DIR")


def heal_lock(database: Path | None) -> Callable[[Path], AbstractContextManager[None]]:
    """Return what holds a folder of working files while it is made anew: the lock file of those who write.

    Args:
        database: the DuckDB file the working files are for; None for other destinations.
    """
    return partial(_lock_of_files, database)


def _open_once(pipeline: dlt.Pipeline, database: Path) -> None:
    """See that no other program has a DuckDB file open: it knows DuckDB's lock and not ours."""
    if database.is_file() and database.stat().st_size:
        with pipeline.sql_client():
            pass
