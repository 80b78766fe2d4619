"""Asks a destination, and answers with rows by column."""

from __future__ import annotations

from typing import Any

from dlt.destinations.sql_client import SqlClientBase


def query_rows(client: SqlClientBase[Any], sql: str, *values: object) -> list[dict[str, Any]]:
    """Return the answer to a query, each row as its values by column."""
    with client.execute_query(sql, *values) as cursor:
        names = [column[0] for column in cursor.native_cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
