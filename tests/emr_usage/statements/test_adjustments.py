"""Changes to a closed month become adjustments with their cause; computed by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import yaml

from closed_month import ADJUSTMENTS, AFTER, CHANGED, DECEMBER, LATE, NOVEMBER, NOW, OCTOBER, TABLES, owners, run
from emr_usage.build import PROJECT
from emr_usage.statements import close_month
from mart_fixtures import MartDatabase

ADJUSTED = "workspace_id, cause, owner, currency, cu_hours, estimated_cost"
LINES = "SELECT * FROM emr_statements.statement_lines WHERE billing_month = DATE '2026-10-01' ORDER BY ALL"


@pytest.fixture(scope="module")
def closed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return marts with a closed October."""
    mart_db = MartDatabase(tmp_path_factory.mktemp("closed") / "emr.duckdb")
    mart_db.write(**TABLES)
    mart_db.build()
    close_month(mart_db.target, OCTOBER, NOW)
    return mart_db.target.database


@pytest.fixture
def mart_db(closed_file: Path, tmp_path: Path) -> MartDatabase:
    return MartDatabase(Path(copy(closed_file, tmp_path)))


def adjustments(mart_db: MartDatabase, where: str = "NOT is_frozen") -> list[tuple[Any, ...]]:
    """Return the adjustments of October, numbers as texts."""
    rows = mart_db.ask(f"SELECT {ADJUSTED} FROM chargeback_adjustments WHERE {where} ORDER BY ALL")
    return [tuple(f"{value.normalize():f}" if isinstance(value, Decimal) else value for value in row) for row in rows]


def test_each_cause_has_an_adjustment_until_its_change_is_reverted(mart_db: MartDatabase) -> None:
    before = mart_db.ask(LINES)
    assert sum(line[8] for line in before) == Decimal("7.4")
    mart_db.write(**CHANGED)
    mart_db.build()
    assert adjustments(mart_db) == ADJUSTMENTS
    months = mart_db.ask("SELECT DISTINCT booked_month, adjusted_month FROM chargeback_adjustments")
    assert months == [(NOVEMBER.first, OCTOBER.first)]
    assert mart_db.ask(LINES) == before
    mart_db.write(**TABLES)
    mart_db.build()
    assert adjustments(mart_db) == []


def test_an_adjustment_appears_once_in_the_statement_of_its_booked_month(mart_db: MartDatabase) -> None:
    mart_db.write(**CHANGED)
    mart_db.build()
    close_month(mart_db.target, NOVEMBER, NOW)
    assert adjustments(mart_db, "is_frozen") == ADJUSTMENTS
    # October again, by another cause: compared with what is frozen by now.
    mart_db.write(owners=owners(owner="marketing", all="ads"))
    mart_db.build()
    assert adjustments(mart_db, "is_frozen") == ADJUSTMENTS
    assert adjustments(mart_db) == [
        ("all", "owner", "ads", "USD", "12", "1.8"),
        ("all", "owner", "marketing", "USD", "-12", "-1.8"),
    ]
    invoiced = (
        "SELECT billing_month, is_closed, coalesce(sum(estimated_cost), 0), sum(adjustment_cost) FROM chargeback_invoiced"
        " WHERE currency = 'USD' GROUP BY ALL ORDER BY ALL"
    )
    assert mart_db.ask(invoiced) == [
        (OCTOBER.first, True, Decimal("7.4"), 0),
        # The run after the month, and half of the late one; of October all but the two moves between owners.
        (NOVEMBER.first, True, Decimal("1.1"), Decimal("-0.8")),
        (DECEMBER.first, False, 0, 0),
    ]


def test_a_changed_time_zone_is_a_separate_cause(mart_db: MartDatabase) -> None:
    mart_db.write(job_runs=[*TABLES["job_runs"], LATE])
    mart_db.build(billing_time_zone="UTC", change_time_zone=True)
    assert {cause for _, cause, *_ in adjustments(mart_db)} == {"settings"}


def test_the_settlement_is_adjusted_too(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    # The settled hour of the README: 147.5 CU-hours for runs of 170.
    cores = run("same", "a", cu_hours=70, vcore_seconds=360_000, mb_seconds=190 * 3600 * 1024)
    memory = run("same", "b", cu_hours=100, vcore_seconds=72_000, mb_seconds=400 * 3600 * 1024)
    mart_db.write(**TABLES | {"job_runs": [cores, memory, AFTER]})
    mart_db.build()
    close_month(mart_db.target, OCTOBER, NOW)
    mart_db.write(job_runs=[memory, AFTER])
    mart_db.build()
    columns = "cause, cu_hours, estimated_cost, settlement_cu_hours, settlement_adjustment"
    assert mart_db.ask(f"SELECT {columns} FROM chargeback_adjustments") == [
        ("late_figures", Decimal(-70), Decimal(-7), Decimal("22.5"), Decimal("2.25"))
    ]


def test_every_column_of_a_statement_is_described(mart_db: MartDatabase) -> None:
    (source,) = yaml.safe_load((PROJECT / "models/statements.yml").read_text())["sources"]
    for table in source["tables"]:
        found = [row[0] for row in mart_db.ask(f"DESCRIBE emr_statements.{table['name']}")]
        assert [column["name"] for column in table["columns"]] == found, table["name"]
