"""The SQL of every model and data test can be parsed in every supported dialect."""

from __future__ import annotations

import itertools

import pytest
import sqlglot
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.expressions import Command, Select

from emr_usage.build import PROJECT
from rendered import render

FILES = sorted([*PROJECT.glob("models/*/*.sql"), *PROJECT.glob("tests/*.sql")])


@pytest.mark.parametrize(
    "dialect",
    # Builds of other tests read the grammars of DuckDB and PostgreSQL.
    ["spark", *(pytest.param(name, marks=pytest.mark.soak) for name in ("duckdb", "postgres", "snowflake", "bigquery"))],
)
def test_every_model_is_parsed_in_every_dialect(dialect: str) -> None:
    unread = {}
    for path, incremental in itertools.product(FILES, (False, True)):
        try:
            statements = sqlglot.parse(render(path, dialect, incremental=incremental), read=dialect, error_level=ErrorLevel.RAISE)
        except SqlglotError as error:
            unread[path.stem, incremental] = str(error)
            continue
        kinds = [statement is not None and (statement.find(Select), statement.find(Command)) for statement in statements]
        if len(kinds) != 1 or not kinds[0] or kinds[0][0] is None or kinds[0][1] is not None:
            unread[path.stem, incremental] = "is not one query"
    assert unread == {}
