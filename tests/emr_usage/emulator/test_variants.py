"""Each variant has its documented effect."""

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from emr_usage.emulator import Emulator, Run, Variants

ListRuns = Callable[..., httpx.Response]
NOW = 1_760_000_000_000
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


def window(low_ms: int, high_ms: int) -> str:
    return orjson.dumps({"startTime": low_ms, "endTime": high_ms}).decode()


def ids(response: httpx.Response) -> list[str]:
    return [run["jobRunId"] for run in response.json()["jobRuns"]]


def only_row(response: httpx.Response) -> dict[str, Any]:
    (row,) = response.json()["jobRuns"]
    assert isinstance(row, dict)
    return row


def test_start_filter(list_runs: ListRuns, emulator: Emulator) -> None:
    submitted, begun = window(NOW - 4 * DAY, NOW - 4 * DAY), window(NOW - 4 * DAY + 3 * HOUR, NOW - 4 * DAY + 3 * HOUR)
    assert (ids(list_runs(startTime=submitted)), ids(list_runs(startTime=begun))) == (["jr-02"], [])
    emulator.variants = Variants(start_filter="actual_start")
    assert (ids(list_runs(startTime=submitted)), ids(list_runs(startTime=begun))) == ([], ["jr-02"])
    assert set(ids(list_runs(startTime=window(0, NOW + DAY)))) == {"jr-01", "jr-02", "jr-04", "jr-07", "jr-09"}


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [("inclusive", ["jr-02", "jr-01"]), ("exclusive", []), ("half_open", ["jr-01"])],
)
def test_bounds(list_runs: ListRuns, emulator: Emulator, bounds: Any, expected: list[str]) -> None:
    emulator.variants = Variants(bounds=bounds)
    assert ids(list_runs(startTime=window(NOW - 5 * DAY, NOW - 4 * DAY))) == expected
    ends = window(NOW - 5 * DAY + HOUR, NOW - 4 * DAY + 3 * HOUR + 10 * MINUTE)
    assert ids(list_runs(endTime=ends)) == expected


def test_order(list_runs: ListRuns, emulator: Emulator) -> None:
    newest_first = ids(list_runs())
    emulator.variants = Variants(order="oldest")
    assert ids(list_runs()) == newest_first[::-1]
    assert newest_first[0] == "jr-06"


def test_runs_of_one_millisecond_are_ordered_by_id(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.state.add(*(Run("w-1", f"jr-x{number}", NOW) for number in (3, 1, 2)))
    assert ids(list_runs())[:3] == ["jr-x3", "jr-x2", "jr-x1"]


def test_offset_tokens_move_with_the_list_and_cursors_do_not(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.page_limit = 3

    def read_while_two_arrive(variants: Variants, number: int) -> list[str]:
        emulator.variants = variants
        first = list_runs().json()
        emulator.state.add(*(Run("w-1", f"jr-new-{number}-{i}", NOW) for i in range(2)))
        return ids(list_runs(nextToken=first["nextToken"]))

    assert read_while_two_arrive(Variants(tokens="offset"), 1) == ["jr-05", "jr-07", "jr-09"]
    emulator.state.forget("w-1", "jr-new-1-0")
    emulator.state.forget("w-1", "jr-new-1-1")
    assert read_while_two_arrive(Variants(tokens="cursor"), 2) == ["jr-09", "jr-03", "jr-02"]


@pytest.mark.parametrize(("tokens", "expected"), [("offset", []), ("cursor", ["jr-04"]), ("expiring", ["jr-04"])])
def test_offset_tokens_skip_when_a_run_leaves_and_cursors_do_not(
    list_runs: ListRuns, emulator: Emulator, tokens: Any, expected: list[str]
) -> None:
    emulator.state.change("w-1", "jr-06", start_ms=None, end_ms=NOW + 2 * SECOND, final_state="Cancelled")
    emulator.page_limit, emulator.variants = 2, Variants(tokens=tokens)
    states = '["Submitted","Pending","Running"]'
    first = list_runs(states=states)
    assert ids(first) == ["jr-06", "jr-05"]
    emulator.clock.move_to(NOW + 2 * SECOND)
    assert ids(list_runs(states=states, nextToken=first.json()["nextToken"])) == expected


def follow(list_runs: ListRuns, **asked: Any) -> tuple[int, int]:
    """How many pages were answered, and the status of the last answer."""
    response, pages = list_runs(**asked), 0
    while response.status_code == 200:
        pages += 1
        assert pages < 40
        token = response.json().get("nextToken")
        if not token:
            break
        response = list_runs(nextToken=token, **asked)
    return pages, response.status_code


def test_expiring_tokens_allow_short_listings_but_not_long_ones(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.page_limit = 1
    emulator.variants = Variants(tokens="expiring", token_uses=4)
    assert follow(list_runs) == (5, 400)
    assert follow(list_runs, startTime=window(NOW - 5 * DAY, NOW - 2 * DAY)) == (4, 200)


def test_expiring_tokens_counted_from_their_issue_expire_by_waiting(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.page_limit = 1
    emulator.variants = Variants(tokens="expiring", token_uses=4, expiry_counts_from="issue")
    assert follow(list_runs) == (8, 200)
    token = list_runs().json()["nextToken"]
    for _ in range(3):
        list_runs()
    assert list_runs(nextToken=token).status_code == 200
    refused = list_runs(nextToken=token)
    assert (refused.status_code, refused.json()["Code"]) == (400, "InvalidParameter")


@pytest.mark.parametrize("tokens", ["cursor", "expiring"])
def test_a_cursor_belongs_to_its_query(list_runs: ListRuns, emulator: Emulator, tokens: Any) -> None:
    emulator.page_limit = 1
    emulator.variants = Variants(tokens=tokens)
    token = list_runs().json()["nextToken"]
    refused = list_runs(nextToken=token, states='["Running"]')
    assert (refused.status_code, refused.json()["Code"]) == (400, "InvalidParameter")
    assert list_runs(nextToken=token, maxResults=7).status_code == 200
    assert list_runs(nextToken="bm90IGEgdG9rZW4=").status_code == 400


def test_short_pages_have_fewer_rows_although_more_follow(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.variants, emulator.page_limit = Variants(short_pages=True), 4
    bodies = [list_runs().json()]
    while "nextToken" in bodies[-1]:
        bodies.append(list_runs(nextToken=bodies[-1]["nextToken"]).json())
        assert len(bodies) < 40
    sizes = [len(body["jobRuns"]) for body in bodies]
    seen = [run["jobRunId"] for body in bodies for run in body["jobRuns"]]
    assert min(sizes[:-1]) < 4
    assert min(sizes) > 0
    assert seen == ["jr-06", "jr-05", "jr-07", "jr-09", "jr-03", "jr-02", "jr-01", "jr-04"]


@pytest.mark.parametrize(("last_page", "expected"), [("absent", {}), ("null", {"nextToken": None}), ("empty", {"nextToken": ""})])
def test_last_page(list_runs: ListRuns, emulator: Emulator, last_page: Any, expected: dict[str, Any]) -> None:
    emulator.variants = Variants(last_page=last_page)
    body = list_runs().json()
    assert {name: body[name] for name in ("nextToken",) if name in body} == expected


@pytest.mark.parametrize(("reading", "expected"), [("null", {"endTime": None}), ("zero", {"endTime": 0}), ("absent", {})])
def test_end_time_while_running(list_runs: ListRuns, emulator: Emulator, reading: Any, expected: dict[str, Any]) -> None:
    emulator.variants = Variants(end_time_while_running=reading)
    row = only_row(list_runs(jobRunId="jr-04"))
    assert {name: row[name] for name in ("endTime",) if name in row} == expected
    assert only_row(list_runs(jobRunId="jr-01"))["endTime"] == NOW - 5 * DAY + HOUR


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ("zero", {"vcoreSeconds": 0, "mbSeconds": 0, "cuHours": 0}),
        ("null", {"vcoreSeconds": None, "mbSeconds": None, "cuHours": None}),
        ("absent", {}),
    ],
)
def test_figures_while_open(list_runs: ListRuns, emulator: Emulator, reading: Any, expected: dict[str, Any]) -> None:
    figures = ("vcoreSeconds", "mbSeconds", "cuHours")
    growing = only_row(list_runs(jobRunId="jr-04"))
    assert growing["vcoreSeconds"] == 2 * (20 * 86_400 - 60 - 300)
    assert only_row(list_runs(jobRunId="jr-05"))["cuHours"] is None
    emulator.variants = Variants(figures_while_open=reading)
    row = only_row(list_runs(jobRunId="jr-04"))
    assert {name: row[name] for name in figures if name in row} == expected
    assert only_row(list_runs(jobRunId="jr-01"))["vcoreSeconds"] > 0


def test_list_details(list_runs: ListRuns, emulator: Emulator) -> None:
    assert not {"jobDriver", "configurationOverrides"} & only_row(list_runs(jobRunId="jr-01")).keys()
    emulator.variants = Variants(list_details=True)
    row = only_row(list_runs(jobRunId="jr-01"))
    assert row["jobDriver"]["sparkSubmit"]["entryPoint"] == "oss://b/job.jar"
    assert "environmentId" not in row


def test_name_match(list_runs: ListRuns, emulator: Emulator) -> None:
    assert ids(list_runs(name="orders")) == []
    emulator.variants = Variants(name_match="contains")
    assert ids(list_runs(name="orders")) == ["jr-01"]


def test_above_limit(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.page_limit = 1000
    assert list_runs(maxResults=500).json()["maxResults"] == 100
    emulator.variants = Variants(above_limit="refused")
    assert list_runs(maxResults=500).json()["Code"] == "InvalidParameter"
    assert list_runs(maxResults=100).status_code == 200


def test_total_count_limit(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.variants = Variants(total_count_limit=5)
    body = list_runs().json()
    assert (body["totalCount"], len(body["jobRuns"])) == (5, 8)


def test_retention_days(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.variants = Variants(retention_days=3)
    assert ids(list_runs()) == ["jr-06", "jr-05", "jr-07", "jr-09", "jr-03", "jr-04"]
    assert len(emulator.state.job_run_rows("w-1", NOW, emulator.variants)) == 6


def test_rows_with_groups(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.variants = Variants(rows_with_groups=False)
    body = list_runs(groupByState="true").json()
    assert (body["jobRuns"], body["aggregations"]["Running"]) == ([], "1")


def test_row_limit(list_runs: ListRuns, emulator: Emulator) -> None:
    newest = ids(list_runs())[:3]
    emulator.variants = Variants(row_limit=3)
    response = list_runs(maxResults="2")
    rest = list_runs(maxResults="2", nextToken=response.json()["nextToken"])
    assert ids(response) + ids(rest) == newest
    assert response.json()["totalCount"] > 3
    assert not rest.json().get("nextToken")


def test_total_count_excess(list_runs: ListRuns, emulator: Emulator) -> None:
    counted = list_runs().json()["totalCount"]
    emulator.variants = Variants(total_count_excess=2)
    assert list_runs().json()["totalCount"] == counted + 2
    assert list_runs(jobRunId="jr-none").json()["totalCount"] == 0


def test_absent_is_workflow(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.state.add(Run("w-1", "jr-wf", NOW - HOUR, is_workflow=True))
    assert "jr-wf" in ids(list_runs())
    emulator.variants = Variants(absent_is_workflow="false")
    assert "jr-wf" not in ids(list_runs())
    assert "jr-wf" in ids(list_runs(isWorkflow="true"))
    assert ids(list_runs(jobRunId="jr-wf")) == []


def test_absent_start_days(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.variants = Variants(absent_start_days=1)
    assert "jr-01" not in ids(list_runs())
    assert "jr-01" in ids(list_runs(startTime=window(0, NOW)))


def test_absent_end_days(list_runs: ListRuns, emulator: Emulator) -> None:
    assert "jr-01" in ids(list_runs())
    emulator.variants = Variants(absent_end_days=1)
    assert "jr-01" not in ids(list_runs())
    assert "jr-01" in ids(list_runs(endTime=window(0, NOW)))


def test_absent_states(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.state.add(Run("w-1", "jr-gone", NOW - HOUR, end_ms=NOW - MINUTE, final_state="Cancelled"))
    emulator.variants = Variants(absent_states="not_cancelled")
    assert "jr-gone" not in ids(list_runs())
    assert "jr-gone" in ids(list_runs(states='["Cancelled"]'))


def test_absent_min_duration_ms(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.state.add(Run("w-1", "jr-short", NOW - HOUR, start_ms=NOW - HOUR, end_ms=NOW - HOUR + SECOND))
    emulator.variants = Variants(absent_min_duration_ms=2 * SECOND)
    assert "jr-short" not in ids(list_runs())
    assert "jr-short" in ids(list_runs(minDuration="0"))


@pytest.mark.parametrize(("shown", "figure"), [("growing", None), ("zero", 0)])
def test_figures_delay_hours(list_runs: ListRuns, emulator: Emulator, shown: Any, figure: int | None) -> None:
    emulator.state.add(Run("w-1", "jr-late", NOW - 3 * HOUR, start_ms=NOW - 3 * HOUR, end_ms=NOW - 2 * HOUR, settle_ms=0))
    assert only_row(list_runs(jobRunId="jr-late"))["cuHours"] > 0
    emulator.variants = Variants(figures_delay_hours=3, figures_while_open=shown)
    assert only_row(list_runs(jobRunId="jr-late"))["cuHours"] == figure
    emulator.variants = Variants(figures_delay_hours=1, figures_while_open=shown)
    assert only_row(list_runs(jobRunId="jr-late"))["cuHours"] > 0
