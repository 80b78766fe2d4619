"""PostgreSQL: each package is one transaction, and several pipelines load into one dataset at the same time.

dlt 1.31 merges each table of a package in a transaction of its own, and creates schemas and tables without a lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

import dlt
import psycopg2
from dlt.common.configuration.container import Container
from dlt.common.destination import PreparedTableSchema
from dlt.common.destination.client import FollowupJobRequest
from dlt.common.schema import TSchemaTables
from dlt.common.storages.load_package import LoadJobInfo, LoadPackageStateInjectableContext, ParsedLoadJobFileName
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from dlt.destinations.impl.postgres.factory import postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient
from dlt.destinations.job_impl import FollowupJobRequestImpl
from dlt.destinations.sql_jobs import SqlMergeFollowupJob

from .arrow.schema import OBSERVED_AT, RAW_TABLES
from .resources.job_runs import JOB_RUNS

# Advisory locks have numbers instead of names, and are per database.
MERGE_LOCK: Final = int.from_bytes(b"emr_merg", "big", signed=True)
SCHEMA_LOCK: Final = int.from_bytes(b"emr_sche", "big", signed=True)
_LOCK_SQL: Final = "SELECT pg_advisory_xact_lock({key})"
# A run is one version: its rows in all tables are newer than what is stored, or none is merged.
_DROP_OLDER_SQL: Final = "DELETE FROM {staged} AS s USING {stored} AS d WHERE {same_key} AND d.observed_at > s.observed_at"
_RUN_TABLES: Final = frozenset({JOB_RUNS.table, *(child.table for child in JOB_RUNS.children)})


def load_in_packages(pipeline: dlt.Pipeline) -> None:
    """Make a pipeline's PostgreSQL destination merge each package of this source in one transaction.

    Args:
        pipeline: its destination is `dlt.destinations.postgres`.
    """
    pipeline.destination.__class__ = _Postgres  # type: ignore[assignment]  # a subclass of what it is


@contextmanager
def schema_lock(credentials: PostgresCredentials) -> Iterator[None]:
    """Hold the lock under which schemas and tables are created and dropped, for a short time; wait for it without a limit."""
    # On a separate connection, because a pooler in transaction mode keeps locks for no longer than a transaction.
    with closing(psycopg2.connect(credentials.to_native_representation())) as connection, connection.cursor() as cursor:
        cursor.execute(_LOCK_SQL.format(key=SCHEMA_LOCK))
        yield


class _Client(PostgresClient):
    def initialize_storage(self, *arguments: Any, **named: Any) -> None:
        """Create the dataset if it is missing."""
        if self.is_storage_initialized():
            super().initialize_storage(*arguments, **named)
            return
        with schema_lock(self.config.credentials):
            super().initialize_storage(*arguments, **named)

    def update_stored_schema(self, *arguments: Any, **named: Any) -> TSchemaTables | None:
        """Create tables and columns that are missing."""
        with schema_lock(self.config.credentials):
            return super().update_stored_schema(*arguments, **named)

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[PreparedTableSchema],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        """Return nothing until every table of the package is staged, and then one job that merges all of them."""
        if any(table["name"] not in RAW_TABLES for table in table_chain):
            return super().create_table_chain_completed_followup_jobs(table_chain, completed_table_chain_jobs)
        package = Container()[LoadPackageStateInjectableContext]
        staged: set[str] = set()
        ended = {job.job_file_info.job_id() for job in completed_table_chain_jobs or ()}
        for status, job in package.storage.list_all_jobs_with_states(package.load_id):
            if job.table_name in RAW_TABLES and job.file_format != "sql":
                if status != "completed_jobs" and job.job_id() not in ended:
                    return []
                staged.add(job.table_name)
        tables = {name: self.prepare_load_table(name) for name in RAW_TABLES if name in staged}
        return [_merge_job(tables, self)]


class _Postgres(postgres):
    @property
    def client_class(self) -> type[PostgresClient]:
        return _Client


# dlt names a destination's type after its class.
_Postgres.__module__, _Postgres.__qualname__ = postgres.__module__, postgres.__qualname__


def _merge_job(tables: dict[str, PreparedTableSchema], client: PostgresClient) -> FollowupJobRequest:
    """Return the job that merges the staged tables of a package, one statement on each line."""
    sql = [_LOCK_SQL.format(key=MERGE_LOCK), *_drop_older(tables, client)]
    for table in tables.values():
        sql += SqlMergeFollowupJob.generate_sql([table], client.sql_client)
    file = ParsedLoadJobFileName(next(iter(tables)), ParsedLoadJobFileName.new_file_id(), 0, "sql")
    job = FollowupJobRequestImpl(file.file_name())
    job._save_text_file("\n".join(" ".join(statement.splitlines()) for statement in sql))  # noqa: SLF001  # as dlt's own do
    return job


def _drop_older(tables: dict[str, PreparedTableSchema], client: PostgresClient) -> Iterator[str]:
    """Yield the statements that remove from the staged tables what is older than the rows that are stored."""
    for name in tables:
        stored, key = (JOB_RUNS.table, JOB_RUNS.key) if name in _RUN_TABLES else (name, RAW_TABLES[name].primary_key)
        if OBSERVED_AT.name in key:  # every version has a row of its own
            continue
        yield _DROP_OLDER_SQL.format(
            staged=_qualified(client, name, staging=True),
            stored=_qualified(client, stored),
            same_key=" AND ".join(f"d.{column} = s.{column}" for column in key),
        )


def _qualified(client: PostgresClient, table: str, *, staging: bool = False) -> str:
    table_name, staging_name = client.sql_client.get_qualified_table_names(table)
    return str(staging_name if staging else table_name)
