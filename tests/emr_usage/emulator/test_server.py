"""HTTP: connections, headers, records, starting and stopping; and that the emulator has no dependency on the source."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Callable

import httpx
import pytest

import emr_usage.emulator
from emr_usage.emulator import Clock, Emulator, Faults, Run, State, serve_forever

ListRuns = Callable[..., httpx.Response]
NOW = 1_760_000_000_000


def test_one_connection_serves_many_requests(emulator: Emulator) -> None:
    emulator.verify_signatures = False
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/api/v1/workspaces?regionId=cn-hangzhou")
        response = connection.getresponse()
        assert (response.status, response.version) == (200, 11)
        response.read()
        sockets.add(id(connection.sock))
    assert len(sockets) == 1
    connection.close()


def test_every_response_has_a_date_a_length_and_a_request_id(list_runs: ListRuns) -> None:
    response = list_runs()
    assert response.headers["content-type"] == "application/json;charset=utf-8"
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.headers["date"].endswith("GMT")
    assert response.json()["requestId"] == response.headers["x-acs-request-id"]
    assert list_runs().json()["requestId"] != response.json()["requestId"]


@pytest.mark.parametrize("path", ["/", "/api/v1/workspaces/w-1", "/api/v1/workspaces/w-1/jobRuns/jr-01/executors"])
def test_an_unknown_path_is_not_found(http: httpx.Client, emulator: Emulator, path: str) -> None:
    emulator.verify_signatures = False
    response = http.get(path)
    assert (response.status_code, response.json()["Code"]) == (404, "InvalidApi.NotFound")


def test_only_get_is_supported(http: httpx.Client, emulator: Emulator) -> None:
    emulator.verify_signatures = False
    response = http.post("/api/v1/workspaces/w-1/jobRuns", params={"regionId": "cn-hangzhou"}, json={"name": "x"})
    assert (response.status_code, response.json()["Code"]) == (404, "InvalidApi.NotFound")


def test_recorded_requests_can_be_cleared(list_runs: ListRuns, emulator: Emulator) -> None:
    list_runs(name="数 据")
    list_runs(maxResults="x")
    first, second = emulator.requests
    assert (first.operation, first.workspace_id, first.status, first.code) == ("ListJobRuns", "w-1", 200, None)
    assert first.query == {"regionId": "cn-hangzhou", "name": "数 据"}
    assert (second.status, second.code, second.in_flight) == (400, "InvalidParameter", 1)
    emulator.reset()
    assert (emulator.requests, emulator.peak_in_flight) == ([], 0)


def test_an_internal_error_is_a_500_and_is_recorded(account: State) -> None:
    with Emulator(account, Clock(NOW), verify_signatures=False) as broken:
        account.change("w-1", "jr-01", fields={"name": object()})
        response = httpx.get(f"{broken.url}/api/v1/workspaces/w-1/jobRuns", params={"regionId": "cn-hangzhou"}, trust_env=False)
        assert (response.status_code, response.json()["Code"]) == (500, "InternalError")
        assert [type(error).__name__ for error in broken.failures] == ["TypeError"]


def test_stopping_does_not_wait_for_a_hanging_request() -> None:
    emulator = Emulator(State(), Clock(NOW), faults=Faults(script=["hang"], hang_seconds=3600), verify_signatures=False)
    emulator.start()
    met: list[Exception] = []

    def ask() -> None:
        try:
            httpx.get(emulator.url, timeout=60, trust_env=False)
        except httpx.TransportError as error:
            met.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not emulator.requests:
        asking.join(0.001)
    emulator.stop()
    asking.join(30)
    assert len(met) == 1
    emulator.stop()


def test_the_emulator_starts_again_after_a_stop_but_not_while_it_runs() -> None:
    emulator = Emulator(State(), Clock(NOW), verify_signatures=False)
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url
    for _ in range(2):
        with emulator:
            answer = httpx.get(f"{emulator.url}/api/v1/workspaces", params={"regionId": "x"}, trust_env=False)
            assert answer.json()["workspaces"] == []
            with pytest.raises(RuntimeError, match="running already"):
                emulator.start()


def test_new_runs_appear_while_the_clock_runs(account: State) -> None:
    account.add(Run("w-1", "jr-soon", NOW + 5))
    with Emulator(account, Clock(NOW, running=True), verify_signatures=False) as emulator:
        asked = {"regionId": "cn-hangzhou", "jobRunId": "jr-soon"}
        for _ in range(1000):
            body = httpx.get(f"{emulator.url}/api/v1/workspaces/w-1/jobRuns", params=asked, trust_env=False).json()
            if body["totalCount"]:
                break
        assert body["totalCount"] == 1


def test_the_emulator_serves_an_account_until_it_is_stopped() -> None:
    stop = threading.Event()
    seen: list[int] = []

    def announce(emulator: Emulator) -> None:
        emulator.verify_signatures = False
        answer = httpx.get(f"{emulator.url}/api/v1/workspaces", params={"regionId": "cn-beijing"}, trust_env=False)
        seen.append(answer.json()["totalCount"])
        stop.set()

    serve_forever(
        NOW, port=0, days=4, runs_per_day=60, region_ids=("cn-beijing",), workspaces_per_region=3, announce=announce, stop=stop
    )
    assert seen == [3]


def test_the_emulator_imports_nothing_from_the_source() -> None:
    program = (
        "import sys, emr_usage.emulator; "
        "print([name for name in sys.modules if name.split('.')[0] in {'emr_serverless', 'dlt', 'httpx', 'pyarrow'}"
        " or name.startswith('emr_usage.') and not name.startswith('emr_usage.emulator')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_documented() -> None:
    for name in emr_usage.emulator.__all__:
        thing = getattr(emr_usage.emulator, name)
        if callable(thing):
            assert thing.__doc__, name
