"""One connection and one transaction for a whole build: until it commits, readers see the build before, however this one ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Final

import duckdb
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration

from emr_serverless import CheckSettingsError

from .failures import BusyError

# Names the advisory lock, which PostgreSQL keeps per database and drops with its session.
_LOCK: Final = ("emr_usage", "build")
# The server asks this often, while a statement runs, whether its client is still there: a build that was killed holds the lock
# no longer than that.
_CHECK_CLIENT_MILLISECONDS: Final = 5000
_KNOWS_CHECK: Final = 140000


class BuildTransaction:
    """An open transaction on the destination of a build.

    Attributes:
        handle: the connection, as dbt's adapter takes it.
        adapter: dbt's adapter, a class.
        profile: what dbt wants to know of the place; no secrets.
    """

    handle: Any
    adapter: Any
    profile: dict[str, Any]

    def ask(self, sql: str, *values: object) -> list[Any]:
        """Run a statement with `%s` for each value, and return its rows, if it has any."""
        raise NotImplementedError

    def cancel(self) -> None:
        """End the statement that runs, from another thread."""
        raise NotImplementedError

    def commit(self) -> None:
        """Make everything of the transaction visible at once."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection; what is not committed is rolled back."""
        raise NotImplementedError


class _DuckDb(BuildTransaction):
    def __init__(self, configuration: DuckDbClientConfiguration) -> None:
        # dbt takes a second to import, which other commands need not wait for.
        from dbt.adapters.duckdb.environments.local import DuckDBConnectionWrapper, LocalEnvironment  # noqa: PLC0415
        from dbt.adapters.duckdb.impl import DuckDBAdapter  # noqa: PLC0415

        path = configuration.credentials.database
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


class _Postgres(BuildTransaction):
    def __init__(self, configuration: PostgresClientConfiguration) -> None:
        if find_spec("dbt.adapters.postgres") is None:
            raise CheckSettingsError("dbt cannot use PostgreSQL yet", advice="Install it: pip install 'emr-usage[postgres]'.")
        import psycopg2  # noqa: PLC0415
        from dbt.adapters.postgres.impl import PostgresAdapter  # noqa: PLC0415

        known = configuration.credentials
        self.adapter = PostgresAdapter
        self.handle = psycopg2.connect(known.to_native_representation(), application_name="emr-usage build")
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        # The connection is made; dbt only wants to see these.
        place = {"host": known.host or "", "port": known.port, "user": known.username or "", "password": ""}
        self.profile = {"type": "postgres", **place, "dbname": known.database}

    def _begin(self) -> None:
        self.handle.autocommit = True
        if self.handle.server_version >= _KNOWS_CHECK:
            self.ask(f"SET client_connection_check_interval = {_CHECK_CLIENT_MILLISECONDS}")
        if not self.ask("SELECT pg_try_advisory_lock(hashtext(%s), hashtext(%s))", *_LOCK)[0][0]:
            raise BusyError("Another emr-usage is building the marts of this database")
        # Every model reads the same moment of the raw tables, also while a load is under way.
        self.handle.set_session(isolation_level="REPEATABLE READ", autocommit=False)

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


@contextmanager
def build_transaction(configuration: Any) -> Iterator[BuildTransaction]:
    """Open a transaction on the destination that dlt loaded into; without a commit nothing of it stays.

    Args:
        configuration: dlt's, of the destination's client.

    Raises:
        CheckSettingsError: the destination cannot be built in.
        BusyError: another build is under way.
    """
    transaction: BuildTransaction
    if isinstance(configuration, DuckDbClientConfiguration):
        transaction = _DuckDb(configuration)
    elif isinstance(configuration, PostgresClientConfiguration):
        transaction = _Postgres(configuration)
    else:
        raise CheckSettingsError(
            f"emr-usage build cannot use the destination {configuration.destination_type}",
            advice="It builds in duckdb and postgres; elsewhere take the models as a dbt package: see transform/README.md.",
        )
    try:
        yield transaction
    finally:
        transaction.close()


def run_dbt(transaction: BuildTransaction, arguments: list[str]) -> tuple[BaseException | None, Sequence[Any]]:
    """Run dbt in this process and this transaction; returns what stopped it, and the results of its nodes."""
    from dbt.adapters.factory import FACTORY  # noqa: PLC0415
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    with _adapter_on(transaction):
        try:
            done = dbtRunner().invoke(arguments)
        finally:
            # dbt keeps its adapter for a next call in the same process.
            FACTORY.reset_adapters()
    return done.exception, getattr(done.result, "results", [])


@contextmanager
def _adapter_on(transaction: BuildTransaction) -> Iterator[None]:
    """Let dbt's adapter work in a transaction that is not its own: it neither opens, commits, rolls back nor closes anything."""
    manager = transaction.adapter.ConnectionManager

    def use(_: Any, connection: Any) -> Any:
        connection.handle, connection.state = transaction.handle, "open"
        return connection

    def leave(*_: Any) -> None:
        pass

    ours = {
        "open": classmethod(use),
        "add_begin_query": leave,
        "add_commit_query": leave,
        "_rollback_handle": classmethod(leave),
        "_close_handle": classmethod(leave),
        "cancel": lambda *_: transaction.cancel(),
        # The adapter of DuckDB asks it whether statements can be cancelled.
        "env": lambda: transaction.handle._env,  # noqa: SLF001
    }
    transaction.adapter.ConnectionManager = type("OneTransaction", (manager,), ours)
    try:
        yield
    finally:
        transaction.adapter.ConnectionManager = manager
