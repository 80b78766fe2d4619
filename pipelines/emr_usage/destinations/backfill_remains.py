"""What a backfill leaves in PostgreSQL: a lock while it runs, a staging dataset, and rows of dlt's state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Final

import psycopg2
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from psycopg2.sql import SQL, Identifier

from emr_serverless import schema_lock
from emr_usage.errors import UnreachableError

from .advisory_lock import advisory_lock

_HELD_SQL: Final = """
SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_DATASETS_SQL: Final = "SELECT nspname FROM pg_namespace WHERE left(nspname, %s) = %s"
# All rows of a pipeline but that of its newest package, from which dlt restores its state.
_OLDER_STATES_SQL: Final = """
DELETE FROM {dataset}._dlt_pipeline_state WHERE pipeline_name = %s AND _dlt_load_id IS DISTINCT FROM (
  SELECT load_id FROM {dataset}._dlt_loads JOIN {dataset}._dlt_pipeline_state ON _dlt_load_id = load_id
  WHERE pipeline_name = %s AND status = 0 ORDER BY load_id DESC LIMIT 1
)
"""


def lock_key(name: str) -> int:
    """Return the key of the advisory lock of a backfill."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


@contextmanager
def backfill_lock(credentials: PostgresCredentials, name: str, staging_prefix: str) -> Iterator[frozenset[int]]:
    """Hold the lock of a backfill, and drop the staging datasets of backfills that were killed.

    Args:
        credentials: of the database.
        name: of the backfill.
        staging_prefix: with the name of a backfill, the name of its staging dataset.

    Yields:
        The keys of the locks of other backfills that are running.

    Raises:
        BusyError: the same backfill is running.
        UnreachableError: the database cannot be reached.
        LostLockError: the connection that held the lock was lost.
    """
    with ExitStack() as held:
        try:
            running = _lock(held, credentials, name, staging_prefix)
        except psycopg2.Error as error:
            raise UnreachableError from error
        yield running


def _lock(held: ExitStack, credentials: PostgresCredentials, name: str, staging_prefix: str) -> frozenset[int]:
    # No backfill begins while this looks which ones are running.
    with schema_lock(credentials), closing(psycopg2.connect(credentials.to_native_representation())) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_HELD_SQL)
            running = frozenset(key for (key,) in cursor.fetchall())
            held.enter_context(advisory_lock(credentials, lock_key(name)))
            cursor.execute(_DATASETS_SQL, (len(staging_prefix), staging_prefix))
            for (dataset,) in cursor.fetchall():
                if lock_key(dataset.removeprefix(staging_prefix)) not in running:
                    _drop(cursor, dataset)
    return running


def remove_remains(credentials: PostgresCredentials, dataset: str, pipeline_name: str, staging_dataset: str) -> None:
    """Drop the staging dataset of a backfill that has ended, and all rows of its state but the newest."""
    with (
        schema_lock(credentials),
        closing(psycopg2.connect(credentials.to_native_representation())) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        _drop(cursor, staging_dataset)
        cursor.execute("SELECT to_regclass(%s)", (f"{dataset}._dlt_pipeline_state",))
        if cursor.fetchone()[0]:
            cursor.execute(SQL(_OLDER_STATES_SQL).format(dataset=Identifier(dataset)), (pipeline_name, pipeline_name))


def _drop(cursor: Any, dataset: str) -> None:
    cursor.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(dataset)))
