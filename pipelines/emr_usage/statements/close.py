"""Closes a month: freezes its statement, and builds the marts that show it, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from typing import Any, Final

from emr_usage.build import INTERMEDIATE_DATASET, MARTS_DATASET, BuildResult, build
from emr_usage.builds import Ask, BuildRecord
from emr_usage.errors import BuildError, StatementError
from emr_usage.report import Month, what_is_missing
from emr_usage.target import Target

from .read import find_statement
from .statement import Statement, canonical, sha256_of
from .tables import JOB_RUN_COLUMNS, LINE_COLUMNS, STATEMENT_COLUMNS, STATEMENTS_DATASET, create_tables, rows_of

_RATES: Final = (
    *("rate_row_number", "region_id", "workspace_id", "resource_queue_id", "currency", "price_per_cu_hour"),
    *("rate_kind", "valid_from", "valid_to", "rate_source"),
)
_OWNERS: Final = (
    *("rule_number", "owner", "tag_key", "tag_value", "creator", "resource_queue_id", "workspace_id", "job_name"),
    *("valid_from", "valid_to"),
)
_STATUS: Final = (
    *("certified_until", "is_certified", "incomplete_windows", "open_runs", "open_runs_without_usage", "ended_runs_awaited"),
)
_LAST: Final = f"SELECT max(billing_month) FROM {STATEMENTS_DATASET}.statements"  # noqa: S608  # names of ours
_NEXT: Final = f"SELECT min(billing_month) FROM {MARTS_DATASET}.billing_months WHERE billing_month > %s"  # noqa: S608
_MODELS: Final = f"SELECT split_version FROM {MARTS_DATASET}.int_input_versions"  # noqa: S608
# Null in every row where the setting is false.
_IS_SETTLED: Final = f"SELECT count(settlement_cu_hours) = count(*) FROM {MARTS_DATASET}.chargeback_monthly"  # noqa: S608
_OWN_LINES: Final = f"""
INSERT INTO {STATEMENTS_DATASET}.statement_lines
SELECT billing_month, NULL, NULL, owner, workspace_id, currency, cu_hours, cu_hours_unpriced, estimated_cost,
  settlement_cu_hours, settlement_adjustment
FROM {MARTS_DATASET}.chargeback_monthly WHERE billing_month = %s
"""  # noqa: S608
_ADJUSTMENTS: Final = f"""
INSERT INTO {STATEMENTS_DATASET}.statement_lines
SELECT %s, adjusted_month, cause, owner, workspace_id, currency, cu_hours, cu_hours_unpriced, estimated_cost,
  settlement_cu_hours, settlement_adjustment
FROM {MARTS_DATASET}.chargeback_adjustments WHERE NOT is_frozen
"""  # noqa: S608
_FROZEN: Final = ", ".join(name for name in JOB_RUN_COLUMNS if name != "statement_month")
_JOB_RUNS: Final = f"""
INSERT INTO {STATEMENTS_DATASET}.statement_job_runs
SELECT %s, {_FROZEN} FROM {INTERMEDIATE_DATASET}.int_job_run_days WHERE billing_month = %s
UNION ALL
SELECT %s, {_FROZEN} FROM {MARTS_DATASET}.adjusted_job_runs
"""  # noqa: S608


@dataclass
class _Closing:
    """The closing of a month in the transaction of a build.

    Attributes:
        month: to close.
        now: the time.
        reason: to close it although something is missing; None without one.
    """

    month: Month
    now: datetime
    reason: str | None

    def freeze(self, ask: Ask, last_build: BuildRecord | None) -> None:
        """Write the statement of the month from the marts of the last build."""
        if last_build is None:
            raise BuildError("The marts are not built yet. Build them first: emr-usage build.")
        create_tables(ask)
        self._require_turn(ask)
        status = rows_of(ask, dict.fromkeys(_STATUS, ""), f"{MARTS_DATASET}.billing_months", "billing_month = %s", self.first)
        if not status:
            raise StatementError(
                f"No job run of {self.month.label} is in the marts, so there is nothing to close.", "NoSuchMonth"
            )
        missing = self._missing(status[0], last_build.billing_time_zone)
        ask(_OWN_LINES, self.first)
        ask(_ADJUSTMENTS, self.first)
        ask(_JOB_RUNS, self.first, self.first, self.first)
        header = {
            "billing_month": self.first,
            "closed_at": self.now,
            "reason": self.reason,
            "missing": "; ".join(missing) or None,
            "version": version("emr-usage"),
            "build_number": last_build.build_number,
            "built_at": last_build.built_at,
            "horizon": last_build.horizon,
            "certified_until": status[0]["certified_until"],
            "inputs_version": last_build.inputs_version,
            "rates_sha256": _digest(ask, "stg_rates", _RATES),
            "owners_sha256": _digest(ask, "stg_owners", _OWNERS),
            "billing_time_zone": last_build.billing_time_zone,
            "models_version": ask(_MODELS)[0][0],
            "settlement_adjustment": ask(_IS_SETTLED)[0][0],
        }
        columns = {name: kind for name, kind in LINE_COLUMNS.items() if name != "billing_month"}
        lines = rows_of(ask, columns, f"{STATEMENTS_DATASET}.statement_lines", "billing_month = %s", self.first)
        values = [*header.values(), Statement(header, lines).sha256]
        places = ", ".join(["%s"] * len(STATEMENT_COLUMNS))
        ask(f"INSERT INTO {STATEMENTS_DATASET}.statements VALUES ({places})", *values)  # noqa: S608  # names of ours

    @property
    def first(self) -> date:
        """The month's first day."""
        return self.month.first

    def _require_turn(self, ask: Ask) -> None:
        """Check that it is the month's turn: adjustments are booked in the first month after the last closed one."""
        if found := find_statement(ask, self.month):
            at = f"{found.header['closed_at']:%Y-%m-%d %H:%M}"
            sentence = f"{self.month.label} is already closed, since {at} UTC, with the SHA-256 {found.sha256}."
            raise StatementError(f"{sentence} Changes since then are in emr_marts.chargeback_adjustments.", "AlreadyClosed")
        last = ask(_LAST)[0][0]
        turn = ask(_NEXT, last)[0][0] if last else None
        if last and self.first < last:
            sentence = f"{self.month.label} cannot be closed, because the later {Month(last).label} is closed already."
            raise StatementError(f"{sentence} Months are closed in order.", "NotInOrder")
        if turn and turn < self.first:
            sentence = f"{self.month.label} cannot be closed, because the earlier {Month(turn).label} is open."
            raise StatementError(f"{sentence} Close that first: emr-usage close --month {Month(turn)}.", "NotInOrder")

    def _missing(self, status: dict[str, Any], zone: str) -> list[str]:
        """Return what the month lacks.

        Raises:
            StatementError: something, and there is no reason to close it anyway.
        """
        _, end = self.month.bounds(zone)
        missing = what_is_missing(status, zone)
        if self.now < end:
            missing.insert(0, f"its end, {end:%Y-%m-%d %H:%M} UTC")
        if missing and self.reason is None:
            sentence = f"{self.month.label} cannot be closed; missing: {', '.join(missing)}."
            advice = "Load and build when it is there, or give --anyway REASON, which the statement will show."
            raise StatementError(f"{sentence} {advice}", "NotComplete")
        return missing


def close_month(target: Target, month: Month, now: datetime, reason: str | None = None) -> BuildResult:
    """Freeze the statement of a month from the marts of the last build, and build the marts, which test it.

    Args:
        target: where the marts are.
        month: to close.
        now: the time.
        reason: to close it although something is missing.

    Raises:
        StatementError: the month is closed already, is not the next one, or lacks something.
        BuildError: there are no marts, or the build failed; nothing is closed then.
        CheckSettingsError, BusyError: as of a build.
    """
    return build(target, prepare=_Closing(month, now, reason).freeze)


def _digest(ask: Ask, table: str, columns: tuple[str, ...]) -> str:
    """Return the SHA-256 of the rows of an input, in the order of its file."""
    rows = ask(f"SELECT {', '.join(columns)} FROM {MARTS_DATASET}.{table} ORDER BY {columns[0]}")  # noqa: S608  # names of ours
    return sha256_of(canonical([dict(zip(columns, row, strict=True)) for row in rows]))
