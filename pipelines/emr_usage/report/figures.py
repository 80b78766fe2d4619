"""The figures of a report: the results of the queries, and what follows from several of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Final

from emr_usage.build import MARTS_DATASET
from emr_usage.builds import BuildRecord
from emr_usage.matches import Matches

from .coverage import Coverage, Row
from .missing import what_is_missing
from .month import Month

# What counts as slower and as long-running; shown beside the figures.
SLOWER: Final = Decimal("1.5")
SLOW_SECONDS: Final = 60
ENOUGH_RUNS: Final = 5
LONG_SECONDS: Final = 86_400
_OF_MARTS: Final = re.compile(rf"{MARTS_DATASET}\.\w+")
UNALLOCATED: Final = "unallocated"


@dataclass(frozen=True)
class QueryResult:
    """A query and its result.

    Attributes:
        sql: as it was sent.
        rows: the result.
    """

    sql: str
    rows: list[Row]

    @property
    def tables(self) -> list[str]:
        """The marts it reads."""
        return sorted(set(_OF_MARTS.findall(self.sql)))


@dataclass
class Owner:
    """Usage and estimated cost of an owner, in the month and in the previous one.

    Attributes:
        name: the owner, with its parents, or unallocated.
        cu_hours: used in the month.
        cu_hours_unpriced: the part without a rate.
        costs: estimated cost of the month by currency.
        costs_before: that of the previous month.
    """

    name: str
    cu_hours: Decimal = Decimal(0)
    cu_hours_unpriced: Decimal = Decimal(0)
    costs: dict[str, Decimal] = field(default_factory=dict)
    costs_before: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Total:
    """Sums of a month.

    Attributes:
        cu_hours: used.
        cu_hours_unpriced: of them, without a rate.
        cu_hours_unallocated: of them, without an owner.
        costs: estimated cost by currency.
        costs_unallocated: of it, without an owner.
        cu_hours_unallocated_unpriced: without an owner and without a rate.
        days: length of the month, or of its loaded part.
    """

    cu_hours: Decimal
    cu_hours_unpriced: Decimal
    cu_hours_unallocated: Decimal
    costs: dict[str, Decimal]
    costs_unallocated: dict[str, Decimal]
    cu_hours_unallocated_unpriced: Decimal
    days: Decimal


@dataclass(frozen=True)
class Figures:
    """Everything that a report shows.

    Attributes:
        month: of the report.
        build: of the marts.
        made_at: when the report was made, UTC.
        loaded_until: how far the current month is loaded, UTC: its beginning where nothing is; None for a past month.
        asked: every query with its result, by name.
        total: of the month.
        total_before: of the previous month.
        owners: by cost, the highest first.
        coverage: of the month.
        coverage_before: of the previous month.
        workspace_names: by id.
        matches: what each rate and owner rule matched, in all loaded history.
        set_aside: sentences about the figures that cannot be true and are in no sum.
    """

    month: Month
    build: BuildRecord
    made_at: datetime
    loaded_until: datetime | None
    asked: Mapping[str, QueryResult]
    total: Total
    total_before: Total
    owners: list[Owner]
    coverage: list[Coverage]
    coverage_before: list[Coverage]
    workspace_names: dict[str, str]
    matches: Matches
    set_aside: list[str]

    @property
    def billing_time_zone(self) -> str:
        """The time zone of its days."""
        return self.build.billing_time_zone

    @property
    def currencies(self) -> list[str]:
        """The currencies of the month, the one with the most CU-hours first."""
        used: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.asked["totals"].rows:
            if row["billing_month"] == self.month.first and row["currency"]:
                used[row["currency"]] += row["cu_hours"]
        return sorted(used, key=lambda currency: (-used[currency], currency))

    @property
    def is_certified(self) -> bool:
        """Whether the month, as far as it is loaded, is complete."""
        return bool(self.coverage) and not any(part.gaps for part in self.coverage) and not self.asked["incomplete"].rows

    @property
    def missing(self) -> list[str]:
        """What the month lacks; empty where it is final."""
        if rows := self.asked["month"].rows:
            return what_is_missing(rows[0], self.billing_time_zone)
        return [] if self.is_certified and not self.loaded_until else ["what is not certified"]

    @property
    def month_status(self) -> str:
        """Whether its figures may still change: provisional or final."""
        return "provisional" if self.missing else "final"

    @property
    def ended_without_usage(self) -> int:
        """Number of ended runs of the month without figures."""
        return sum(int(row["ended_runs_without_usage"]) for row in self.asked["month"].rows)

    @property
    def is_certified_before(self) -> bool:
        """Whether the previous month is complete."""
        return bool(self.coverage_before) and not any(part.gaps for part in self.coverage_before)

    @property
    def is_comparable(self) -> bool:
        """Whether every run submitted in the previous month is loaded: otherwise this month would look expensive."""
        submitted = [part for part in self.coverage_before if part.axis == "start"]
        return bool(submitted) and not any(part.gaps for part in submitted)

    @property
    def months(self) -> list[Month]:
        """Months with usage."""
        return [Month(row["billing_month"]) for row in self.asked["months"].rows]

    @property
    def median_seconds_to_recovery(self) -> float | None:
        """Median time to recovery of the chains that recovered, seconds."""
        known = [row["seconds_to_recovery"] for row in self.asked["recoveries"].rows if row["recovered_at"]]
        return float(median(known)) if known else None
