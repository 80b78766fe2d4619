"""Reads the statement of a month: of a closed one what was frozen, of an open one what it would be now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import dlt

from emr_usage.build import MARTS_DATASET
from emr_usage.builds import Ask
from emr_usage.errors import StatementError
from emr_usage.query import query_rows, reading_marts
from emr_usage.report import Month

from .statement import Statement, in_order
from .tables import LINE_COLUMNS, STATEMENT_COLUMNS, STATEMENTS_DATASET, has_tables, rows_of

_USE: Final = ", ".join(name for name in LINE_COLUMNS if name not in {"billing_month", "adjusted_month", "cause"})
_OPEN_LINES: Final = f"""
SELECT NULL AS adjusted_month, NULL AS cause, {_USE} FROM {MARTS_DATASET}.chargeback_monthly WHERE billing_month = %s
UNION ALL
SELECT adjusted_month, cause, {_USE} FROM {MARTS_DATASET}.chargeback_adjustments WHERE booked_month = %s AND NOT is_frozen
"""  # noqa: S608  # names of ours
_STATUS: Final = f"SELECT month_status FROM {MARTS_DATASET}.billing_months WHERE billing_month = %s"  # noqa: S608
_LATER: Final = f"""
SELECT booked_month, is_frozen, cause, currency, sum(cu_hours) AS cu_hours, sum(estimated_cost) AS estimated_cost
FROM {MARTS_DATASET}.chargeback_adjustments WHERE adjusted_month = %s
GROUP BY booked_month, is_frozen, cause, currency ORDER BY booked_month, cause, currency
"""  # noqa: S608


@dataclass(frozen=True)
class MonthStatement:
    """What is to be invoiced for a month.

    Attributes:
        month: the month.
        month_status: final or provisional, by the present marts; None without runs.
        statement: what was frozen; None of an open month.
        lines: those of the statement, or what it would have now.
        later: adjustments of the month that are booked in later ones, by month, cause and currency.
    """

    month: Month
    month_status: str | None
    statement: Statement | None
    lines: Sequence[Any]
    later: Sequence[dict[str, Any]]


def find_statement(ask: Ask, month: Month) -> Statement | None:
    """Return the statement of a month, or None if it is open.

    Raises:
        StatementError: it was changed after the month was closed.
    """
    if not has_tables(ask):
        return None
    headers = rows_of(ask, STATEMENT_COLUMNS, f"{STATEMENTS_DATASET}.statements", "billing_month = %s", month.first)
    if not headers:
        return None
    columns = {name: kind for name, kind in LINE_COLUMNS.items() if name != "billing_month"}
    lines = rows_of(ask, columns, f"{STATEMENTS_DATASET}.statement_lines", "billing_month = %s", month.first)
    header = {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in headers[0].items()}
    closed_with = header.pop("content_sha256")
    statement = Statement(header, in_order(lines))
    if len(headers) > 1 or statement.sha256 != closed_with:
        raise StatementError(
            f"The statement of {month.label} was changed after the month was closed: the SHA-256 of its content is"
            f" {statement.sha256}, and it was closed with {closed_with}. Restore {STATEMENTS_DATASET} from a backup.",
            "StatementChanged",
        )
    return statement


def read_statement(pipeline: dlt.Pipeline, month: Month) -> MonthStatement:
    """Return what is to be invoiced for a month.

    Raises:
        StatementError: its statement was changed after it was closed.
        BuildError: the marts are not built yet.
    """
    with reading_marts(pipeline) as (client, _):

        def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
            return [tuple(row.values()) for row in query_rows(client, sql, *values)]

        statement = find_statement(ask, month)
        status = ask(_STATUS, month.first)
        lines = statement.lines if statement else in_order(query_rows(client, _OPEN_LINES, month.first, month.first))
        later = query_rows(client, _LATER, month.first)
        return MonthStatement(month, status[0][0] if status else None, statement, lines, later)
