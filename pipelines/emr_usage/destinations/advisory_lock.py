"""A lock between the processes of all machines that write to a PostgreSQL database: an advisory lock on a separate connection.

It belongs to an open, idle transaction, so that it also works with a connection pooler in transaction mode, and ends with the
connection: a killed process leaves no lock. An idle transaction at READ COMMITTED has no snapshot, so it does not delay vacuum.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from dlt.destinations.impl.postgres.configuration import PostgresCredentials

from emr_usage.errors import BusyError, LostLockError, UnreachableError
from emr_usage.holder import Holder

# "emr_usag" as a number: advisory locks have no names. They are per database.
LOCK_KEY: Final = int.from_bytes(b"emr_usag", "big", signed=True)
# Interval of a query that keeps the connection alive: firewalls drop idle connections.
HEARTBEAT_SECONDS: Final = 10
# A server that does not answer for this long counts as lost.
SILENCE_SECONDS: Final = 30
# The names of connections are cut off by PostgreSQL; a user's name must leave room for that of the host.
NAME_BYTES, USER_BYTES = 63, 20
_NAME: Final = re.compile(r"emr-usage (?P<pid>\d+) (?P<user>\S+) (?P<host>\S+)")
_LOCK_SQL: Final = "SELECT pg_try_advisory_xact_lock(%s)"
# Some servers end idle or long transactions. Not every version has all of these settings.
_STAY_OPEN_SQL: Final = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')
"""
_HOLDER_SQL: Final = """
SELECT application_name, usename, backend_start FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND ((classid::bigint << 32) | objid::bigint) = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def advisory_lock(credentials: PostgresCredentials, key: int = LOCK_KEY) -> Iterator[None]:
    """Hold a lock of a database. If its connection is lost, stop this process by SIGTERM, as a scheduler would.

    Args:
        credentials: of the database.
        key: of the lock; by default that of loads and builds.

    Raises:
        BusyError: another process holds it.
        UnreachableError: the database cannot be reached.
        LostLockError: the connection was lost, so that another process may have written.
    """
    import psycopg2  # noqa: PLC0415  # comes with the extra `postgres`

    try:
        connection = _connect(credentials)
    except psycopg2.Error as error:
        raise UnreachableError from error
    with closing(connection):
        try:
            _take(connection, key)
        except psycopg2.Error as error:
            raise UnreachableError from error
        watch = _Watch(connection)
        try:
            yield
        except BaseException as error:
            if watch.stop():
                raise
            raise LostLockError from error
        if not watch.stop():
            raise LostLockError


def _connect(credentials: PostgresCredentials) -> Any:
    import psycopg2  # noqa: PLC0415

    holder = Holder.this_process()
    words = ("emr-usage", str(holder.pid), _word(holder.user)[:USER_BYTES], _word(holder.host))
    connection = psycopg2.connect(
        credentials.to_native_representation(),
        application_name=" ".join(words)[:NAME_BYTES],
        keepalives_idle=HEARTBEAT_SECONDS,
        tcp_user_timeout=SILENCE_SECONDS * 1000,
    )
    connection.set_session(isolation_level="READ COMMITTED")
    return connection


def _word(name: str) -> str:
    return re.sub(r"[^!-~]", "?", name) or "?"


def _take(connection: Any, key: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_SQL, (key,))
        if not cursor.fetchone()[0]:
            cursor.execute(_HOLDER_SQL, (key,))
            raise BusyError(_holder(cursor.fetchone()))
        cursor.execute(_STAY_OPEN_SQL)


def _holder(row: tuple[Any, ...] | None) -> str:
    if row is None:
        return "a process that has just ended"
    name, database_user, since = row
    named = _NAME.match(name or "")
    if not named:
        return f"database user {database_user}"
    # The time is visible only to the same database user and to administrators.
    return Holder(named["host"], int(named["pid"]), named["user"]).since(since)


class _Watch:
    """Watches a connection in a thread, and stops the process when it is lost."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._is_lost = False
        self._wake_up, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._run, name="advisory-lock", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """End the thread, and return whether the connection is still alive."""
        os.close(self._stop)
        self._thread.join()
        os.close(self._wake_up)
        return not self._is_lost and self._answers()

    def _run(self) -> None:
        while True:
            # A server that closes a connection reports it at once; one that is unreachable does not answer.
            readable, _, _ = select.select([self._connection, self._wake_up], [], [], HEARTBEAT_SECONDS)
            if self._wake_up in readable:
                return
            if not self._answers():
                self._is_lost = True
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
                return

    def _answers(self) -> bool:
        import psycopg2  # noqa: PLC0415

        with contextlib.suppress(psycopg2.Error), self._connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return True
        return False
