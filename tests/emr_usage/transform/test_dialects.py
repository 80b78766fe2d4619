"""The SQL of every model and check is read by the grammars of the databases it may run on."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot.errors import ErrorLevel

from emr_usage.build import PROJECT
from rendered import render

FILES = sorted([*PROJECT.glob("models/*/*.sql"), *PROJECT.glob("tests/*.sql")])


@pytest.mark.parametrize("incremental", [False, True], ids=["whole", "incremental"])
@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark", "snowflake", "bigquery"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_is_read_by_the_grammar(path: Path, dialect: str, incremental: bool) -> None:  # noqa: FBT001  # a parameter
    sql = render(path, dialect, incremental=incremental)
    (statement,) = sqlglot.parse(sql, read=dialect, error_level=ErrorLevel.RAISE)
    assert statement is not None
    assert statement.find(sqlglot.exp.Select) is not None
    assert statement.find(sqlglot.exp.Command) is None
