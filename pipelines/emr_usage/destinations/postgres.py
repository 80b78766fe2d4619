"""PostgreSQL: a server that processes of several machines can write to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from dlt.destinations.impl.postgres.configuration import PostgresCredentials

from emr_serverless import CheckSettingsError
from emr_usage.errors import BusyError

from .adapter import Adapter, Lock
from .advisory_lock import advisory_lock
from .build_transaction import BuildTransaction

# Names the advisory lock of a build, which PostgreSQL keeps per database and drops with its session.
_LOCK: Final = ("emr_usage", "build")
# While a statement runs, the server checks at this interval whether its client is connected: a killed build holds the lock no
# longer than that.
_CHECK_CLIENT_MILLISECONDS: Final = 5000
_KNOWS_CHECK: Final = 140000
# The planner has no statistics of tables that the build's transaction has just filled, and then chooses joins whose time grows
# with the square of the rows. Whole tables are joined, so hash joins are right. Compiling queries takes longer than it saves.
_PLANNER: Final = {"enable_mergejoin": "off", "enable_nestloop": "off", "jit": "off", "work_mem": "128MB"}


class Postgres(Adapter):
    """A PostgreSQL database that a pipeline loads into."""

    parallel_backfills = True

    def locks(self, working_folder: Path) -> Iterator[Lock]:
        """Yield the lock file among the working files, and an advisory lock for the processes of all machines."""
        yield from super().locks(working_folder)
        yield partial(advisory_lock, self.configuration.credentials)

    def open_build(self) -> BuildTransaction:
        """Open a transaction for a build.

        Raises:
            CheckSettingsError: dbt's adapter is not installed.
            BusyError: another build is running.
        """
        return _PostgresBuild(self.configuration.credentials)


class _PostgresBuild(BuildTransaction):
    def __init__(self, credentials: PostgresCredentials) -> None:
        if find_spec("dbt.adapters.postgres") is None:
            raise CheckSettingsError("dbt cannot use PostgreSQL yet", advice="Install it: pip install 'emr-usage[postgres]'.")
        import psycopg2  # noqa: PLC0415
        from dbt.adapters.postgres.impl import PostgresAdapter  # noqa: PLC0415

        self.adapter = PostgresAdapter
        self.handle = psycopg2.connect(credentials.to_native_representation(), application_name="emr-usage build")
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        # The connection is already open, but dbt requires these.
        address = {"host": credentials.host or "", "port": credentials.port, "user": credentials.username or "", "password": ""}
        self.profile = {"type": "postgres", **address, "dbname": credentials.database}

    def _begin(self) -> None:
        self.handle.autocommit = True
        if self.handle.server_version >= _KNOWS_CHECK:
            self.ask(f"SET client_connection_check_interval = {_CHECK_CLIENT_MILLISECONDS}")
        if not self.ask("SELECT pg_try_advisory_lock(hashtext(%s), hashtext(%s))", *_LOCK)[0][0]:
            raise BusyError("Another emr-usage is building the marts of this database")
        # Every model reads the same snapshot of the raw tables, even while a load is running.
        self.handle.set_session(isolation_level="REPEATABLE READ", autocommit=False)
        for name, value in _PLANNER.items():
            self.ask("SELECT set_config(%s, %s, true)", name, value)

    def ask(self, sql: str, *values: object) -> list[Any]:
        with self.handle.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def cancel(self) -> None:
        self.handle.cancel()

    def commit(self) -> None:
        self.handle.commit()

    def close(self) -> None:
        self.handle.close()
