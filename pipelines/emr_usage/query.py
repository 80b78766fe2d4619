"""Asks a destination, and answers with rows by column."""

from __future__ import annotations

from typing import Any

from dlt.destinations.sql_client import SqlClientBase

from .build import MARTS_DATASET
from .failures import BuildError
from .loaded import require_runs


def query_rows(client: SqlClientBase[Any], sql: str, *values: object) -> list[dict[str, Any]]:
    """Return the answer to a query, each row as its values by column."""
    with client.execute_query(sql, *values) as cursor:
        names = [column[0] for column in cursor.native_cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def demand_marts(client: SqlClientBase[Any]) -> None:
    """See that the marts are there.

    Raises:
        NothingLoadedError: nothing is loaded that they could be made of.
        BuildError: they are not made yet.
    """
    made = "SELECT 1 AS made FROM information_schema.tables WHERE table_schema = %s AND table_name = 'job_run_costs'"
    if not query_rows(client, made, MARTS_DATASET):
        require_runs(client)
        raise BuildError("The marts are not made yet. Make them first: emr-usage build.")
