"""The page of a month: its figures equal those of the marts, and it contains no active content."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from emr_usage.errors import BuildError
from emr_usage.pipeline import open_pipeline
from emr_usage.report import Month, headline, read_billing_time_zone, write_page
from emr_usage.report.figures import Figures, Owner
from mart_cases import TABLES, window
from mart_fixtures import READ_AT, MartDatabase, Row, built_mart_db, job_run, number, tag, utc

OCTOBER = Month(date(2026, 10, 1))
LATER = datetime(2026, 11, 20, 3, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&\u202e{{ 7*7 }}"


class Page(HTMLParser):
    """What is in a page: the names of its elements with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\u00a0", " ")


def make_page(mart_db: MartDatabase, month: Month = OCTOBER, now: datetime = LATER) -> tuple[Page, Figures]:
    path, figures = write_page(open_pipeline(mart_db.target), month, mart_db.target.database.parent / "reports", now)
    return Page(path.read_text(encoding="utf-8")), figures


@pytest.fixture(scope="module")
def mart_db(tmp_path_factory: pytest.TempPathFactory) -> MartDatabase:
    return built_mart_db(tmp_path_factory.mktemp("mart_db"), **TABLES)


def test_totals_equal_those_of_the_marts(mart_db: MartDatabase) -> None:
    _, figures = make_page(mart_db)
    october = "billing_month = DATE '2026-10-01'"
    sums = "sum(cu_hours), sum(cu_hours_unpriced), sum(estimated_cost)"
    assert mart_db.ask(f"SELECT {sums} FROM chargeback_monthly WHERE {october}") == [
        (figures.total.cu_hours, figures.total.cu_hours_unpriced, figures.total.costs["USD"])
    ]
    unallocated = mart_db.ask(f"SELECT sum(cu_hours), sum(estimated_cost) FROM spend_unallocated WHERE {october}")
    assert unallocated == [(figures.total.cu_hours_unallocated, figures.total.costs_unallocated["USD"])]
    assert sum(owner.cu_hours for owner in figures.owners) == figures.total.cu_hours
    assert sum(owner.costs.get("USD", Decimal(0)) for owner in figures.owners) == figures.total.costs["USD"]


def test_the_headline_has_cost_use_and_unpriced_use(mart_db: MartDatabase) -> None:
    _, figures = make_page(mart_db)
    total = figures.total
    told = f"estimated USD {total.costs['USD']:.2f} for {total.cu_hours:.2f} CU-hours, 3.00 CU-hours of it unpriced"
    missing = ", ".join(figures.missing)
    assert headline(figures) == f"October 2026 (provisional): {told}; missing: {missing}"
    assert "figures of 1 ended run" not in missing


def test_every_section_shows_its_tables_and_query(mart_db: MartDatabase) -> None:
    page, figures = make_page(mart_db)
    known = {name for (name,) in mart_db.ask("SELECT table_name FROM information_schema.tables WHERE table_schema = 'emr_marts'")}
    named = set(re.findall(r"emr_marts\.(\w+)", page.text))
    assert named <= known
    shown = {name for name, asked in figures.asked.items() if asked.sql in page.text}
    # These three are for the page's own words: its zone, its names of workspaces and, where there is no use, other months.
    assert set(figures.asked) - shown == {"workspaces", "months"}
    assert all(mart_db.ask(asked.sql) is not None for asked in figures.asked.values())


def test_links_within_the_page_have_a_target(mart_db: MartDatabase) -> None:
    page, _ = make_page(mart_db)
    ends = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    links = {str(attributes["href"]) for name, attributes in page.elements if name == "a"}
    assert links
    assert all(link.startswith("#") and link[1:] in ends for link in links)
    labels = [attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes]
    assert set(labels) <= ends


def test_the_page_runs_no_script_and_fetches_nothing(mart_db: MartDatabase) -> None:
    page, _ = make_page(mart_db)
    names = {name for name, _ in page.elements}
    assert not names & {"script", "iframe", "object", "embed", "form", "link", "img", "base", "image", "use"}
    for _, attributes in page.elements:
        assert not {attribute for attribute in attributes if attribute.startswith("on") or attribute == "src"}
    policy = next(attributes["content"] for name, attributes in page.elements if attributes.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_names_typed_by_users_are_shown_as_text_only(tmp_path: Path) -> None:
    run = job_run(HOSTILE, utc("2026-10-02 00:00"), utc("2026-10-05 00:00"), 3, state="Failed", workspace_id=HOSTILE)
    run |= {"resource_queue_id": HOSTILE, "creator": HOSTILE, "state_change_code": HOSTILE, "state_change_message": HOSTILE}
    owned = job_run("owned", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), 1)
    mart_db = built_mart_db(
        tmp_path,
        job_runs=[run, owned],
        job_run_tags=[tag(owned, "team", "x")],
        rates=number([{**TABLES["rates"][0], "source": HOSTILE, "valid_to": None}], "row_number"),
        owners=number([{"owner": HOSTILE, "tag_key": "team", "tag_value": "x"}], "rule_number"),
        workspaces=[{"workspace_id": "w-1", "workspace_name": HOSTILE, "region_id": "cn-hangzhou"}],
        extraction_windows=[window("2026-10-03 00:00", "2026-10-04 00:00", "failed", error_code=HOSTILE)],
    )
    page, _ = make_page(mart_db)
    assert "script" not in {name for name, _ in page.elements}
    # They are there whole, and are no template either.
    assert page.text.count(HOSTILE) >= 8


def test_creators_who_are_members_are_shown_by_name(tmp_path: Path) -> None:
    submitted, ended = utc("2026-10-02 00:00"), utc("2026-10-02 01:00")
    runs = [job_run(f"run-{uid}", submitted, ended, 1, creator=uid) for uid in ("201", "202", "203")]
    known = {"workspace_id": "w-1", "observed_at": READ_AT}
    members = [
        known | {"user_id": "201", "user_name": "lei@acme", "display_name": f"Li Lei {HOSTILE}"},
        known | {"user_id": "202", "user_name": "mei@acme", "display_name": " "},
        known | {"user_id": "203", "user_name": "other@acme", "display_name": "Somebody else", "workspace_id": "w-2"},
    ]
    page, _ = make_page(built_mart_db(tmp_path, job_runs=runs, members=members))
    assert f"Li Lei {HOSTILE}" in page.text
    assert "mei@acme" in page.text
    assert "203" in page.text
    assert "Somebody else" not in page.text
    assert "script" not in {name for name, _ in page.elements}


def test_a_month_without_use_is_reported_with_the_months_that_have_use(mart_db: MartDatabase) -> None:
    page, figures = make_page(mart_db, Month(date(2025, 1, 1)))
    assert "There is no usage in January 2025." in page.text
    assert "2026-10" in page.text
    assert headline(figures) == "January 2025 (provisional): 0.00 CU-hours; missing: what is not certified"


def test_an_empty_database_produces_a_report(tmp_path: Path) -> None:
    page, _ = make_page(built_mart_db(tmp_path, job_runs=[]))
    assert "No usage is loaded yet" in page.text
    assert "Nothing of the month is certified." in page.text


def test_the_page_of_a_single_run_has_a_chart(tmp_path: Path) -> None:
    mart_db = built_mart_db(tmp_path, job_runs=[job_run("only", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), "0.001")])
    page, figures = make_page(mart_db)
    assert [name for name, _ in page.elements].count("svg") == 1
    assert "Nothing is priced: add your prices to rates.csv." in page.text
    told = "< 0.01 CU-hours, none of it priced"
    assert headline(figures) == f"October 2026 (provisional): {told}; missing: all of it, as nothing is certified"


def test_a_run_without_a_figure_is_counted_among_the_assumptions(tmp_path: Path) -> None:
    mart_db = built_mart_db(tmp_path, job_runs=[job_run("quiet", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), None)])
    page, _ = make_page(mart_db)
    assert "1 runs of the month have no figure of CU-hours" in page.text
    assert "There is no use" not in page.text


def test_amounts_in_two_currencies_are_not_summed(tmp_path: Path) -> None:
    rates = number(
        [
            {**TABLES["rates"][0], "valid_to": None, "price_per_cu_hour": "2"},
            {**TABLES["rates"][0], "valid_to": None, "price_per_cu_hour": "3", "currency": "CNY", "region_id": "cn-beijing"},
        ],
        "row_number",
    )
    runs = [
        job_run("usd", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), 5),
        job_run("cny", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), 7, region_id="cn-beijing"),
    ]
    page, figures = make_page(built_mart_db(tmp_path, job_runs=runs, rates=rates))
    assert figures.currencies == ["CNY", "USD"]
    assert figures.total.costs == {"CNY": Decimal(21), "USD": Decimal(10)}
    assert [name for name, _ in page.elements].count("svg") == 2
    assert "31.00" not in page.text
    assert "Lists by cost rank the numbers of several currencies together" in page.text
    assert figures.owners == [Owner("unallocated", Decimal(12), Decimal(0), {"CNY": Decimal(21), "USD": Decimal(10)}, {})]


def run_of_day(month: int, day: int, cu_hours: int) -> Row:
    return job_run(f"r-{month}-{day}", utc(f"2026-{month:02}-{day:02} 06:00"), utc(f"2026-{month:02}-{day:02} 07:00"), cu_hours)


RATE = number([{**TABLES["rates"][0], "valid_to": None, "price_per_cu_hour": "1"}], "row_number")


@pytest.mark.parametrize(
    ("windows", "says"),
    [
        (
            [window("2026-08-31 16:00", "2026-10-31 16:00")],
            "USD 3.00 a day, +20.0 % against September 2026 (USD 2.50 a day",
        ),
        (
            [window("2026-08-31 16:00", "2026-10-05 16:00"), window("2026-10-06 16:00", "2026-10-31 16:00")],
            "against September 2026 (USD 2.50 a day",
        ),
        ([window("2026-09-01 16:00", "2026-10-31 16:00")], "September 2026 is not loaded whole, so it is no comparison"),
        ([], "September 2026 is not loaded whole, so it is no comparison"),
    ],
)
def test_a_month_is_compared_per_day_and_only_with_a_complete_month(tmp_path: Path, windows: list[Row], says: str) -> None:
    runs = [run_of_day(9, 10, 50), run_of_day(9, 11, 25), *(run_of_day(10, day, 31) for day in (1, 2, 3))]
    page, _ = make_page(built_mart_db(tmp_path, job_runs=runs, rates=RATE, extraction_windows=windows))
    assert says in page.text


def test_a_month_in_progress_has_its_mean_over_the_loaded_days(tmp_path: Path) -> None:
    windows = [window("2026-08-31 16:00", "2026-10-03 04:00")]
    mart_db = built_mart_db(tmp_path, job_runs=[run_of_day(10, 1, 5)], rates=RATE, extraction_windows=windows)
    page, figures = make_page(mart_db, now=utc("2026-10-03 04:05"))
    assert figures.total.days == Decimal("2.5")
    assert "USD 2.00 a day; nothing priced in September 2026" in page.text


def test_a_month_without_loaded_data_is_reported(tmp_path: Path) -> None:
    windows = [window("2026-08-31 16:00", "2026-09-25 16:00")]
    mart_db = built_mart_db(tmp_path, job_runs=[run_of_day(9, 10, 1)], extraction_windows=windows)
    page, _ = make_page(mart_db, now=utc("2026-10-03 04:05"))
    assert "Nothing of it is certified yet." in page.text
    assert "Loaded up to" not in page.text


def test_a_month_in_progress_without_certified_days_has_no_daily_mean(tmp_path: Path) -> None:
    page, _ = make_page(built_mart_db(tmp_path, job_runs=[run_of_day(10, 1, 5)], rates=RATE), now=utc("2026-10-03 04:05"))
    assert "no average per day, because nothing is certified" in page.text


def test_unallocated_and_unpriced_use_is_shown_without_an_amount(tmp_path: Path) -> None:
    owned = job_run("owned", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), 12)
    nobodys = job_run("nobodys", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), 50, region_id="eu-nowhere")
    owner = {"owner": "data", "tag_key": "team", "tag_value": "x"}
    mart_db = built_mart_db(
        tmp_path,
        job_runs=[owned, nobodys],
        job_run_tags=[tag(owned, "team", "x")],
        rates=RATE,
        owners=number([owner], "rule_number"),
    )
    page, figures = make_page(mart_db)
    assert figures.total.costs_unallocated == {}
    assert "50.00 CU-hours, 80.6 % of use, matched by no owner rule; 50.00 CU-hours of it unpriced" in page.text
    assert "USD 0.00" not in page.text


def test_runs_without_a_figure_are_not_counted_as_unpriced(tmp_path: Path) -> None:
    quiet = job_run("quiet", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), None, state="Failed")
    page, _ = make_page(built_mart_db(tmp_path, job_runs=[quiet], rates=RATE))
    assert "The API gives no usage." in page.text
    assert "Nothing is priced" not in page.text
    assert "What failed used" not in page.text


def test_use_of_failed_runs_is_the_same_in_text_and_tables(tmp_path: Path) -> None:
    # Over midnight into a day without a rate, with a rate, without one, without a figure.
    half = job_run("half", utc("2026-10-05 14:00"), utc("2026-10-05 18:00"), 4, state="Failed")
    priced = job_run("priced", utc("2026-10-04 00:00"), utc("2026-10-04 01:00"), 3, state="Failed")
    unpriced = job_run("unpriced", utc("2026-10-08 00:00"), utc("2026-10-08 01:00"), 5, state="Failed")
    no_figure = job_run("no_figure", utc("2026-10-08 00:00"), utc("2026-10-08 01:00"), None, state="Failed")
    rates = number([{**RATE[0], "valid_to": date(2026, 10, 6)}], "row_number")
    page, figures = make_page(built_mart_db(tmp_path, job_runs=[half, priced, unpriced, no_figure], rates=rates))
    jobs, reasons = (figures.asked[name].rows for name in ("failed_jobs", "reasons"))
    assert {row["job_key"]: (row["failed"], row["cu_hours"], row["cu_hours_unpriced"]) for row in jobs} == {
        "half": (1, 4, 2),
        "priced": (1, 3, 0),
        "unpriced": (1, 5, 5),
        "no_figure": (1, None, 0),
    }
    for rows in (jobs, reasons):
        assert sum(row["cu_hours"] or 0 for row in rows) == 12
        assert sum(row["cu_hours_unpriced"] or 0 for row in rows) == 7
    (amount,) = (row["estimated_cost"] for row in figures.asked["wasted"].rows if row["currency"])
    assert amount == sum(row["estimated_cost"] or 0 for row in jobs)
    assert f"used 12.00 CU-hours: USD {amount:.2f}, 7.00 CU-hours of it unpriced" in page.text


@pytest.mark.parametrize(
    ("arguments", "submitted", "told"),
    [("a", "2026-10-06 00:00", "job succeeded2026-10-06 09:00"), ("b", "2026-10-05 02:00", "job succeeded2026-10-05 11:00")],
    ids=["a day later", "with other arguments"],
)
def test_a_failure_whose_job_has_succeeded_since_is_not_waiting_for_recovery(
    tmp_path: Path, arguments: str, submitted: str, told: str
) -> None:
    named = {"name": "job", "arguments_digest": "a"}
    failed = job_run("failed", utc("2026-10-05 00:00"), utc("2026-10-05 00:30"), 1, state="Failed") | named
    ended = utc(submitted) + timedelta(hours=1)
    later = job_run("later", utc(submitted), ended, 1) | named | {"arguments_digest": arguments}
    page, _ = make_page(built_mart_db(tmp_path, job_runs=[failed, later]))
    assert told in page.text
    assert "not yet" not in page.text
    assert "of 1 the job has succeeded since in another run" in page.text


def test_a_price_is_shown_with_all_decimals(tmp_path: Path) -> None:
    rates = number([{**RATE[0], "currency": "JPY", "price_per_cu_hour": "30"}], "row_number")
    page, _ = make_page(built_mart_db(tmp_path, job_runs=[run_of_day(10, 1, 1)], rates=rates))
    assert "JPY 30" in page.text
    assert "E+" not in page.text


def test_a_truncated_list_shows_its_total(tmp_path: Path) -> None:
    runs = [job_run(f"job-{letter}", utc("2026-10-02 00:00"), utc("2026-10-02 01:00"), 1) for letter in "abcdefghijklmnop"]
    page, _ = make_page(built_mart_db(tmp_path, job_runs=runs))
    assert "The first 12 of 16." in page.text


@pytest.mark.parametrize("missing", ["rates_by_month", "certified_ranges"])
def test_marts_of_another_version_must_be_rebuilt(tmp_path: Path, missing: str) -> None:
    mart_db = built_mart_db(tmp_path, job_runs=[])
    mart_db.change(f"DROP TABLE emr_marts.{missing}")
    with pytest.raises(BuildError, match="Build them again: emr-usage build"):
        make_page(mart_db)


def test_workspaces_with_the_same_name_are_shown_with_their_ids(tmp_path: Path) -> None:
    workspaces = [{"workspace_id": name, "workspace_name": "prod", "region_id": "cn-hangzhou"} for name in ("w-1", "w-2")]
    _, figures = make_page(built_mart_db(tmp_path, job_runs=[], workspaces=workspaces))
    assert figures.workspace_names == {"w-1": "prod (w-1)", "w-2": "prod (w-2)"}


def test_workspaces_that_are_not_loaded_do_not_make_a_month_incomplete(tmp_path: Path) -> None:
    workspaces = [{"workspace_id": name, "workspace_name": name, "region_id": "cn-hangzhou"} for name in ("w-1", "w-2")]
    windows = [window("2026-09-30 16:00", "2026-10-31 16:00", axis=axis) for axis in ("start", "end")]
    _, figures = make_page(built_mart_db(tmp_path, job_runs=[], workspaces=workspaces, extraction_windows=windows))
    assert figures.is_certified


@pytest.mark.parametrize(("load", "is_certified"), [("night-0", True), ("night-2", False)])
def test_a_failure_without_a_range_counts_until_the_next_load(tmp_path: Path, load: str, is_certified: bool) -> None:  # noqa: FBT001  # a parameter
    windows = [window("2026-09-30 16:00", "2026-10-31 16:00", axis=axis) for axis in ("start", "end")]
    windows.append(window("2026-10-01 00:00", "2026-10-02 00:00", "failed", axis="run", load=load))
    windows[-1] |= {"window_start": None, "window_end": None}
    _, figures = make_page(built_mart_db(tmp_path, job_runs=[], extraction_windows=windows))
    assert figures.is_certified is is_certified


def test_certified_times_are_shown_to_the_minute(tmp_path: Path) -> None:
    day = timedelta(days=1)
    windows = [
        window("2026-09-30 16:00", "2026-10-10 16:00"),
        window("2026-10-11 16:00", "2026-10-31 16:00"),
        window("2026-09-30 16:00", "2026-10-31 16:00", axis="end"),
    ]
    page, figures = make_page(built_mart_db(tmp_path, job_runs=[run_of_day(10, 3, 1)], extraction_windows=windows))
    submitted = next(part for part in figures.coverage if part.axis == "start")
    assert submitted.gaps == [(utc("2026-10-10 16:00"), utc("2026-10-11 16:00"))]
    assert submitted.share == pytest.approx(30 * day / (31 * day))
    assert "2026-10-11 00:00 to 2026-10-12 00:00" in page.text
    assert "96.77 %" in page.text
    assert "Not all of the month is certified complete" in page.text


def test_a_fully_certified_month_is_reported_as_complete(tmp_path: Path) -> None:
    windows = [window("2026-09-30 16:00", "2026-10-31 16:00", axis=axis) for axis in ("start", "end")]
    page, figures = make_page(built_mart_db(tmp_path, job_runs=[run_of_day(10, 3, 1)], extraction_windows=windows))
    assert figures.is_certified
    assert "All of the month is certified complete." in page.text


def test_a_month_in_progress_is_compared_by_its_loaded_days(tmp_path: Path) -> None:
    windows = [window("2026-09-30 16:00", "2026-10-20 02:00", axis=axis) for axis in ("start", "end")]
    windows.append(window("2026-09-30 16:00", "2026-10-19 02:00", axis="end", workspace_id="w-2"))
    mart_db = built_mart_db(tmp_path, job_runs=[run_of_day(10, 3, 1)], extraction_windows=windows)
    page, figures = make_page(mart_db, now=utc("2026-10-20 02:05"))
    assert "Loaded up to 2026-10-20 10:00." in page.text
    assert [part.gaps for part in figures.coverage if part.workspace_id == "w-1"] == [[], []]
    assert [part.gaps for part in figures.coverage if part.workspace_id == "w-2"] == [
        [(utc("2026-09-30 16:00"), utc("2026-10-20 02:00"))],
        [(utc("2026-10-19 02:00"), utc("2026-10-20 02:00"))],
    ]
    page, figures = make_page(mart_db)
    assert "Loaded up to" not in page.text
    assert [part.gaps for part in figures.coverage if part.workspace_id == "w-1"] == [
        [(utc("2026-10-20 02:00"), utc("2026-10-31 16:00"))]
    ] * 2


def test_missing_marts_are_reported_with_the_build_command(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(**TABLES)
    with pytest.raises(BuildError, match="emr-usage build"):
        make_page(mart_db)


def test_the_page_uses_the_time_zone_of_the_build(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[job_run("run", utc("2026-10-31 23:00"), utc("2026-10-31 23:30"), 1)])
    mart_db.build(billing_time_zone="UTC")
    page, figures = make_page(mart_db)
    assert read_billing_time_zone(open_pipeline(mart_db.target)) == "UTC"
    assert figures.total.cu_hours == 1
    assert "Days are billing days (UTC)" in page.text
