"""Queries a destination."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from .build import MARTS_DATASET
from .builds import BuildRecord, current_build
from .destinations import adapter_of
from .errors import BuildError
from .loaded import require_runs


def query_rows(client: SqlClientBase[Any], sql: str, *values: object) -> list[dict[str, Any]]:
    """Return the rows of a query, each as its values by column."""
    with client.execute_query(sql, *values) as cursor:
        names = [column[0] for column in cursor.native_cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def reading_marts(pipeline: dlt.Pipeline) -> Iterator[tuple[SqlClientBase[Any], BuildRecord]]:
    """Open a destination in one transaction, so that all results are of one build; yields that build too.

    Raises:
        NothingLoadedError: no load has completed.
        BuildError: there is no build yet.
    """
    with pipeline.sql_client() as client, client.begin_transaction():
        adapter_of(pipeline).begin_snapshot(client)

        def ask(sql: str, *values: object) -> list[Any]:
            return [tuple(row.values()) for row in query_rows(client, sql, *values)]

        build = current_build(ask, MARTS_DATASET)
        if build is None:
            require_runs(client)
            raise BuildError("The marts are not built yet. Build them first: emr-usage build.")
        yield client, build
