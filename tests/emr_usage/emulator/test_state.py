"""The state can be changed while the API is served, and its index equals a linear scan."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emr_usage.emulator import Emulator, Run, State, Variants
from emr_usage.emulator.filters import JobRunFilter, TimeRange

NOW = 1_760_000_000_000
NO_VARIANTS = Variants()


def test_history_can_be_changed(account: State) -> None:
    versions = [account.version]
    account.retag("w-1", "jr-01", [{"key": "team", "value": "risk"}])
    versions.append(account.version)
    account.change("w-1", "jr-02", final_state="Success")
    versions.append(account.version)
    account.replace(Run("w-1", "jr-03", 5))
    versions.append(account.version)
    account.forget("w-1", "jr-09")
    versions.append(account.version)
    rows = {row["jobRunId"]: row for row in account.job_run_rows("w-1", NOW, NO_VARIANTS)}
    assert rows["jr-01"]["tags"] == [{"key": "team", "value": "risk"}]
    assert rows["jr-02"]["state"] == "Success"
    assert rows["jr-03"]["submitTime"] == 5
    assert "jr-09" not in rows
    assert versions == sorted(set(versions))


def test_changes_are_visible_in_the_api_immediately(http: httpx.Client, emulator: Emulator) -> None:
    emulator.verify_signatures = False

    def rows() -> list[dict[str, object]]:
        body = http.get("/api/v1/workspaces/w-1/jobRuns", params={"regionId": "cn-hangzhou"}).json()
        assert isinstance(body["jobRuns"], list)
        return body["jobRuns"]

    assert rows() == emulator.state.job_run_rows("w-1", NOW, NO_VARIANTS)[::-1]
    emulator.state.retag("w-1", "jr-01", None)
    emulator.state.forget("w-1", "jr-02")
    assert rows() == emulator.state.job_run_rows("w-1", NOW, NO_VARIANTS)[::-1]
    emulator.variants = Variants(list_details=True)
    assert rows() == emulator.state.job_run_rows("w-1", NOW, emulator.variants)[::-1]
    emulator.state = State()
    emulator.state.add(Run("w-1", "jr-new", 1))
    assert [row["jobRunId"] for row in rows()] == ["jr-new"]


def test_figures_settle_after_the_end_of_a_run(http: httpx.Client, emulator: Emulator) -> None:
    emulator.verify_signatures = False
    emulator.state.add(Run("w-1", "jr-late", NOW, start_ms=NOW, end_ms=NOW + 600_000, vcores=1, settle_ms=120_000))
    asked = {"regionId": "cn-hangzhou", "jobRunId": "jr-late"}
    seen = []
    for minutes in (9, 10, 11, 12, 13, 11):
        emulator.clock.move_to(NOW + minutes * 60_000)
        (row,) = http.get("/api/v1/workspaces/w-1/jobRuns", params=asked).json()["jobRuns"]
        seen.append((row["state"], row["vcoreSeconds"]))
    assert seen == [
        ("Running", 420),
        ("Success", 480),
        ("Success", 540),
        ("Success", 600),
        ("Success", 600),
        ("Success", 540),
    ]


def test_get_job_run_returns_details_without_figures_and_creator(http: httpx.Client, emulator: Emulator) -> None:
    emulator.verify_signatures = False
    body = http.get("/api/v1/workspaces/w-1/jobRuns/jr-01", params={"regionId": "cn-hangzhou"}).json()
    assert body["jobRun"].keys() == {
        *("jobRunId", "workspaceId", "state", "submitTime", "endTime", "name", "codeType", "resourceQueueId", "tags"),
        *("jobDriver", "configurationOverrides", "environmentId", "newlyInvented", "stateChangeReason", "resourceOwnerId"),
    }


def test_a_missing_run_cannot_be_changed(account: State) -> None:
    with pytest.raises(KeyError):
        account.replace(Run("w-1", "jr-99", 1))
    with pytest.raises(KeyError):
        account.forget("w-1", "jr-99")
    with pytest.raises(KeyError):
        account.retag("w-9", "jr-01", [])
    with pytest.raises(ValueError, match="jr-01 is in w-1 already"):
        account.add(Run("w-1", "jr-01", 1))


def test_a_run_is_loaded_with_its_workspace() -> None:
    state = State()
    state.add(Run("w-new", "jr-1", 1))
    assert [workspace["workspaceId"] for workspace in state.workspaces()] == ["w-new"]
    assert [queue["queueName"] for queue in state.queues("w-new")] == ["root_queue", "dev_queue"]


MOMENTS = st.integers(0, 12)
STATES = ("Submitted", "Running", "Success", "Failed", "Odd")


@st.composite
def any_run(draw: st.DrawFn, number: int) -> Run:
    submit, start, end = sorted(draw(st.tuples(MOMENTS, MOMENTS, MOMENTS)))
    return Run(
        "w",
        f"jr-{number}",
        submit,
        start_ms=draw(st.sampled_from([start, None])),
        end_ms=draw(st.sampled_from([end, None])),
        final_state=draw(st.sampled_from(STATES)),
    )


RANGES = st.none() | st.builds(TimeRange, st.none() | MOMENTS, st.none() | MOMENTS)
SOME_STATES = st.frozensets(st.sampled_from(STATES), min_size=1, max_size=2)
# One condition alone is what an index may get wrong; several at once hide it.
FILTERS = st.one_of(
    st.builds(JobRunFilter, states=SOME_STATES),
    st.builds(JobRunFilter, started=RANGES),
    st.builds(JobRunFilter, ended=RANGES),
    st.builds(JobRunFilter, job_run_id=st.sampled_from(["jr-1", "jr-77"]), states=st.just(frozenset()) | SOME_STATES),
    st.builds(JobRunFilter, min_duration_ms=st.just(3), started=RANGES, ended=RANGES, states=SOME_STATES),
)
SWITCHES = st.builds(
    Variants,
    start_filter=st.sampled_from(["submit", "actual_start"]),
    bounds=st.sampled_from(["inclusive", "exclusive", "half_open"]),
)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), asked=FILTERS, variants=SWITCHES, now_ms=MOMENTS)
def test_the_index_returns_the_same_rows_as_a_linear_scan(
    data: st.DataObject, asked: JobRunFilter, variants: Variants, now_ms: int
) -> None:
    runs = [data.draw(any_run(number)) for number in range(data.draw(st.integers(4, 10)))]
    state = State()
    state.add_workspace("w")
    state.add(*runs)
    found = state.select("w", asked, now_ms, variants)
    plain = [run for run in runs if run.submit_ms <= now_ms and asked.matches(run, now_ms, variants)]
    assert found == sorted(plain, key=lambda run: run.key)
    assert state.select("w", asked, now_ms, variants) is found
