"""DuckDB: a file that one process at a time can write to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import dlt
import duckdb
from dlt.common.destination import Destination
from dlt.destinations.sql_client import SqlClientBase

from emr_usage.lock_file import lock_file

from .adapter import Adapter, Lock
from .build_transaction import BuildTransaction

MOST_LOAD_JOBS: Final = 2


@dataclass(frozen=True)
class DuckDbFile:
    """A DuckDB file by its path."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def real_path(self) -> Path:
        """The path of the file itself.

        dlt would resolve a relative path from the folder in which the working files were created. DuckDB keeps its log
        beside the path that it is given: through another path to the same file it would miss what a killed process has committed.
        """
        return Path(os.path.realpath(self.path))

    def to_write(self) -> Destination[Any, Any]:
        """Return dlt's destination for a load."""
        # Each table merges on one core, mostly. More than two at a time would not fit into the memory that DuckDB is given.
        return dlt.destinations.duckdb(str(self.real_path), max_parallel_load_jobs=MOST_LOAD_JOBS)

    def to_read(self) -> Destination[Any, Any]:
        """Return dlt's destination for a command that only reads."""
        # The limits of a load are too low for the report of a month of a million runs.
        configuration = {"memory_limit": "1GB"}
        return dlt.destinations.duckdb({"database": str(self.real_path), "read_only": True, "global_config": configuration})

    def is_missing(self) -> bool:
        """Return whether the file is missing."""
        return not self.path.exists()

    def working_folder(self) -> Path:
        """Return the folder beside the file, even if the path is a link to it."""
        return self.real_path.with_name(f"{self.real_path.name}.dlt")

    def unique_name(self) -> str:
        """Return a name with a digest of the path: databases in different folders may have the same name."""
        beside = self.working_folder()
        return f"{beside.stem}-{hashlib.sha256(str(beside).encode()).hexdigest()[:8]}.dlt"

    def label(self) -> str:
        """Return the path of the file itself: databases in several folders may have one name."""
        return str(self.real_path)

    def lock(self, working_folder: Path) -> AbstractContextManager[None]:  # noqa: ARG002  # other destinations lock there
        """Hold the lock file beside the database."""
        return _lock_beside(self.real_path)


class DuckDb(Adapter):
    """A DuckDB file that a pipeline loads into."""

    @property
    def database(self) -> Path:
        """The file."""
        return Path(self.configuration.credentials.database)

    def locks(self, working_folder: Path) -> Iterator[Lock]:  # noqa: ARG002  # as above
        """Yield the lock file beside the database: it is the same for every path to the file and all working files."""
        yield partial(_lock_beside, self.database)

    def check_unused(self, pipeline: dlt.Pipeline) -> None:
        """Check that no other program has the file open: other programs use only DuckDB's own lock."""
        if self.database.is_file() and self.database.stat().st_size:
            with pipeline.sql_client():
                pass

    @contextmanager
    def removing_empty_database(self) -> Iterator[None]:
        """Remove the file if a failed load created it and left it empty."""
        was_there = self.database.exists()
        try:
            yield
        except BaseException:
            if not was_there:
                self._remove_if_empty()
            raise

    def begin_snapshot(self, client: SqlClientBase[Any]) -> None:
        """Do nothing: every DuckDB transaction sees one snapshot."""

    def open_build(self) -> BuildTransaction:
        """Open a transaction for a build."""
        return _DuckDbBuild(str(self.database))

    def _remove_if_empty(self) -> None:
        # If the file cannot be opened, the original error is more useful.
        with suppress(duckdb.Error, OSError):
            with duckdb.connect(str(self.database), read_only=True) as connection:
                is_empty = connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchone() is None
            if is_empty:
                for path in (self.database, self.database.with_name(f"{self.database.name}.wal")):
                    path.unlink(missing_ok=True)


def _lock_beside(database: Path) -> AbstractContextManager[None]:
    return lock_file(database.with_name(f"{database.name}.lock"), "--database")


class _DuckDbBuild(BuildTransaction):
    def __init__(self, path: str) -> None:
        # Imported here: dbt takes a second, which other commands need not wait for.
        from dbt.adapters.duckdb.environments.local import DuckDBConnectionWrapper, LocalEnvironment  # noqa: PLC0415
        from dbt.adapters.duckdb.impl import DuckDBAdapter  # noqa: PLC0415

        self._connection = duckdb.connect(path)
        self._connection.execute("SET TimeZone = 'UTC'").execute("BEGIN")
        self.handle, self.adapter = DuckDBConnectionWrapper(self._connection, LocalEnvironment), DuckDBAdapter
        self.profile = {"type": "duckdb", "path": path}

    def ask(self, sql: str, *values: object) -> list[Any]:
        return self._connection.execute(sql.replace("%s", "?"), values or None).fetchall()

    def cancel(self) -> None:
        self._connection.interrupt()

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()
