"""What new rates or owner rules would change: a build with them that is rolled back, compared with one without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from .billing_time_zone import checked_time_zone
from .build import MARTS_DATASET, open_build
from .builds import Ask, BuildRecord
from .errors import InvalidInputsError
from .inputs import INPUT_TABLES, input_rows
from .lock import Wait, exclusive
from .pipeline import RAW_DATASET, open_pipeline
from .statements.tables import STATEMENTS_DATASET, has_tables
from .target import Target

_CHARGES: Final = f"""
SELECT billing_month, owner, currency, sum(cu_hours), sum(estimated_cost)
FROM {MARTS_DATASET}.chargeback_monthly GROUP BY billing_month, owner, currency
"""  # noqa: S608  # names of ours
_CLOSED: Final = f"SELECT billing_month FROM {STATEMENTS_DATASET}.statements"  # noqa: S608
_EXISTS: Final = "SELECT count(*) FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
_TYPES: Final[Mapping[Any, str]] = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.date32(): "DATE",
    pa.decimal128(18, 10): "DECIMAL(18, 10)",
}
# PostgreSQL drops the lock of a closed connection a moment later.
_NEXT_BUILD: Final = Wait(30, lambda _: None)


@dataclass(frozen=True)
class Change:
    """What would change for an owner in a month and a currency.

    Attributes:
        billing_month: first day of the month.
        owner: who pays, or unallocated.
        currency: of the cost; None of unpriced use.
        cu_hours, cu_hours_after: CU-hours now, and with the new inputs.
        estimated_cost, estimated_cost_after: their cost; 0 without any.
        is_closed: whether the change would be an adjustment, as the month is closed.
    """

    billing_month: date
    owner: str
    currency: str | None
    cu_hours: Decimal
    cu_hours_after: Decimal
    estimated_cost: Decimal
    estimated_cost_after: Decimal
    is_closed: bool

    @property
    def cost_change(self) -> Decimal:
        """The difference of the costs."""
        return self.estimated_cost_after - self.estimated_cost

    @property
    def cu_hours_change(self) -> Decimal:
        """The difference of the CU-hours."""
        return self.cu_hours_after - self.cu_hours


_Key = tuple[date, str, str | None]
_Charges = dict[_Key, tuple[Decimal, Decimal]]


def diff_inputs(target: Target, files: Mapping[str, Path], billing_time_zone: str | None = None) -> list[Change]:
    """Return what new inputs would change in the chargeback, by month, owner and currency. Nothing is written.

    Args:
        target: where the raw tables are.
        files: the new file of `rates`, of `owners`, or of both; a table without one stays as it is loaded.
        billing_time_zone: time zone of billing days and months; None for the setting.

    Raises:
        InvalidInputsError: with every problem of the files.
        BuildError: a build failed, with or without them.
        CheckSettingsError, BusyError: as of a build.
    """
    rows = {table: _read(table, path) for table, path in files.items()}
    zone = checked_time_zone(billing_time_zone)
    pipeline = open_pipeline(target)

    def replace_inputs(ask: Ask, _: BuildRecord | None) -> None:
        for table, new in rows.items():
            _replace(ask, table, new)

    with exclusive(pipeline, target.wait):
        # Runs that were loaded since the last build are in both.
        with open_build(pipeline, zone) as made:
            ask = made.transaction.ask
            before = _charges(ask)
            closed = {month for (month,) in ask(_CLOSED)} if has_tables(ask) else set()
        with open_build(pipeline, zone, prepare=replace_inputs, wait=_NEXT_BUILD) as made:
            after = _charges(made.transaction.ask)
    return _changes(before, after, closed)


def _read(table: str, path: Path) -> list[dict[str, Any]]:
    rows, problems = input_rows(table, path.read_bytes())
    if problems:
        raise InvalidInputsError([str(problem) for problem in problems], path)
    return rows


def _replace(ask: Ask, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = {field.name: _TYPES[field.type] for field in INPUT_TABLES[table].schema}
    name = f"{RAW_DATASET}.{table}"
    if ask(_EXISTS, RAW_DATASET, table)[0][0]:
        ask(f"DELETE FROM {name}")  # noqa: S608  # names of ours
    else:
        ask(f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})")
    insert = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608
    for row in rows:
        ask(insert, *(row[column] for column in columns))


def _charges(ask: Ask) -> _Charges:
    nothing = Decimal(0)
    return {(month, owner, currency): (used, cost or nothing) for month, owner, currency, used, cost in ask(_CHARGES)}


def _changes(before: _Charges, after: _Charges, closed: set[date]) -> list[Change]:
    nothing = (Decimal(0), Decimal(0))
    changes = []
    for key in sorted({*before, *after}, key=lambda key: (key[0], key[2] or "", key[1])):
        (used, cost), (used_after, cost_after) = before.get(key, nothing), after.get(key, nothing)
        if (used, cost) != (used_after, cost_after):
            changes.append(Change(*key, used, used_after, cost, cost_after, key[0] in closed))
    return changes
