"""The generated company is the same for the same seed, and contains everything that its description lists."""

from collections import Counter
from typing import Any

import orjson
import pytest

from emr_usage.emulator import SECRETS, Run, State, Variants, company
from emr_usage.emulator.scenario import SECRETS as PLANTED

NOW = 1_760_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
OPEN_STATES = {"Submitted", "Pending", "Running", "Cancelling"}


@pytest.fixture(scope="module")
def state() -> State:
    return company(7, NOW)


@pytest.fixture(scope="module")
def runs(state: State) -> list[Run]:
    return [run for workspace in state.workspaces() for run in state.runs(workspace["workspaceId"])]


@pytest.fixture(scope="module")
def past(runs: list[Run]) -> list[Run]:
    return [run for run in runs if run.submit_ms <= NOW]


@pytest.fixture(scope="module")
def rows(state: State) -> list[dict[str, object]]:
    reading = Variants(list_details=True)
    return [row for workspace in state.workspaces() for row in state.job_run_rows(workspace["workspaceId"], NOW, reading)]


def dump(state: State) -> bytes:
    runs = [state.runs(workspace["workspaceId"]) for workspace in state.workspaces()]
    queues = [state.queues(workspace["workspaceId"]) for workspace in state.workspaces()]
    return repr((state.workspaces(), queues, [[(run, sorted(run.hidden)) for run in some] for some in runs])).encode()


def test_the_same_seed_generates_the_same_account() -> None:
    small: dict[str, Any] = {"days": 6, "runs_per_day": 60}
    assert dump(company(1, NOW, **small)) == dump(company(1, NOW, **small))
    assert dump(company(1, NOW, **small)) != dump(company(2, NOW, **small))


def test_regions_and_workspaces() -> None:
    state = company(1, NOW, days=5, runs_per_day=60, region_ids=("cn-hangzhou", "eu-central-1"), workspaces_per_region=3)
    workspaces = state.workspaces()
    assert Counter(workspace["regionId"] for workspace in workspaces) == {"cn-hangzhou": 3, "eu-central-1": 3}
    assert {w["paymentType"] for w in workspaces} == {"PayAsYouGo", "Subscription"}
    assert any(w["prePaidQuota"] for w in workspaces)
    assert any(w["prePaidQuotaGpu"] for w in workspaces)
    assert any(w["tags"] for w in workspaces)
    assert all(state.runs(w["workspaceId"]) for w in workspaces)
    queues = {queue["queueName"] for w in workspaces for queue in state.queues(w["workspaceId"])}
    assert queues == {"root_queue", "dev_queue", "subscription_queue"}
    for workspace in workspaces:
        names = {queue["queueName"] for queue in state.queues(workspace["workspaceId"])}
        assert {run.fields["resourceQueueId"] for run in state.runs(workspace["workspaceId"])} <= names


def test_size_and_range(past: list[Run], runs: list[Run]) -> None:
    recent = Counter((run.submit_ms - NOW) // DAY for run in past if run.submit_ms > NOW - 25 * DAY)
    assert 300 < sum(recent.values()) / len(recent) < 500
    assert max(run.submit_ms for run in runs) > NOW + 10 * DAY
    assert min(run.submit_ms for run in past) < NOW - 32 * DAY


def test_hundreds_of_runs_are_submitted_in_one_millisecond_every_night(past: list[Run]) -> None:
    bursts = Counter((run.workspace_id, run.submit_ms) for run in past)
    assert len([count for count in bursts.values() if count >= 200]) >= 29


def test_most_runs_last_seconds_to_hours(past: list[Run]) -> None:
    lengths = sorted(run.duration_ms(NOW) for run in past if run.started_by(NOW))
    assert lengths[len(lengths) // 100] < MINUTE
    assert MINUTE < lengths[len(lengths) // 2] < 30 * MINUTE
    assert HOUR < lengths[-len(lengths) // 200] < 20 * HOUR


def test_streams_run_for_weeks(past: list[Run]) -> None:
    streams = [run for run in past if run.deployment_id]
    assert any(run.end_ms is None and run.submit_ms < NOW - 30 * DAY for run in streams)
    assert any(run.end_ms is not None and run.duration_ms(NOW) > 7 * DAY for run in streams)
    assert all((run.deployment_id or "").startswith("jd-") for run in streams)


def test_tags_are_missing_misspelled_or_in_different_case(past: list[Run]) -> None:
    pairs = Counter((tag["key"], tag["value"]) for run in past for tag in run.fields["tags"] or [])
    values = {value for key, value in pairs if key == "team"}
    assert {"growth", "Growth", "growht", "风控", "風控"} <= values
    assert {"team", "Team", "TEAM"} <= {key for key, _ in pairs}
    tags = [run.fields["tags"] for run in past if "tags" not in run.hidden]
    assert None in tags
    assert [] in tags
    assert any("tags" in run.hidden for run in past)
    assert any(key == "retry" for key, _ in pairs)


def test_a_bad_deploy_fails_for_two_days(past: list[Run]) -> None:
    broken = [run for run in past if run.fields["releaseVersion"].startswith("esr-4.3.0")]
    assert len(broken) > 100
    assert {run.final_state for run in broken} == {"Failed"}
    first, last = min(run.submit_ms for run in broken), max(run.submit_ms for run in broken)
    assert DAY < last - first < 2 * DAY + HOUR
    assert "NoSuchMethodError" in str(broken[0].final_fields["stateChangeReason"])


def test_timeouts_retries_and_queued_hours(past: list[Run]) -> None:
    messages = Counter(
        (run.final_fields["stateChangeReason"] or {}).get("message") for run in past if run.final_state == "Failed"
    )
    assert any("executionTimeoutSeconds" in (message or "") for message in messages)
    waits = [run.start_ms - run.submit_ms for run in past if run.start_ms is not None]
    assert len([wait for wait in waits if wait > HOUR]) > 200
    assert sorted(waits)[len(waits) // 2] < 5 * MINUTE


def test_states(past: list[Run]) -> None:
    finals = Counter(run.final_state for run in past)
    assert {"Success", "Failed", "Cancelled", "CancelFailed", "Evicted"} <= finals.keys()
    assert finals["Success"] > 0.85 * len(past)
    assert any(run.start_ms is None for run in past)
    midnight = NOW - (NOW + 8 * HOUR) % DAY
    busy = Counter(run.state_at(midnight + 20_000) for run in past)
    assert busy["Running"] > 5
    assert busy["Pending"] > 50


def test_null_and_absent_and_unknown_fields(rows: list[dict[str, object]]) -> None:
    for name in ("tags", "priority", "creator", "cuHours", "fusion", "stateChangeReason", "log"):
        assert any(name not in row for row in rows), name
    for name in ("tags", "creator", "executionTimeoutSeconds", "configurationOverrides", "endTime", "cuHours"):
        assert any(row.get(name, "") is None for row in rows), name
    fresh = [row for row in rows if "computeSpec" in row]
    assert fresh
    assert all(isinstance(row["submitTime"], int) and row["submitTime"] >= NOW - 12 * DAY for row in fresh)


def test_names_releases_and_kinds(past: list[Run]) -> None:
    assert any("\u4e00" <= letter <= "\u9fff" for run in past for letter in run.fields["name"])
    assert {"SQL", "JAR", "PYTHON", "NOTEBOOK"} == {run.fields["codeType"] for run in past}
    assert all(run.fields["releaseVersion"].startswith("esr-") for run in past)
    assert {run.fields["fusion"] for run in past} == {True, False}
    people = Counter(run.fields["creator"] for run in past if not run.is_workflow and run.fields["creator"])
    assert len(people) > 8


def test_every_discount_band_has_substantial_usage(past: list[Run]) -> None:
    bands: Counter[int] = Counter()
    for run in past:
        _, _, cu_hours = run.figures(NOW)
        bands[min(4, max(1, int(run.memory_mib / 1024 / run.vcores)))] += int(cu_hours)
    assert bands.keys() == {1, 2, 3, 4}
    assert min(bands.values()) > 0.005 * bands.total()


def test_every_secret_is_in_a_response_of_the_api(rows: list[dict[str, object]]) -> None:
    assert SECRETS is PLANTED
    assert len(set(SECRETS)) == len(SECRETS) > 30
    text = orjson.dumps(rows).decode()
    assert [secret for secret in SECRETS if secret not in text] == []
    assert [a for a in SECRETS for b in SECRETS if a != b and a in b] == []


@pytest.mark.parametrize("seed", range(5))
def test_a_small_account_contains_every_secret(seed: int) -> None:
    state = company(seed, NOW + seed * 5 * HOUR, days=5, runs_per_day=60, workspaces_per_region=1 + seed % 3)
    reading, now_ms = Variants(list_details=True), NOW + seed * 5 * HOUR
    text = orjson.dumps(
        [state.job_run_rows(workspace["workspaceId"], now_ms, reading) for workspace in state.workspaces()]
    ).decode()
    assert [secret for secret in SECRETS if secret not in text] == []


def test_rows_without_details_contain_secrets(state: State) -> None:
    listed = [row for w in state.workspaces() for row in state.job_run_rows(w["workspaceId"], NOW, Variants())]
    text = orjson.dumps(listed).decode()
    assert len([secret for secret in SECRETS if secret in text]) > 12


def test_only_links_of_open_runs_are_signed(rows: list[dict[str, object]]) -> None:
    for row in rows:
        is_open = row["state"] in OPEN_STATES or row["endTime"] is None
        assert ("PlantedWebUiToken" in str(row.get("webUI"))) == (is_open and "webUI" in row)
