"""Each fault has its documented effect on the response."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
import pytest

from emr_usage.emulator import Emulator, Faults, Variants
from emr_usage.emulator.faults import KINDS

ListRuns = Callable[..., httpx.Response]


@pytest.mark.parametrize(
    ("kind", "status", "code", "hints"),
    [
        ("throttle_400", 400, "Throttling.User", {}),
        ("throttle_400_retry_after", 400, "Throttling.User", {"x-acs-retry-after": "70"}),
        ("throttle_400_retry_after_seconds", 400, "Throttling.User", {"retry-after": "2"}),
        ("throttle_429", 429, "Throttling", {}),
        ("throttle_429_retry_after", 429, "Throttling", {"x-acs-retry-after": "70"}),
        ("throttle_429_retry_after_seconds", 429, "Throttling", {"retry-after": "2"}),
        ("throttle_503", 503, "Throttling.Api", {}),
        ("throttle_503_retry_after", 503, "Throttling.Api", {"x-acs-retry-after": "70"}),
        ("throttle_503_retry_after_seconds", 503, "Throttling.Api", {"retry-after": "2"}),
        ("error_500", 500, "InternalError", {}),
        ("error_503", 503, "ServiceUnavailable", {}),
        ("nonce_used", 400, "SignatureNonceUsed", {}),
    ],
)
def test_error_faults_return_error_responses(
    list_runs: ListRuns, emulator: Emulator, kind: str, status: int, code: str, hints: dict[str, str]
) -> None:
    emulator.faults = Faults(script=[kind], retry_after_ms=70, retry_after_seconds=2)
    response = list_runs()
    body = response.json()
    assert (response.status_code, body["Code"]) == (status, code)
    assert body.keys() == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert {name: response.headers[name] for name in ("x-acs-retry-after", "retry-after") if name in response.headers} == hints
    assert list_runs().status_code == 200


def test_the_services_own_errors_are_in_lower_camel_case(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.faults = Faults(script=["error_500_service"])
    response = list_runs()
    assert (response.status_code, response.json()["code"]) == (500, "InternalError")
    assert response.json().keys() == {"requestId", "code", "message"}


@pytest.mark.parametrize(("kind", "status"), [("error_502_html", 502), ("error_504_html", 504), ("error_200_html", 200)])
def test_html_faults_return_html_pages(list_runs: ListRuns, emulator: Emulator, kind: str, status: int) -> None:
    emulator.faults = Faults(script=[kind])
    response = list_runs()
    assert (response.status_code, response.headers["content-type"]) == (status, "text/html")
    assert response.text.startswith("<html>")


def test_an_invalid_body_is_not_json(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.faults = Faults(script=["garbage"])
    response = list_runs()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json;charset=utf-8")
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(response.content)


def test_a_dropped_connection_returns_no_response(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.faults = Faults(script=["drop"])
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        list_runs()
    assert (emulator.requests[0].status, emulator.requests[0].fault) == (None, "drop")


def test_a_truncated_body_is_shorter_than_announced(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.faults = Faults(script=["truncate"])
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        list_runs()
    assert list_runs().status_code == 200


def test_a_hanging_request_does_not_block_other_requests(list_runs: ListRuns, http: httpx.Client, emulator: Emulator) -> None:
    emulator.faults = Faults(script=["hang"], hang_seconds=600)
    http.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        list_runs()
    http.timeout = httpx.Timeout(10)
    assert list_runs().status_code == 200


def test_the_emulator_drops_a_hanging_request(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.faults = Faults(script=["hang"], hang_seconds=0.01)
    with pytest.raises(httpx.RemoteProtocolError):
        list_runs()


@pytest.mark.parametrize("tokens", ["offset", "cursor", "expiring"])
def test_a_repeated_token_returns_the_same_page(list_runs: ListRuns, emulator: Emulator, tokens: Any) -> None:
    emulator.variants, emulator.page_limit = Variants(tokens=tokens), 3
    first = list_runs().json()
    emulator.faults = Faults(script=["repeat_token"])
    second = list_runs(nextToken=first["nextToken"]).json()
    assert second["nextToken"] == first["nextToken"]
    assert [run["jobRunId"] for run in second["jobRuns"]] == ["jr-09", "jr-03", "jr-02"]
    emulator.faults = Faults(script=["repeat_token"])
    again = list_runs(nextToken=list_runs().json()["nextToken"]).json()
    assert [run["jobRunId"] for run in again["jobRuns"]] == [run["jobRunId"] for run in first["jobRuns"]]


@pytest.mark.parametrize("tokens", ["offset", "cursor", "expiring"])
def test_an_empty_page_with_a_token_skips_its_rows(list_runs: ListRuns, emulator: Emulator, tokens: Any) -> None:
    emulator.variants, emulator.page_limit = Variants(tokens=tokens), 3
    emulator.faults = Faults(script=["empty_page_with_token"])
    empty = list_runs().json()
    assert (empty["jobRuns"], empty["totalCount"]) == ([], 8)
    following = list_runs(nextToken=empty["nextToken"]).json()
    assert [run["jobRunId"] for run in following["jobRuns"]] == ["jr-09", "jr-03", "jr-02"]


def test_an_expired_token_is_refused_and_a_first_page_is_not(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.page_limit = 3
    emulator.faults = Faults(script=["expire_token", "expire_token"])
    token = list_runs().json()["nextToken"]
    refused = list_runs(nextToken=token)
    assert (refused.status_code, refused.json()["Code"]) == (400, "InvalidParameter")
    assert list_runs(nextToken=token).status_code == 200


@pytest.mark.parametrize(
    ("denied", "status", "code"),
    [
        ({"w-1": (403, "Forbidden.RAM")}, 403, "Forbidden.RAM"),
        ({"ListJobRuns": (403, "NoPermission")}, 403, "NoPermission"),
        ({"w-1": (404, "InvalidWorkspaceId.NotFound")}, 404, "InvalidWorkspaceId.NotFound"),
        ({"w-1": (400, None)}, 400, None),
    ],
)
def test_denials_are_permanent(
    list_runs: ListRuns, emulator: Emulator, denied: dict[str, tuple[int, str | None]], status: int, code: str | None
) -> None:
    emulator.faults = Faults(denied=denied)
    for _ in range(2):
        response = list_runs()
        assert (response.status_code, response.json()["Code"]) == (status, code)
        assert ("AccessDeniedDetail" in response.json()) == (status == 403)


def test_a_denied_operation_or_workspace_does_not_affect_the_others(http: httpx.Client, emulator: Emulator) -> None:
    emulator.verify_signatures = False
    emulator.faults = Faults(denied={"w-1": (403, "Forbidden"), "ListWorkspaces": (403, "Forbidden")})
    region = {"regionId": "cn-hangzhou"}
    assert http.get("/api/v1/workspaces", params=region).status_code == 403
    assert http.get("/api/v1/workspaces/w-1/queues", params=region).status_code == 403
    assert http.get("/api/v1/workspaces/w-2/jobRuns", params=region).status_code == 200


def test_scripted_faults_apply_to_one_request_each(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.faults = Faults(script=["error_500", None, "throttle_429"])
    assert [list_runs().status_code for _ in range(5)] == [500, 200, 429, 200, 200]
    assert [record.fault for record in emulator.requests] == ["error_500", None, "throttle_429", None, None]


def test_random_faults_have_their_rate_and_depend_on_the_seed_alone() -> None:
    def draw(seed: int) -> list[str | None]:
        faults = Faults(seed=seed, rates={"error_500": 0.2, "throttle_429": 0.1})
        return [faults.take(f"/page?{number}") for number in range(2000)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert 320 < draw(1).count("error_500") < 480
    assert 140 < draw(1).count("throttle_429") < 260


def test_random_faults_do_not_depend_on_the_order_of_requests() -> None:
    keys = [f"/page?{number % 50}" for number in range(200)]

    def draw(order: list[str]) -> dict[str, list[str | None]]:
        faults = Faults(rates={"drop": 0.3})
        met: dict[str, list[str | None]] = {key: [] for key in set(keys)}
        for key in order:
            met[key].append(faults.take(key))
        return met

    assert draw(keys) == draw(sorted(keys))


def test_each_retry_gets_its_own_fault() -> None:
    faults = Faults(rates={"error_500": 0.5})
    assert {faults.take("/the/same") for _ in range(50)} == {None, "error_500"}


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault is called 'trottle'"):
        Faults(rates={"trottle": 1})
    with pytest.raises(ValueError, match="no fault is called 'trottle'"):
        Faults(script=["trottle"]).take("/")


def test_a_quota_throttles_requests_above_its_rate(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.faults = Faults(max_per_second=4)
    began = time.monotonic()
    statuses = [list_runs().status_code for _ in range(12)]
    seconds = time.monotonic() - began
    assert 4 <= statuses.count(200) <= 4 + 4 * seconds + 1
    assert {record.code for record in emulator.requests if record.status != 200} == {"Throttling.User"}


def test_a_quota_throttles_concurrent_requests_above_its_limit(list_runs: ListRuns, emulator: Emulator) -> None:
    emulator.faults = Faults(max_in_flight=2, latency_seconds=0.3)
    ready = threading.Barrier(6)

    def ask(_: int) -> int:
        ready.wait()
        return list_runs().status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(ask, range(6)))
    assert statuses.count(200) >= 2
    assert {record.code for record in emulator.requests if record.in_flight > 2} <= {"Throttling.User"}
    assert all(record.status == 200 for record in emulator.requests if record.in_flight <= 2)
    assert emulator.peak_in_flight == max(record.in_flight for record in emulator.requests)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_fault_applies_to_every_operation(http: httpx.Client, emulator: Emulator, kind: str) -> None:
    emulator.verify_signatures = False
    region = {"regionId": "cn-hangzhou"}
    for path in ("/api/v1/workspaces", "/api/v1/workspaces/w-1/queues", "/api/v1/workspaces/w-1/jobRuns/jr-01"):
        emulator.faults = Faults(script=[kind], hang_seconds=0.01)
        try:
            http.get(path, params=region)
        except httpx.RemoteProtocolError:
            assert kind in {"drop", "hang", "truncate"}
    assert [record.fault for record in emulator.requests] == [kind] * 3
