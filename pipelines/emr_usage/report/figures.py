"""The figures of a report: what the marts answer, and what follows from several answers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import resources
from statistics import median
from typing import Any, Final

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from emr_usage.build import MARTS_DATASET
from emr_usage.builds import BuildRecord
from emr_usage.errors import BuildError
from emr_usage.matches import RATES_SQL, RULES_SQL, SET_ASIDE_SQL, Matches, find_matches, set_aside_sentences
from emr_usage.query import query_rows, reading_marts

from .missing import what_is_missing
from .month import Month

Row = dict[str, Any]

# What is called slower, long and near: shown beside the figures.
SLOWER: Final = Decimal("1.5")
SLOW_SECONDS: Final = 60
ENOUGH_RUNS: Final = 5
LONG_SECONDS: Final = 86_400
_OF_MARTS: Final = re.compile(rf"{MARTS_DATASET}\.\w+")
UNALLOCATED: Final = "unallocated"
_FOLDER: Final = resources.files(__package__).joinpath("queries")


@dataclass(frozen=True)
class QueryResult:
    """A query and its answer.

    Attributes:
        sql: as it was sent.
        rows: the answer.
    """

    sql: str
    rows: list[Row]

    @property
    def tables(self) -> list[str]:
        """The marts it reads."""
        return sorted(set(_OF_MARTS.findall(self.sql)))


@dataclass
class Owner:
    """What an owner used and is estimated to cost, in the month and in the one before.

    Attributes:
        name: path of the owner, or unallocated.
        cu_hours: used in the month.
        cu_hours_unpriced: the part of them that no rate prices.
        costs: estimated cost of the month by currency.
        costs_before: that of the month before.
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
        days: how long the month is, or is loaded.
    """

    cu_hours: Decimal
    cu_hours_unpriced: Decimal
    cu_hours_unallocated: Decimal
    costs: dict[str, Decimal]
    costs_unallocated: dict[str, Decimal]
    cu_hours_unallocated_unpriced: Decimal
    days: Decimal


@dataclass(frozen=True)
class Coverage:
    """How much of a month is certified, for a workspace and axis.

    Attributes:
        workspace_id: the workspace.
        axis: start or end.
        share: certified part of the month up to now, 0 to 1.
        gaps: the parts of it that are not, UTC.
    """

    workspace_id: str
    axis: str
    share: float
    gaps: list[tuple[datetime, datetime]]


@dataclass(frozen=True)
class Figures:
    """All a report tells.

    Attributes:
        month: it is about.
        build: the build they are of.
        made_at: when it was made, UTC.
        loaded_until: how far a month that is under way is loaded, UTC: its beginning where nothing is; None for one that is over.
        asked: every query with its answer, by name.
        total: of the month.
        total_before: of the month before.
        owners: by cost, the highest first.
        coverage: of the month.
        coverage_before: of the month before.
        workspace_names: by id.
        matches: what each rate and owner rule matched, in all loaded history.
        set_aside: sentences on the figures that cannot be true and are in no sum.
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
        """By which its days are cut."""
        return self.build.billing_time_zone

    @property
    def currencies(self) -> list[str]:
        """Those the month is priced in, the one of most CU-hours first."""
        used: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.asked["totals"].rows:
            if row["billing_month"] == self.month.first and row["currency"]:
                used[row["currency"]] += row["cu_hours"]
        return sorted(used, key=lambda currency: (-used[currency], currency))

    @property
    def is_certified(self) -> bool:
        """Whether all that ran in the month, as far as it is loaded, is known to be here."""
        return bool(self.coverage) and not any(part.gaps for part in self.coverage) and not self.asked["incomplete"].rows

    @property
    def missing(self) -> list[str]:
        """What the month lacks; nothing where it is final."""
        if rows := self.asked["month"].rows:
            return what_is_missing(rows[0], self.billing_time_zone)
        return [] if self.is_certified and not self.loaded_until else ["what is not certified"]

    @property
    def month_status(self) -> str:
        """Whether its figures may still change: provisional or final."""
        return "provisional" if self.missing else "final"

    @property
    def ended_without_usage(self) -> int:
        """Ended runs of the month without a figure."""
        return sum(int(row["ended_runs_without_usage"]) for row in self.asked["month"].rows)

    @property
    def is_certified_before(self) -> bool:
        """Whether all that ran in the month before is known to be here."""
        return bool(self.coverage_before) and not any(part.gaps for part in self.coverage_before)

    @property
    def is_comparable(self) -> bool:
        """Whether every run submitted in the month before is here: less would make this month look dear."""
        submitted = [part for part in self.coverage_before if part.axis == "start"]
        return bool(submitted) and not any(part.gaps for part in submitted)

    @property
    def months(self) -> list[Month]:
        """Months with use."""
        return [Month(row["billing_month"]) for row in self.asked["months"].rows]

    @property
    def median_seconds_to_recovery(self) -> float | None:
        """Half of the chains that recovered did so in less."""
        known = [row["seconds_to_recovery"] for row in self.asked["recoveries"].rows if row["recovered_at"]]
        return float(median(known)) if known else None


def read_billing_time_zone(pipeline: dlt.Pipeline) -> str:
    """Return the zone the marts were made with.

    Raises:
        BuildError: the marts are not made yet.
    """
    with reading_marts(pipeline) as (_, build):
        return build.billing_time_zone


def read_figures(pipeline: dlt.Pipeline, month: Month, made_at: datetime) -> Figures:
    """Return what the marts say about a month.

    Args:
        pipeline: whose destination has the marts.
        month: by the calendar of the bill.
        made_at: the present, UTC.

    Raises:
        BuildError: the marts are not made yet.
    """
    with reading_marts(pipeline) as (client, build):
        zone = build.billing_time_zone
        from_utc, until_utc = month.bounds(zone)
        before_utc, _ = month.previous.bounds(zone)
        values = {
            "marts": MARTS_DATASET,
            "first": month.first,
            "previous": month.previous.first,
            "next": month.next.first,
            "week_before": month.first - timedelta(days=7),
            "before_utc": before_utc.isoformat(sep=" "),
            "from_utc": from_utc.isoformat(sep=" "),
            "until_utc": until_utc.isoformat(sep=" "),
            "slower": SLOWER,
            "slow_seconds": SLOW_SECONDS,
            "enough_runs": ENOUGH_RUNS,
            "long_seconds": LONG_SECONDS,
        }
        names = sorted(file.name.removesuffix(".sql") for file in _FOLDER.iterdir())
        asked = {name: _ask(client, _query(name).format(**values)) for name in names}
        asked |= {"rate_matches": _ask(client, RATES_SQL), "owner_rule_matches": _ask(client, RULES_SQL)}
        asked["set_aside"] = _ask(client, SET_ASIDE_SQL.strip())
        matches = find_matches(client, asked["rate_matches"].rows, asked["owner_rule_matches"].rows)
    # A month that is under way is held to what is loaded of it, which the page tells; one that is over, to all of it.
    loaded = [row["certified_until"] for row in asked["certified"].rows if row["certified_until"] > from_utc]
    known_until = until_utc if until_utc <= made_at else min([until_utc, max(loaded, default=from_utc)])
    return Figures(
        month,
        build,
        made_at,
        known_until if known_until < until_utc else None,
        asked,
        _total(asked, month, known_until - from_utc),
        _total(asked, month.previous, from_utc - before_utc),
        _owners(asked["owners"].rows),
        _coverage(asked, from_utc, known_until),
        _coverage(asked, before_utc, from_utc),
        _workspace_names(asked["workspaces"].rows),
        matches,
        set_aside_sentences(asked["set_aside"].rows),
    )


def _query(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8").strip()


def _ask(client: SqlClientBase[Any], sql: str) -> QueryResult:
    try:
        return QueryResult(sql, query_rows(client, sql))
    except DatabaseException as error:
        raise BuildError("The marts are not whole, or of another version. Make them again: emr-usage build.") from error


def _workspace_names(rows: Sequence[Row]) -> dict[str, str]:
    """Return the names of the workspaces; one that several have does not tell them apart without the id."""
    times = Counter(row["workspace_name"] for row in rows)
    names = {row["workspace_id"]: row["workspace_name"] for row in rows if row["workspace_name"]}
    return {key: name if times[name] == 1 else f"{name} ({key})" for key, name in names.items()}


def _total(asked: Mapping[str, QueryResult], month: Month, length: timedelta) -> Total:
    rows = [row for row in asked["totals"].rows if row["billing_month"] == month.first]

    def of_all(column: str) -> Decimal:
        return sum((row[column] for row in rows), Decimal(0))

    return Total(
        of_all("cu_hours"),
        of_all("cu_hours_unpriced"),
        of_all("cu_hours_unallocated"),
        {row["currency"]: row["estimated_cost"] for row in rows if row["currency"]},
        {row["currency"]: cost for row in rows if row["currency"] and (cost := row["estimated_cost_unallocated"]) is not None},
        of_all("cu_hours_unallocated_unpriced"),
        Decimal(length // timedelta(seconds=1)) / 86_400,
    )


def _owners(rows: Sequence[Row]) -> list[Owner]:
    owners: dict[str, Owner] = {}
    for row in rows:
        owner = owners.setdefault(row["owner"], Owner(row["owner"]))
        owner.cu_hours += row["cu_hours"]
        owner.cu_hours_unpriced += row["cu_hours_unpriced"]
        for costs, column in ((owner.costs, "estimated_cost"), (owner.costs_before, "estimated_cost_before")):
            if row["currency"] and row[column] is not None:
                costs[row["currency"]] = row[column]
    return sorted(
        owners.values(), key=lambda owner: (-max(owner.costs.values(), default=Decimal(0)), -owner.cu_hours, owner.name)
    )


def _coverage(asked: Mapping[str, QueryResult], first: datetime, after: datetime) -> list[Coverage]:
    if after <= first:
        return []
    # One that nobody asked for since is not missed.
    known = {row["workspace_id"] for row in asked["workspaces"].rows if row["last_asked_at"] and row["last_asked_at"] >= first}
    found = []
    for workspace_id in sorted(known):
        for axis in ("start", "end"):
            gaps, reached = [], first
            for row in asked["certified"].rows:
                if (row["workspace_id"], row["axis"]) != (workspace_id, axis) or row["certified_from"] >= after:
                    continue
                if row["certified_from"] > reached:
                    gaps.append((reached, min(row["certified_from"], after)))
                reached = max(reached, min(row["certified_until"], after))
            if reached < after:
                gaps.append((reached, after))
            missing = sum((until - since for since, until in gaps), timedelta())
            found.append(Coverage(workspace_id, axis, 1 - missing / (after - first), gaps))
    return found
