"""Reads the figures of a report from the marts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import resources
from typing import Any, Final

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from emr_usage.build import MARTS_DATASET
from emr_usage.errors import BuildError
from emr_usage.matches import RATES_SQL, RULES_SQL, SET_ASIDE_SQL, find_matches, set_aside_sentences
from emr_usage.query import query_rows, reading_marts

from .coverage import Row, find_coverage
from .figures import ENOUGH_RUNS, LONG_SECONDS, SLOW_SECONDS, SLOWER, Figures, Owner, QueryResult, Total
from .month import Month

_FOLDER: Final = resources.files(__package__).joinpath("queries")


def read_billing_time_zone(pipeline: dlt.Pipeline) -> str:
    """Return the time zone that the marts were built with.

    Raises:
        BuildError: the marts are not built yet.
    """
    with reading_marts(pipeline) as (_, build):
        return build.billing_time_zone


def read_figures(pipeline: dlt.Pipeline, month: Month, made_at: datetime) -> Figures:
    """Return the figures of a month from the marts.

    Args:
        pipeline: whose destination has the marts.
        month: in the billing time zone.
        made_at: the current time, UTC.

    Raises:
        BuildError: the marts are not built yet.
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
    # The current month counts up to where it is loaded, which the page shows; a past month counts as a whole.
    workspaces, certified = asked["workspaces"].rows, asked["certified"].rows
    loaded = [row["certified_until"] for row in certified if row["certified_until"] > from_utc]
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
        find_coverage(workspaces, certified, from_utc, known_until),
        find_coverage(workspaces, certified, before_utc, from_utc),
        _workspace_names(workspaces),
        matches,
        set_aside_sentences(asked["set_aside"].rows),
    )


def _query(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8").strip()


def _ask(client: SqlClientBase[Any], sql: str) -> QueryResult:
    try:
        return QueryResult(sql, query_rows(client, sql))
    except DatabaseException as error:
        raise BuildError("The marts are incomplete or of another version. Build them again: emr-usage build.") from error


def _workspace_names(rows: Sequence[Row]) -> dict[str, str]:
    """Return the names of the workspaces; a name that several share is followed by the id."""
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
