"""The tables of closed months, which no load and no build writes to; described in transform/models/statements.yml."""

from __future__ import annotations

from typing import Any, Final

from emr_usage.builds import Ask

STATEMENTS_DATASET: Final = "emr_statements"
_AMOUNT: Final = "DECIMAL(38, 6)"
_LINE: Final = {
    "owner": "VARCHAR",
    "workspace_id": "VARCHAR",
    "currency": "VARCHAR",
    "cu_hours": _AMOUNT,
    "cu_hours_unpriced": _AMOUNT,
    "estimated_cost": _AMOUNT,
    "settlement_cu_hours": _AMOUNT,
    "settlement_adjustment": _AMOUNT,
}
STATEMENT_COLUMNS: Final = {
    "billing_month": "DATE",
    "closed_at": "TIMESTAMPTZ",
    "reason": "VARCHAR",
    "missing": "VARCHAR",
    "version": "VARCHAR",
    "build_number": "BIGINT",
    "built_at": "TIMESTAMPTZ",
    "horizon": "TIMESTAMPTZ",
    "certified_until": "TIMESTAMPTZ",
    "inputs_version": "VARCHAR",
    "rates_sha256": "VARCHAR",
    "owners_sha256": "VARCHAR",
    "billing_time_zone": "VARCHAR",
    "models_version": "VARCHAR",
    "settlement_adjustment": "BOOLEAN",
    "content_sha256": "VARCHAR",
}
LINE_COLUMNS: Final = {"billing_month": "DATE", "adjusted_month": "DATE", "cause": "VARCHAR", **_LINE}
JOB_RUN_COLUMNS: Final = {
    "statement_month": "DATE",
    "workspace_id": "VARCHAR",
    "job_run_id": "VARCHAR",
    "billing_date": "DATE",
    "billing_month": "DATE",
    "owner": "VARCHAR",
    "currency": "VARCHAR",
    "price_per_cu_hour": "DECIMAL(18, 10)",
    "cu_hours": _AMOUNT,
    "estimated_cost": _AMOUNT,
    "settlement_cu_hours": _AMOUNT,
    "settlement_adjustment": _AMOUNT,
}
TABLES: Final = {"statements": STATEMENT_COLUMNS, "statement_lines": LINE_COLUMNS, "statement_job_runs": JOB_RUN_COLUMNS}
_EXISTS: Final = "SELECT count(*) FROM information_schema.tables WHERE table_schema = %s AND table_name = 'statements'"


def create_tables(ask: Ask) -> None:
    """Create the dataset and its tables where they are missing."""
    ask(f"CREATE SCHEMA IF NOT EXISTS {STATEMENTS_DATASET}")
    for name, columns in TABLES.items():
        listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        ask(f"CREATE TABLE IF NOT EXISTS {STATEMENTS_DATASET}.{name} ({listed})")


def has_tables(ask: Ask) -> bool:
    """Return whether a month was ever closed."""
    return bool(ask(_EXISTS, STATEMENTS_DATASET)[0][0])


def rows_of(ask: Ask, columns: dict[str, str], table: str, condition: str, *values: object) -> list[dict[str, Any]]:
    """Return rows of a table, each as its values by column."""
    asked = f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}"  # noqa: S608  # names of ours
    return [dict(zip(columns, row, strict=True)) for row in ask(asked, *values)]
