"""A window is read until it is certified, split or failed, in bounded time. Page by page, with scripted responses."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from answers import START, Answer, ScriptedApi, refusal, reply, rows
from emr_serverless.sync.hidden_defaults import OF_WORKFLOW
from emr_serverless.sync.tasks import Task, WindowResult
from emr_serverless.sync.window_reader import WindowReader
from emr_serverless.sync.windows import Filters, Window

DAY = Window("cn-hangzhou", "w-1", "end", 0, 86_399_999)
MOMENT = Window("cn-hangzhou", "w-1", "end", 5, 5)
OPEN = Window("cn-hangzhou", "w-1", "open")
RUN = Window("cn-hangzhou", "w-1", "run", job_run_id="jr-1")
WORKSPACES = Window("cn-hangzhou", "*", "list", resource="workspaces")
EXPIRED = refusal(400, "InvalidParameter", "nextToken is expired")


def read(
    api: ScriptedApi, window: Window = DAY, *, known_runs: int | None = None, window_rows: int = 100
) -> tuple[list[str], WindowResult]:
    """Return the run ids in the order they came, and the result."""
    reader = WindowReader(api.client, Task(window, known_runs), window_rows)
    key = "workspaceId" if window.resource == "workspaces" else "jobRunId"
    received = [name for page in reader.read() for name in page.records.column(key)]
    return received, reader.result


def asked_tokens(api: ScriptedApi) -> list[str | None]:
    return [request.url.params.get("nextToken") for request in api.requests]


def test_pages_follow_their_tokens_to_the_end() -> None:
    api = ScriptedApi(rows("a", "b", total=5, token="2"), rows("c", "d", total=5, token="4"), rows("e", total=5))
    received, result = read(api)
    assert received == ["a", "b", "c", "d", "e"]
    assert asked_tokens(api) == [None, "2", "4"]
    assert (result.status, result.certified_by, result.error) == ("complete", "pages", None)
    assert (result.total_count, result.rows_received, result.rows_distinct) == (5, 5, 5)
    assert (result.pages, result.attempts, result.request_stats.requests) == (3, 1, 3)


def test_each_page_has_its_window_and_request_time() -> None:
    api = ScriptedApi(rows("a", total=1))
    (page,) = WindowReader(api.client, task := Task(DAY), 100).read()
    assert (page.task, page.observed_at) == (task, START)


def test_a_short_page_does_not_end_a_window() -> None:
    api = ScriptedApi(rows("a", "b", total=4, token="2"), rows("c", total=4, token="3"), rows("d", total=4))
    received, result = read(api)
    assert received == ["a", "b", "c", "d"]
    assert result.status == "complete"


@pytest.mark.parametrize("last", [{}, {"nextToken": None}, {"nextToken": ""}])
def test_only_a_missing_or_empty_token_ends_a_window(last: dict[str, Any]) -> None:
    api = ScriptedApi(rows("a", total=2, token="1"), reply(200, {"jobRuns": [{"jobRunId": "b"}], "totalCount": 2, **last}))
    assert read(api)[0] == ["a", "b"]


def test_the_count_of_the_last_page_is_used() -> None:
    api = ScriptedApi(rows("a", "b", total=2, token="2"), rows("c", total=3))
    result = read(api)[1]
    assert (result.status, result.total_count, result.rows_distinct) == ("complete", 3, 3)


def test_duplicate_rows_are_counted_once() -> None:
    once = [rows("a", "b", total=3, token="2"), rows("b", total=3)]
    received, result = read(ScriptedApi(*once, *once, *once), MOMENT)
    assert received == ["a", "b", "b"] * 3
    assert (result.status, result.rows_received, result.rows_distinct) == ("short", 9, 2)


def test_rows_without_an_id_are_not_counted() -> None:
    api = ScriptedApi(reply(200, {"jobRuns": [{"jobRunId": "a"}, {"jobRunId": ""}, {"jobRunId": None}, {}], "totalCount": 4}))
    reader = WindowReader(api.client, Task(MOMENT), 100)
    list(reader.read())
    assert (reader.result.status, reader.result.rows_distinct, reader.result.total_count) == ("short", 1, 4)


def test_a_window_with_fewer_rows_than_its_count_is_split() -> None:
    received, result = read(ScriptedApi(rows("a", "b", total=5)))
    assert received == ["a", "b"]
    assert (len(result.parts), result.is_short_split, result.status) == (3, True, None)


def test_a_window_without_rows_is_not_split() -> None:
    assert (read(ScriptedApi(rows(total=5)))[1].status) == "short"


def test_an_indivisible_window_is_incomplete_after_three_reads() -> None:
    api = ScriptedApi(rows("a", "b", "c", total=5))
    result = read(api, MOMENT)[1]
    assert (result.status, result.error, result.certified_by) == ("short", None, None)
    assert (result.total_count, result.rows_distinct) == (5, 3)
    assert (result.attempts, len(api.requests)) == (3, 3)


def test_repeated_reads_of_a_window_are_combined() -> None:
    api = ScriptedApi(rows("a", "b", total=3), rows("a", "c", total=3))
    result = read(api, MOMENT)[1]
    assert (result.status, result.rows_distinct, result.attempts) == ("complete", 3, 2)


def test_a_window_without_a_count_is_never_certified() -> None:
    result = read(ScriptedApi(rows("a")))[1]
    assert (result.status, result.total_count, result.rows_distinct) == ("short", None, 1)


def test_a_window_with_too_many_rows_is_split_by_its_count_without_taking_a_row() -> None:
    api = ScriptedApi(rows("a", total=301, token="1"))
    received, result = read(api, window_rows=100)
    assert received == []
    assert len(result.parts) == 4
    assert (result.parts[0].bounds[0], result.parts[-1].bounds[1]) == DAY.bounds
    assert (result.status, len(api.requests)) == (None, 1)


def test_a_window_of_exactly_window_rows_is_not_split() -> None:
    api = ScriptedApi(rows("a", "b", total=2))
    assert read(api, window_rows=2)[1].parts == []


@pytest.mark.parametrize("window", [MOMENT, OPEN, RUN])
def test_an_indivisible_window_is_read_with_any_number_of_rows(window: Window) -> None:
    received, result = read(ScriptedApi(rows("a", "b", "c", total=3)), window, window_rows=1)
    assert received == ["a", "b", "c"]
    assert (result.parts, result.status) == ([], "complete")


def test_a_repeated_token_fails_after_bounded_reads() -> None:
    api = ScriptedApi(rows("a", total=9, token="1"), rows("b", total=9, token="1"), *[rows("a", total=9, token="1")] * 9)
    result = read(api)[1]
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.code == "RepeatedToken"
    assert (result.attempts, len(api.requests)) == (3, 6)


def test_an_earlier_token_is_detected_as_a_loop() -> None:
    once = [rows("a", total=9, token="1"), rows("b", total=9, token="2"), rows("c", total=9, token="1")]
    api = ScriptedApi(*once, *once, *once, refusal(400, "NotReached"))
    result = read(api)[1]
    assert result.error is not None
    assert (result.status, result.error.code, len(api.requests)) == ("failed", "RepeatedToken", 9)


def test_an_empty_page_with_a_token_fails_after_bounded_reads() -> None:
    api = ScriptedApi(rows(total=9, token="1"))
    result = read(api)[1]
    assert result.error is not None
    assert (result.status, result.error.code) == ("failed", "EmptyPage")
    assert (result.attempts, len(api.requests)) == (3, 3)


@pytest.mark.parametrize("once", [rows(total=2, token="1"), refusal(400, "InvalidParameter", x_acs_retry_after="400000")])
def test_a_transient_error_is_retried(once: Answer) -> None:
    result = read(ScriptedApi(once, rows("a", "b", total=2)))[1]
    assert (result.status, result.error, result.attempts) == ("complete", None, 2)


def test_persistent_throttling_fails_a_window_after_three_reads() -> None:
    api = ScriptedApi(refusal(429, "Throttling", retry_after="400"))
    result = read(api)[1]
    assert result.error is not None
    assert (result.status, result.error.code, result.attempts) == ("failed", "Throttling", 3)
    assert (result.request_stats.requests, result.request_stats.throttled, result.pages) == (3, 3, 0)


@pytest.mark.parametrize(("status", "code"), [(403, "Forbidden.RAM"), (404, "InvalidApi.NotFound"), (400, "InvalidParameter")])
def test_an_error_that_concerns_every_request_ends_a_window_at_once(status: int, code: str) -> None:
    api = ScriptedApi(refusal(status, code))
    result = read(api)[1]
    assert result.error is not None
    assert (result.status, result.error.code, result.attempts, len(api.requests)) == ("failed", code, 1, 1)


def test_an_expired_token_splits_a_window_in_two() -> None:
    api = ScriptedApi(rows("a", total=3, token="1"), EXPIRED)
    received, result = read(api)
    assert received == ["a"]
    assert [part.bounds for part in result.parts] == [(0, 43_199_999), (43_200_000, 86_399_999)]
    assert result.status is None


def test_an_expired_token_restarts_an_indivisible_window() -> None:
    api = ScriptedApi(rows("a", total=2, token="1"), EXPIRED, rows("a", total=2, token="2"), rows("b", total=2))
    result = read(api, MOMENT)[1]
    assert (result.status, result.error, result.attempts, result.rows_distinct) == ("complete", None, 2, 2)
    assert asked_tokens(api) == [None, "1", None, "2"]


def test_tokens_that_always_expire_fail_an_indivisible_window() -> None:
    once = [rows("a", total=2, token="1"), EXPIRED]
    api = ScriptedApi(*once, *once, *once, refusal(400, "NotReached"))
    result = read(api, MOMENT)[1]
    assert result.error is not None
    assert (result.status, result.error.code, result.attempts) == ("failed", "InvalidParameter", 3)


def open_read(*pages: tuple[str, ...], total: int) -> list[Answer]:
    """Return the pages of one read of the open runs."""
    tokens = [*map(str, range(1, len(pages))), None]
    return [rows(*page, total=total, token=token) for page, token in zip(pages, tokens, strict=True)]


def test_open_runs_on_one_page_are_read_once() -> None:
    api = ScriptedApi(rows("a", "b", total=2))
    result = read(api, OPEN)[1]
    assert (result.status, result.attempts) == ("complete", 1)
    assert api.requests[0].url.params["states"] == '["Submitted","Pending","Running","Cancelling"]'


def test_open_runs_on_several_pages_are_read_until_two_reads_return_nothing_new() -> None:
    # When a ends, c moves up to the first page while the second one is asked for: the counts agree, and c is missed.
    torn = open_read(("a", "b"), ("d",), total=3)
    whole = open_read(("b", "c"), ("d",), total=3)
    received, result = read(ScriptedApi(*torn, *whole, *whole, *whole), OPEN)
    assert set(received) == {"a", "b", "c", "d"}
    assert (result.status, result.certified_by, result.attempts, result.rows_distinct) == ("complete", "pages", 4, 4)


def test_open_runs_are_accepted_after_three_equal_reads() -> None:
    whole = open_read(("a", "b"), ("c",), total=3)
    api = ScriptedApi(*whole, *whole, *whole, refusal(400, "NotReached"))
    result = read(api, OPEN)[1]
    assert (result.status, result.attempts, result.error) == ("complete", 3, None)


def test_open_runs_that_keep_changing_are_incomplete_after_four_reads() -> None:
    reads = [open_read((f"a{n}", "b"), ("c",), total=3) for n in range(4)]
    api = ScriptedApi(*itertools.chain(*reads), refusal(400, "NotReached"))
    result = read(api, OPEN)[1]
    assert (result.status, result.attempts, result.error) == ("short", 4, None)
    assert (result.rows_distinct, result.total_count) == (6, 3)


def test_a_read_with_a_new_run_restarts_the_reads_of_open_runs() -> None:
    quiet, loud = open_read(("a", "b"), ("c",), total=3), open_read(("a", "b"), ("x",), total=3)
    api = ScriptedApi(*quiet, *quiet, *loud, *quiet, refusal(400, "NotReached"))
    assert read(api, OPEN)[1].status == "short"


def test_without_open_runs_one_read_is_enough() -> None:
    result = read(ScriptedApi(rows(total=0)), OPEN)[1]
    assert (result.status, result.attempts, result.rows_distinct) == ("complete", 1, 0)


def test_equal_counts_certify_without_reading_the_rows_again() -> None:
    api = ScriptedApi(rows("a", "b", total=300, token="2"))
    received, result = read(api, known_runs=300)
    assert received == ["a", "b"]
    assert (result.status, result.certified_by, result.rows_distinct, result.total_count) == ("complete", "count", 300, 300)
    assert [request.url.params["maxResults"] for request in api.requests] == ["20"]


@pytest.mark.parametrize("known_runs", [0, 2, 4])
def test_a_different_count_reads_all_rows(known_runs: int) -> None:
    api = ScriptedApi(rows("a", total=3, token="1"), rows("a", "b", total=3, token="2"), rows("c", total=3))
    received, result = read(api, known_runs=known_runs)
    assert set(received) == {"a", "b", "c"}
    assert (result.status, result.certified_by, result.rows_distinct) == ("complete", "pages", 3)
    assert [request.url.params["maxResults"] for request in api.requests] == ["20", "100", "100"]


def test_a_probe_that_covers_the_whole_window_is_certified_by_its_rows() -> None:
    result = read(ScriptedApi(rows("a", "b", total=2)), known_runs=2)[1]
    assert (result.status, result.certified_by, result.pages) == ("complete", "pages", 1)


def test_a_probe_without_a_count_certifies_nothing() -> None:
    result = read(ScriptedApi(rows("a", token="1"), rows("a", "b"), rows("a", "b")), known_runs=0)[1]
    assert result.status == "short"


def test_a_window_that_is_too_large_is_split_after_the_probe() -> None:
    result = read(ScriptedApi(rows("a", total=201, token="1")), known_runs=7, window_rows=100)[1]
    assert len(result.parts) == 3


def test_counting_requests_one_small_page_and_returns_no_rows() -> None:
    api = ScriptedApi(rows("a", total=201, token="1"))
    reader = WindowReader(api.client, Task(Window("cn-hangzhou", "w-1", "count", 0, 9)), 100)
    reader.count()
    assert (reader.result.total_count, reader.result.rows_distinct, reader.result.parts) == (201, 0, [])
    assert (reader.result.status, reader.result.certified_by) == ("complete", None)
    assert [request.url.params["maxResults"] for request in api.requests] == ["20"]


@pytest.mark.parametrize(
    ("answer", "filters", "axis"),
    [
        (rows(total=0), (), "start"),
        (rows(total=0), OF_WORKFLOW, "count"),
        (rows("a", total=0), (), "count"),
        (rows(total=0, token="1"), (), "count"),
        (rows("a", total=1), (), "count"),
        (rows(), (), "count"),
    ],
)
def test_a_count_of_zero_certifies_its_range(answer: Answer, filters: Filters, axis: str) -> None:
    reader = WindowReader(ScriptedApi(answer).client, Task(Window("cn-hangzhou", "w-1", "count", 0, 9, filters=filters)), 100)
    reader.count()
    assert (reader.result.status, reader.result.audited_axis) == ("complete", axis)


def test_a_run_id_without_a_row_is_a_complete_response() -> None:
    result = read(ScriptedApi(rows(total=0)), RUN)[1]
    assert (result.status, result.rows_distinct) == ("complete", 0)


def test_workspaces_are_counted_by_workspace_id() -> None:
    def page(names: list[str], token: str | None) -> Answer:
        return reply(200, {"workspaces": [{"workspaceId": name} for name in names], "totalCount": 3, "nextToken": token})

    received, result = read(ScriptedApi(page(["w-1", "w-2"], "1"), page(["w-3"], None)), WORKSPACES)
    assert received == ["w-1", "w-2", "w-3"]
    assert (result.status, result.rows_distinct) == ("complete", 3)


def full_page(total: int) -> Answer:
    """Return a single page of 100 rows that is the last one by its token."""
    return rows(*(f"jr-{number}" for number in range(100)), total=total)


@pytest.mark.parametrize(("halves", "parts"), [((70, 80), 2), ((100, 100), 2), ((60, 40), 0)])
def test_a_possibly_limited_count_is_checked_against_its_halves(halves: tuple[int, int], parts: int) -> None:
    first, second = (rows("x", total=count) for count in halves)
    result = read(ScriptedApi(full_page(100), first, second, full_page(100)))[1]
    assert (len(result.parts), result.status) == (parts, None if parts else "complete")


def test_a_half_with_the_count_of_the_whole_is_read() -> None:
    empty = rows(total=0)
    api = ScriptedApi(full_page(100), full_page(100), empty, empty, full_page(100), rows("x", total=80), rows("x", total=81))
    assert len(read(api)[1].parts) == 2


def test_a_truncated_list_of_open_runs_is_read_by_state() -> None:
    result = read(ScriptedApi(rows("a", "b", total=3)), OPEN)[1]
    assert [part.asked["states"] for part in result.parts] == [["Submitted"], ["Pending"], ["Running"], ["Cancelling"]]


def test_a_millisecond_with_as_many_runs_as_the_limit_is_not_certified() -> None:
    names = [f"jr-{number}" for number in range(1_000)]
    pages = [
        rows(*names[first : first + 100], total=1_000, token=str(first) if first < 900 else None)
        for first in range(0, 1_000, 100)
    ]
    assert read(ScriptedApi(*pages, *pages, *pages), MOMENT)[1].status == "short"
