"""Closed months in PostgreSQL equal those in DuckDB."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from closed_month import ADJUSTMENTS, CHANGED, NOVEMBER, NOW, OCTOBER, TABLES
from emr_usage.build import build
from emr_usage.errors import StatementError
from emr_usage.input_diff import diff_inputs
from emr_usage.pipeline import open_reader
from emr_usage.statements import close_month, read_statement
from raw_postgres import POSTGRES, write

HEADER = "region_id,workspace_id,resource_queue_id,currency,price_per_cu_hour,price_kind,valid_from,valid_to,source"


def test_a_month_can_be_closed_adjusted_and_compared(address: str, tmp_path: Path) -> None:
    write(address, **TABLES)
    build(POSTGRES)
    close_month(POSTGRES, OCTOBER, NOW)
    write(address, **CHANGED)
    build(POSTGRES)
    close_month(POSTGRES, NOVEMBER, NOW)
    rates = tmp_path / "rates.csv"
    rates.write_text(f"{HEADER}\ncn-hangzhou,,,USD,0.20,contracted,2026-01-01,,offer\n")
    changes = diff_inputs(POSTGRES, {"rates": rates})
    assert {(change.currency, change.is_closed) for change in changes} == {("USD", True), ("CNY", True), (None, True)}
    with open_reader(POSTGRES) as pipeline:
        statement = read_statement(pipeline, NOVEMBER).statement
    assert statement
    carried = [line for line in statement.lines if line["cause"]]
    columns = ("workspace_id", "cause", "owner", "currency", "cu_hours", "estimated_cost")
    found = [
        tuple(f"{line[name].normalize():f}" if name in columns[4:] and line[name] is not None else line[name] for name in columns)
        for line in carried
    ]
    assert sorted(found, key=repr) == sorted(ADJUSTMENTS, key=repr)
    with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE emr_statements.statement_lines SET owner = 'nobody' WHERE workspace_id = 'use'")
    with open_reader(POSTGRES) as pipeline, pytest.raises(StatementError, match="Restore emr_statements from a backup"):
        read_statement(pipeline, OCTOBER)
