"""A closed October, small enough to check by hand: each workspace has a different change after closing."""

from __future__ import annotations

from datetime import date
from typing import Any

from emr_usage.report import Month
from mart_cases import window
from mart_fixtures import READ_AT, Row, billing, job_run, number

OCTOBER, NOVEMBER, DECEMBER = (Month(date(2026, month, 1)) for month in (10, 11, 12))
NOW = billing("2026-12-20 00:00")
WORKSPACES = ("same", "use", "gone", "rate", "currency", "owner", "all")


def run(workspace: str, name: str = "run", **fields: object) -> Row:
    """Return a run of 10 CU-hours on October 5."""
    usual = job_run(name, billing("2026-10-05 00:00"), billing("2026-10-05 01:00"), 10, workspace_id=workspace)
    return usual | fields


def rates(**of_workspaces: Row) -> list[Row]:
    """Return a rate of USD 0.10 for each workspace, or what is given."""
    usual = {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.10", "valid_from": date(2026, 1, 1)}
    rows = [usual | {"workspace_id": name, "source": "p. 1"} | of_workspaces.get(name, {}) for name in WORKSPACES]
    return number([row | {"price_kind": "contracted"} for row in rows], "row_number")


def owners(**of_workspaces: str) -> list[Row]:
    """Return a rule that gives each workspace to growth, or to whom is given."""
    return number([{"workspace_id": name, "owner": of_workspaces.get(name, "growth")} for name in WORKSPACES], "rule_number")


SECOND = run("currency", "second", cu_hours=4, submit_time=billing("2026-10-06 00:00"), end_time=billing("2026-10-06 01:00"))
AFTER = run("same", "after", submit_time=billing("2026-11-05 00:00"), end_time=billing("2026-11-05 01:00"))
# One of its two CU-hours is in October.
LATE = run("use", "late", cu_hours=2, submit_time=billing("2026-10-31 23:30"), end_time=billing("2026-11-01 00:30"))
TABLES: dict[str, list[Row]] = {
    "job_runs": [*map(run, WORKSPACES), SECOND, AFTER],
    "extraction_windows": [
        window("2026-08-31 16:00", "2026-12-31 16:00", axis=axis, finished_at=READ_AT, workspace_id=workspace)
        for axis in ("start", "end")
        for workspace in WORKSPACES
    ],
    "rates": rates(),
    "owners": owners(),
}
CHANGED = {
    "job_runs": [
        *(run(name) for name in WORKSPACES if name not in {"use", "gone", "all"}),
        *(run(name, cu_hours=12, observed_at=NOW) for name in ("use", "all")),
        *(SECOND, AFTER, LATE),
    ],
    "rates": rates(
        rate={"price_per_cu_hour": "0.15"},
        currency={"price_per_cu_hour": "0.50", "currency": "CNY", "valid_from": date(2026, 10, 6)},
        all={"price_per_cu_hour": "0.15"},
    ),
    "owners": owners(owner="marketing", all="marketing"),
}
# Workspace, cause, owner, currency, CU-hours, cost.
ADJUSTMENTS: list[tuple[Any, ...]] = [
    # 2 CU-hours more at the frozen rate, then 12 at 0.05 more, then all to another owner.
    ("all", "late_figures", "growth", "USD", "2", "0.2"),
    ("all", "owner", "growth", "USD", "-12", "-1.8"),
    ("all", "owner", "marketing", "USD", "12", "1.8"),
    ("all", "rate", "growth", "USD", "0", "0.6"),
    # Now without a rate on October 5, and in another currency on the 6th.
    ("currency", "rate", "growth", "CNY", "4", "2"),
    ("currency", "rate", "growth", "USD", "-14", "-1.4"),
    ("currency", "rate", "growth", None, "10", None),
    ("gone", "late_figures", "growth", "USD", "-10", "-1"),
    ("owner", "owner", "growth", "USD", "-10", "-1"),
    ("owner", "owner", "marketing", "USD", "10", "1"),
    ("rate", "rate", "growth", "USD", "0", "0.5"),
    ("use", "late_figures", "growth", "USD", "3", "0.3"),
]
