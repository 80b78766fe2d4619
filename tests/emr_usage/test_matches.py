"""Every rate and rule reports its matches, or suggests a similar name if there are none."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emr_usage.cli import main
from emr_usage.matches import Matches, read_matches
from emr_usage.pipeline import open_pipeline
from emr_usage.report import Month, write_page
from mart_fixtures import MartDatabase, Row, built_mart_db, job_run, number, tag, utc

RUN = job_run("etl_orders_daily", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), 2, creator="2020776467551234")
OTHER = job_run("adhoc", utc("2026-10-03 00:00"), utc("2026-10-03 01:00"), 1, resource_queue_id="fast", workspace_id="w-2")
NO_FIGURE = job_run("etl_returns_daily", utc("2026-10-03 00:00"), utc("2026-10-03 01:00"), None)
RATE: Row = {
    "region_id": "cn-hangzhou",
    "currency": "USD",
    "price_per_cu_hour": "0.05",
    "price_kind": "contracted",
    "source": "p. 1",
}
RATE |= {"valid_from": date(2026, 1, 1)}
RATES = number(
    [
        RATE,
        RATE | {"region_id": "cn-hangzou"},
        RATE | {"workspace_id": "w-3"},
        RATE | {"workspace_id": "Analytics"},
        RATE | {"resource_queue_id": "FAST"},
        RATE | {"workspace_id": "w-2", "valid_from": date(2026, 11, 1), "valid_to": date(2026, 12, 1)},
    ],
    "row_number",
)
OWNERS = number(
    [
        {"owner": "data/orders", "job_name": "etl_*_daily"},
        {"owner": "growth", "tag_key": "team", "tag_value": "grwoth"},
        {"owner": "growth", "tag_key": "taem", "tag_value": "growth"},
        {"owner": "ops", "creator": "2020776467551243"},
        {"owner": "etl", "job_name": "etl-orders*"},
        {"owner": "data/twice", "job_name": "etl_orders*"},
        {"owner": "rest"},
    ],
    "rule_number",
)
TABLES = {
    "job_runs": [RUN, OTHER, NO_FIGURE],
    "job_run_tags": [tag(RUN, "Team", "Growth")],
    "rates": RATES,
    "owners": OWNERS,
    "workspaces": [{"workspace_id": "w-2", "workspace_name": "Analytics", "region_id": "cn-hangzhou"}],
}
RATE_HINTS = {
    2: "region_id 'cn-hangzou' is in no job run; did you mean cn-hangzhou?",
    3: "workspace_id 'w-3' is in no job run; did you mean w-2 or w-1?",
    4: "workspace_id 'Analytics' is in no job run, it is a workspace's name; write its id, w-2.",
    5: "resource_queue_id 'FAST' is in no job run; did you mean fast?",
    6: "no job run used CU-hours there on its dates, or narrower rates price all of them.",
}
RULE_HINTS = {
    2: "tag_value 'grwoth' is in no job run; did you mean growth?",
    3: "tag_key 'taem' is in no job run; did you mean team?",
    4: "creator '2020776467551243' is in no job run; did you mean 2020776467551234?",
    5: "job_name 'etl-orders*' matches no job run; did you mean etl_orders_daily?",
    6: "no job run matches all its columns on its dates, or earlier rules match them first.",
}


@pytest.fixture(scope="module")
def mart_db(tmp_path_factory: pytest.TempPathFactory) -> MartDatabase:
    return built_mart_db(tmp_path_factory.mktemp("mart_db"), **TABLES)


@pytest.fixture(scope="module")
def matches(mart_db: MartDatabase) -> Matches:
    return read_matches(open_pipeline(mart_db.target))


def test_every_rate_reports_its_priced_usage(matches: Matches) -> None:
    first, *others = matches.rates
    assert (first.number, first.says, first.job_runs, first.cu_hours, first.costs) == (
        *(1, "cn-hangzhou: USD 0.05 from 2026-01-01", 2, 3),
        {"USD": Decimal("0.15")},
    )
    assert [(match.number, match.job_runs, match.cu_hours) for match in others] == [(row, 0, 0) for row in range(2, 7)]


def test_every_rule_reports_its_matches_including_runs_without_a_figure(matches: Matches) -> None:
    matched = {
        match.number: (match.says, match.job_runs, match.cu_hours, match.costs) for match in matches.rules if match.job_runs
    }
    assert matched == {
        1: ("data/orders: job_name etl_*_daily", 2, 2, {"USD": Decimal("0.10")}),
        7: ("rest: every run", 1, 1, {"USD": Decimal("0.05")}),
    }
    assert [match.number for match in matches.rules] == list(range(1, 8))


def test_rates_and_rules_without_a_match_suggest_a_similar_name(matches: Matches) -> None:
    assert {match.number: match.hint for match in matches.rates if match.hint} == RATE_HINTS
    assert {match.number: match.hint for match in matches.rules if match.hint} == RULE_HINTS


def test_the_page_lists_all_matches(mart_db: MartDatabase, tmp_path: Path) -> None:
    path, figures = write_page(
        open_pipeline(mart_db.target), Month(date(2026, 10, 1)), tmp_path, datetime(2026, 11, 20, tzinfo=UTC)
    )
    text = path.read_text(encoding="utf-8").replace("&#39;", "'")
    for match in (*figures.matches.rates, *figures.matches.rules):
        assert match.says in text
        assert match.hint in text


def run_build(folder: Path, *options: str) -> Result:
    mart_db = MartDatabase(folder / "emr.duckdb")
    mart_db.write(**TABLES)
    return CliRunner().invoke(main, ["build", "--database", str(mart_db.target.database), *options], terminal_width=80)


def test_build_prints_matches_within_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run_build(tmp_path)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    tables = [
        line for line in lines if "prices nothing" not in line and "matches nothing" not in line and str(tmp_path) not in line
    ]
    assert max(map(len, tables)) <= 80
    for row in (*RATES, *OWNERS):
        assert (row.get("region_id") or row["owner"]) in done.stdout
    assert [f"rates.csv, row {row} prices nothing: {hint}" for row, hint in RATE_HINTS.items()] == [
        line for line in lines if "prices nothing" in line
    ]
    assert [f"owners.csv, rule {row} matches nothing: {hint}" for row, hint in RULE_HINTS.items()] == [
        line for line in lines if "matches nothing" in line
    ]


def test_json_output_includes_matches(tmp_path: Path) -> None:
    facts = json.loads(run_build(tmp_path, "--json").stdout)
    assert [(rate["number"], rate["job_runs"], rate["hint"]) for rate in facts["rates"]][1] == (2, 0, RATE_HINTS[2])
    assert facts["rates"][0]["costs"] == {"USD": "0.150000"}
    assert [rule["number"] for rule in facts["owner_rules"]] == list(range(1, 8))


def test_implausible_figures_are_excluded_and_reported(tmp_path: Path) -> None:
    day = ("2026-10-02 00:00", "2026-10-02 04:00")
    good = job_run("good", utc(day[0]), utc(day[1]), 4)
    negative = job_run("negative", utc(day[0]), utc(day[1]), -4)
    old = job_run("old", utc("1969-12-31 23:00"), utc(day[1]), 4)
    known = {"workspace_id": "w-1", "job_run_id": "good", "state": "Running"}
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(
        job_runs=[good, negative, old, job_run("older", utc("1960-01-01 00:00"), utc(day[1]), None)],
        job_run_observations=[known | {"observed_at": utc("2026-10-02 02:00"), "cu_hours": -10}],
        rates=[RATES[0]],
    )
    done = CliRunner().invoke(main, ["build", "--database", str(mart_db.target.database)])
    assert done.exit_code == 0, done.output
    assert [line for line in done.stdout.splitlines() if "figures_set_aside" in line] == [
        "Job runs dated before 1970, counted as runs without a figure: 1 (see emr_marts.figures_set_aside).",
        "Job runs with negative CU-hours, counted as runs without a figure: 1 (see emr_marts.figures_set_aside).",
        "Observations of open runs with negative CU-hours, left out: 1 (see emr_marts.figures_set_aside).",
    ]
    assert mart_db.ask("SELECT job_run_id, cu_hours, pricing_status FROM job_run_costs ORDER BY 1") == [
        ("good", 4, "priced"),
        *((name, None, "no_usage") for name in ("negative", "old", "older")),
    ]
    assert mart_db.ask("SELECT min(cu_hours), max(cu_hours), sum(cu_hours), min(billing_date) FROM job_run_hours") == [
        (1, 1, 4, date(2026, 10, 2))
    ]
