"""While the clock is stopped, paging returns all matching rows exactly once and in order, for every variant."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emr_usage.emulator import Clock, Emulator, Run, State, Variants

NOW = 1000
# At most one page for each of thirty runs; more would be a loop.
MOST_PAGES = 40
PATH = "/api/v1/workspaces/w-1/jobRuns"
READINGS = {name: get_args(hint) for name, hint in get_type_hints(Variants).items()}
# These say what is answered at all; they have tests of their own.
LEFT_ALONE = {
    *("token_uses", "total_count_limit", "total_count_excess", "row_limit", "retention_days", "rows_with_groups", "above_limit"),
    *("absent_is_workflow", "absent_start_days", "absent_end_days", "absent_states", "absent_min_duration_ms"),
    "figures_delay_hours",
}
ALL_SWITCHES = st.builds(
    Variants,
    **{
        field.name: st.booleans() if field.type == "bool" or field.type is bool else st.sampled_from(READINGS[field.name])
        for field in fields(Variants)
        if field.name not in LEFT_ALONE
    },
)
OPEN = ["Submitted", "Pending", "Running", "Cancelling"]


@st.composite
def histories(draw: st.DrawFn) -> list[Run]:
    """Up to thirty runs, many of them in the same few milliseconds, some of them in the future."""
    runs = []
    for number in range(draw(st.integers(0, 30))):
        submit = draw(st.sampled_from([10, 10, 10, 500, 990, 1000, 1001]))
        start, end = sorted(draw(st.tuples(st.integers(submit, 1030), st.integers(submit, 1030))))
        runs.append(
            Run(
                "w-1",
                f"jr-{number * 7 % 31:02d}",
                submit,
                start_ms=draw(st.sampled_from([start, None])),
                end_ms=draw(st.sampled_from([end, None])),
                fields={"name": f"n{number % 3}"},
            )
        )
    return runs


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Emulator, httpx.Client]]:
    with (
        Emulator(State(), Clock(NOW), verify_signatures=False) as emulator,
        httpx.Client(base_url=emulator.url, trust_env=False) as client,
    ):
        yield emulator, client
        assert emulator.failures == []


def read_all(client: httpx.Client, query: dict[str, Any]) -> tuple[list[dict[str, Any]], set[int], list[int]]:
    rows: list[dict[str, Any]] = []
    totals: set[int] = set()
    sizes: list[int] = []
    token: str | None = ""
    while len(sizes) < MOST_PAGES:
        body = orjson.loads(client.get(PATH, params={**query, **({"nextToken": token} if token else {})}).content)
        rows += body["jobRuns"]
        totals.add(body["totalCount"])
        sizes.append(len(body["jobRuns"]))
        token = body.get("nextToken")
        if not token:
            break
    return rows, totals, sizes


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(runs=histories(), variants=ALL_SWITCHES, page_limit=st.integers(1, 7), only_open=st.booleans(), name=st.booleans())
def test_paging_returns_every_matching_row_once(
    served: tuple[Emulator, httpx.Client], runs: list[Run], variants: Variants, page_limit: int, *, only_open: bool, name: bool
) -> None:
    emulator, client = served
    emulator.state, emulator.variants, emulator.page_limit = State(), variants, page_limit
    emulator.state.add_workspace("w-1")
    emulator.state.add(*runs)
    emulator.reset()
    query = {"regionId": "cn-hangzhou", "maxResults": 100}
    query |= {"states": orjson.dumps(OPEN).decode()} if only_open else {}
    query |= {"name": "n1"} if name else {}
    rows, totals, sizes = read_all(client, query)
    truth = [
        row
        for row in emulator.state.job_run_rows("w-1", NOW, variants)
        if (not only_open or row["state"] in OPEN) and (not name or row["name"] == "n1")
    ]
    assert rows == (truth if variants.order == "oldest" else truth[::-1])
    assert totals == {len(truth)}
    assert all(0 < size <= page_limit for size in sizes) or sizes == [0]
    if not variants.short_pages:
        assert all(size == page_limit for size in sizes[:-1])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(runs=histories(), variants=ALL_SWITCHES, low=st.integers(0, 1010), high=st.integers(0, 1010), axis=st.booleans())
def test_time_ranges_with_an_overlap_of_one_millisecond_miss_nothing(
    served: tuple[Emulator, httpx.Client], runs: list[Run], variants: Variants, low: int, high: int, *, axis: bool
) -> None:
    emulator, client = served
    emulator.state, emulator.variants, emulator.page_limit = State(), variants, 3
    emulator.state.add_workspace("w-1")
    emulator.state.add(*runs)
    emulator.reset()
    window = orjson.dumps({"startTime": low - 1, "endTime": high + 1}).decode()
    rows, _, _ = read_all(client, {"regionId": "cn-hangzhou", ("startTime" if axis else "endTime"): window})
    got = {row["jobRunId"] for row in rows}

    def moment(run: Run) -> int | None:
        if not axis:
            return run.end_ms
        return run.submit_ms if variants.start_filter == "submit" else run.start_ms

    known = [(run.job_run_id, at) for run in runs if (at := moment(run)) is not None and at <= NOW and run.submit_ms <= NOW]
    assert {key for key, at in known if low <= at <= high} <= got
    assert got <= {key for key, at in known if low - 1 <= at <= high + 1}
