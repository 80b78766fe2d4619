"""The marts in PostgreSQL equal those in DuckDB."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg2

from emr_usage.build import build
from emr_usage.focus import write_focus
from emr_usage.pipeline import open_pipeline
from emr_usage.report import Month, write_page, write_tables
from mart_cases import LARGE, TABLES
from mart_fixtures import MARTS, READ_AT, MartDatabase
from raw_postgres import POSTGRES, write

BUILT_AT = re.compile(r"from build 1 of [^.]+|[^,]+(?:Z|\+00:00)$", re.MULTILINE)


def marts(address: str) -> dict[str, list[tuple[Any, ...]]]:
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        found = {}
        for name in MARTS:
            cursor.execute(f"SELECT * FROM emr_marts.{name}")
            found[name] = in_order(cursor.fetchall())
        return found


def in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows with their times in UTC, sorted."""
    same = [tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row) for row in rows]
    return sorted(same, key=str)


def test_marts_equal_those_of_duckdb_after_every_change(address: str, tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    fewer = TABLES | {"job_runs": TABLES["job_runs"][1:], "rates": TABLES["rates"][:1]}
    for tables in (fewer, TABLES, TABLES | LARGE, TABLES | {"job_runs": TABLES["job_runs"][:-3]}):
        mart_db.write(**tables)
        write(address, **tables)
        assert mart_db.build() == build(POSTGRES)
        found = marts(address)
        for name, rows in mart_db.marts().items():
            assert found[name] == in_order(rows), name


def test_the_report_equals_that_of_duckdb(address: str, tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(**TABLES)
    write(address, **TABLES)
    mart_db.build()
    build(POSTGRES)
    pages = []
    for target in (mart_db.target, POSTGRES):
        path, _ = write_page(open_pipeline(target), Month(date(2026, 10, 1)), tmp_path / target.destination, READ_AT)
        tables = write_tables(open_pipeline(target), Month(date(2026, 10, 1)), tmp_path / target.destination, "csv")
        charges = write_focus(
            open_pipeline(target), Month(date(2026, 10, 1)), tmp_path / target.destination, "1" * 16, kind="csv"
        )
        # One was built after the other.
        pages.append([BUILT_AT.sub("", written.read_text(encoding="utf-8")) for written in (path, *tables, charges.path)])
    assert pages[0] == pages[1]
