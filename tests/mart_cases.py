"""A history small enough to check by hand: one run for each special case."""

from __future__ import annotations

from datetime import date, timedelta

from mart_fixtures import READ_AT, Row, billing, job_run, number, seen, tag, utc

RATES = number(
    [
        {"region_id": "cn-hangzhou", "price_per_cu_hour": "0.05", "valid_to": date(2026, 10, 16), "price_kind": "list"},
        {"region_id": "cn-hangzhou", "price_per_cu_hour": "0.06", "valid_from": date(2026, 10, 16)},
        {"region_id": "cn-hangzhou", "price_per_cu_hour": "0.10", "resource_queue_id": "fast"},
        {"region_id": "cn-hangzhou", "price_per_cu_hour": "0.04", "workspace_id": "w-2"},
        {"region_id": "cn-hangzhou", "price_per_cu_hour": "0.03", "workspace_id": "w-2", "resource_queue_id": "fast"},
    ],
    "row_number",
)
for _rate in RATES:
    _rate |= {"currency": "USD"} | {"valid_from": date(2026, 1, 1), "price_kind": "contracted", "source": "p. 1"} | _rate
OWNERS = number(
    [
        {"owner": "data/growth", "tag_key": "Team", "tag_value": "Growth", "valid_to": date(2026, 10, 15)},
        {"owner": "data/platform", "tag_key": "team", "tag_value": "growth", "valid_from": date(2026, 10, 15)},
        {"owner": "data/增长", "tag_key": "团队", "tag_value": "增长"},
        {"owner": "ads", "job_name": "ads_100%_?ay*"},
        {"owner": "night", "creator": "1001", "resource_queue_id": "night"},
        {"owner": "late", "creator": "1001"},
    ],
    "rule_number",
)
LIST_PRICES = number(
    [
        {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.07", "page_date": date(2025, 3, 1)},
        {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.08", "page_date": date(2026, 3, 1)},
        {"region_id": "cn-hangzhou", "currency": "CNY", "price_per_cu_hour": "0.50", "page_date": date(2026, 4, 1)},
        {"region_id": "eu-nowhere", "currency": "EUR", "price_per_cu_hour": "0.09", "page_date": date(2026, 3, 1)},
    ],
    "row_number",
)
for _price in LIST_PRICES:
    _price["source"] = f"page of {_price['page_date']}"

BOUNDARY = job_run("boundary", billing("2026-10-31 23:30"), billing("2026-11-01 00:30"), "1.000001")
PRICE_CHANGE = job_run("price_change", billing("2026-10-15 23:00"), billing("2026-10-16 01:00"), 2)
STREAM = job_run("stream", billing("2026-10-01 00:00"), None, 40, observed_at=billing("2026-10-21 00:00"))
NIGHTS = [
    seen(STREAM, billing("2026-10-05 00:00"), 4),
    seen(STREAM, billing("2026-10-09 00:00"), 5),
    seen(STREAM, billing("2026-10-13 00:00"), None),
    seen(STREAM, billing("2026-10-17 00:00"), 29),
    seen(STREAM, billing("2026-10-21 00:00"), 40),
]
FALLING = job_run("falling", utc("2026-10-02 00:00"), utc("2026-10-02 04:00"), 8)
FALLEN = [seen(FALLING, utc("2026-10-02 01:00"), 10), seen(FALLING, utc("2026-10-02 02:00"), 6)]
INSTANT = job_run("instant", utc("2026-10-02 05:00"), utc("2026-10-02 05:00"), "0.25")
ELSEWHERE = job_run("elsewhere", utc("2026-10-02 06:15"), utc("2026-10-02 06:45"), 3, region_id="eu-nowhere")
NO_FIGURE = job_run("no_figure", utc("2026-10-02 06:15"), utc("2026-10-02 06:45"), None)
SCOPES = [
    job_run(f"scope_{workspace}_{queue}", utc("2026-10-20 06:00"), utc("2026-10-20 07:00"), 1, workspace_id=workspace)
    | {"resource_queue_id": queue}
    for workspace in ("w-1", "w-2")
    for queue in ("root", "fast")
]
BEFORE_REORGANISATION = job_run("before", billing("2026-10-14 23:59"), billing("2026-10-15 00:59"), 1)
AFTER_REORGANISATION = job_run("after", billing("2026-10-15 00:00"), billing("2026-10-15 01:00"), 1)
CHINESE = job_run("中文", utc("2026-10-03 00:00"), utc("2026-10-03 01:00"), 1)
GLOBBED = job_run("ads_100%_day_7", utc("2026-10-03 00:00"), utc("2026-10-03 01:00"), 1)
NOT_GLOBBED = job_run("ads_1000_day", utc("2026-10-03 00:00"), utc("2026-10-03 01:00"), 1, creator="1001")
BOTH_COLUMNS = job_run("both", utc("2026-10-03 00:00"), utc("2026-10-03 01:00"), 1, creator="1001", resource_queue_id="night")
TAGS = [
    tag(BEFORE_REORGANISATION, " TEAM ", "growth "),
    tag(AFTER_REORGANISATION, "team", "GROWTH"),
    tag(CHINESE, "团队", " 增长"),
    tag(CHINESE, "team", None, 1),
    # Of another reading of the run: a load was cut off before the tags came.
    tag(GLOBBED | {"observed_at": utc("2026-10-03 00:30")}, "team", "growth"),
]


def attempt(number_: int, submitted: str, minutes: int, state: str, **fields: object) -> Row:
    began = utc(submitted)
    run = job_run(f"attempt-{number_}", began, began + timedelta(minutes=minutes), 1, state=state, workspace_id="w-3")
    return run | {"name": "nightly_load_20261005", "arguments_digest": "a"} | fields


TIMEOUT = "The job run exceeded executionTimeoutSeconds and was stopped."
ATTEMPTS = [
    attempt(1, "2026-10-05 00:00", 30, "Success"),
    attempt(2, "2026-10-05 01:00", 30, "Failed", state_change_code="ERR-1", state_change_message="No file oss://b/1.csv in 12 s"),
    attempt(3, "2026-10-05 02:00", 60, "Failed", state_change_code="ERR-2", state_change_message=TIMEOUT),
    attempt(4, "2026-10-05 03:00", 30, "Failed", arguments_digest="b", execution_timeout_seconds=1800),
    attempt(5, "2026-10-05 08:00", 30, "Success"),
    attempt(6, "2026-10-05 09:00", 30, "Failed", state_change_code="ERR-1", state_change_message="No file oss://c/2.csv in 9 s"),
    attempt(7, "2026-10-05 16:00", 30, "Success"),
    attempt(8, "2026-10-05 17:00", 28, "Success", execution_timeout_seconds=1800, arguments_digest="c"),
]
RUNS = [
    *(BOUNDARY, PRICE_CHANGE, STREAM, FALLING, INSTANT, ELSEWHERE, NO_FIGURE, *SCOPES, BEFORE_REORGANISATION),
    *(AFTER_REORGANISATION, CHINESE, GLOBBED, NOT_GLOBBED, BOTH_COLUMNS, *ATTEMPTS),
]
OBSERVATIONS = NIGHTS + FALLEN


def window(first: str, last: str, status: str = "complete", **fields: object) -> Row:
    """Return the verdict on a range of submit times, by the first night's load."""
    asked = {"resource": "job_runs", "workspace_id": "w-1", "region_id": "cn-hangzhou", "axis": "start"}
    load = {"mode": "load", "load": "night-1"}
    bounds = {"window_start": utc(first), "window_end": utc(last) - timedelta(milliseconds=1)}
    counts = {"total_count": 10, "rows_distinct": 10 if status == "complete" else 9, "finished_at": READ_AT}
    return asked | load | bounds | counts | {"status": status, "window_id": f"{first} {last}"} | fields


WINDOWS = [
    # These two touch, the third overlaps them.
    window("2026-10-01 00:00", "2026-10-02 00:00"),
    window("2026-10-02 00:00", "2026-10-03 00:00"),
    window("2026-10-01 12:00", "2026-10-02 12:00"),
    window("2026-10-03 00:00", "2026-10-04 00:00", "short"),
    window("2026-10-04 00:00", "2026-10-05 00:00"),
    # Short the first night; the second read it again in another cut.
    window("2026-10-06 00:00", "2026-10-07 00:00", "short"),
    window("2026-10-05 23:00", "2026-10-06 12:00", load="night-2"),
    window("2026-10-06 12:00", "2026-10-07 12:00", load="night-2"),
    window("2026-10-01 00:00", "2026-10-05 00:00", axis="end"),
    window("2026-10-01 00:00", "2026-10-02 00:00", "failed", workspace_id="w-2", error_code="Forbidden", rows_distinct=0),
    # What has no bounds is asked again under the same id: the last verdict counts.
    *(
        window("2026-10-01 00:00", "2026-10-02 00:00", status, workspace_id=workspace, axis="open", load=load)
        | {"window_start": None, "window_end": None, "finished_at": finished}
        for workspace, verdicts in {"w-1": ("failed", "complete"), "w-2": ("complete", "failed")}.items()
        for load, status, finished in zip(("night-1", "night-2"), verdicts, (READ_AT, READ_AT + timedelta(days=1)), strict=True)
    ),
]
TABLES = {"job_runs": RUNS, "job_run_tags": TAGS, "job_run_observations": OBSERVATIONS, "rates": RATES, "owners": OWNERS}
TABLES |= {"list_prices": LIST_PRICES, "extraction_windows": WINDOWS}

# The price of `price_change` changes to another currency in its middle; `boundary` is seen waiting; `falling` is the largest.
DEAR: Row = {"price_per_cu_hour": "99999999.9999999999", "currency": "IDR"}
HUGE: Row = {"cu_hours": "999999999999.999999", "vcore_seconds": 2**62, "mb_seconds": 2**63 - 1}
# Over several hours of one workspace, the largest figures that fit the formula, with different discounts.
SETTLED = [
    job_run(name, utc("2026-10-06 00:20"), utc(f"2026-10-06 0{hours}:{hours}7"), cu_hours, workspace_id="w-4")
    | {"vcore_seconds": cores, "mb_seconds": cores * mib}
    for name, hours, cores, mib, cu_hours in (
        ("cores", 2, 36 * 10**14, 1100, "700000000000.000001"),
        ("memory", 3, 5 * 10**14, 16384, "555555555555.555555"),
        ("small", 1, 7211, 3072, "1.8027"),
    )
]
LARGE = {
    "rates": [TABLES["rates"][0] | {"price_per_cu_hour": "0.0503020001"}, TABLES["rates"][1] | DEAR, *TABLES["rates"][2:]],
    "list_prices": [row | DEAR for row in TABLES["list_prices"][:1]],
    "job_runs": [run | HUGE if run["job_run_id"] in {"falling", "attempt-4"} else run for run in TABLES["job_runs"]] + SETTLED,
    "job_run_observations": [*TABLES["job_run_observations"], seen(BOUNDARY, utc("2026-10-31 16:00"), None, "Pending")],
    "job_run_tags": [*TABLES["job_run_tags"], tag(BOUNDARY, "\u00a0TEAM\t", "Growth\u3000", 7)],
}
