"""Requests sent by other processes have the same responses as those of this process, even if processes are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documented import DOCUMENTED_RUN, WORKSPACE
from emr_serverless.api import processes
from emr_serverless.api.client import Client, RequestStats
from emr_serverless.api.credentials import AccessKey
from emr_serverless.api.exchange import ConnectionSettings, Exchange, NoResponseError, Request, Response, trusted_authorities
from emr_serverless.api.processes import ProcessEndedError, Processes
from emr_serverless.resources.job_runs import JOB_RUNS
from receiver import Receiver, receiving

SOURCES = Path(processes.__file__).parents[2]
SETTINGS = ConnectionSettings(connections=4, timeout_seconds=60, uses_proxy=False)
ASKED = {"workspaceId": WORKSPACE}
BODY = {"jobRuns": [DOCUMENTED_RUN], "nextToken": "t", "totalCount": 7}
# A process of this suite's own, which starts one that sends a request, says which, and waits to be killed.
PARENT = f"""
import sys, threading, time
sys.path.insert(0, {str(SOURCES)!r})
from emr_serverless.api import processes
from emr_serverless.api.exchange import ConnectionSettings, Request
processes.REQUESTS_BEFORE_START = 0
send = processes.Processes(ConnectionSettings(1, 600, False), print, 1)
request = Request(sys.argv[1], {{}}, "job_runs", {{}})
send(request)
while send._idle.empty():
    time.sleep(0.01)
print(send._running[0]._process.pid, flush=True)
send(request)
"""
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from([*DOCUMENTED_RUN]), inner),
    max_leaves=6,
)


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiving() as receiver:
        receiver.answer = BODY
        yield receiver


@pytest.fixture
def here() -> Iterator[Exchange]:
    exchange = Exchange(SETTINGS, trusted_authorities())
    yield exchange
    exchange.close()


@pytest.fixture
def send(here: Exchange, server: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    monkeypatch.setattr(processes, "REQUESTS_BEFORE_START", 0)
    sending = Processes(SETTINGS, here, 2)
    sending(request_to(server))
    wait_for(lambda: sending._idle.qsize() == SETTINGS.connections)  # noqa: SLF001
    yield sending
    sending.close()


def request_to(server: Receiver) -> Request:
    return Request(f"{server.url}/jobRuns", {"host": "emr.test"}, JOB_RUNS.table, ASKED)


def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.01)


def pids(sending: Processes) -> list[int]:
    return [process._process.pid for process in sending._running]  # noqa: SLF001  # to kill them


def facts(response: Response) -> object:
    answer = response.answer
    read = answer and (answer.records.values.to_pylist(), answer.records.extra.to_pylist(), answer.next_token, answer.total_count)
    headers = response.headers and {name: value for name, value in response.headers.items() if name != "date"}
    return response.status, read, response.reason_phrase, headers, response.content


@given(
    rows=st.lists(st.just(DOCUMENTED_RUN) | st.dictionaries(st.sampled_from([*DOCUMENTED_RUN, "new"]), values), max_size=3),
    status=st.sampled_from([200, 200, 200, 400, 429, 503]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_response_equals_that_of_the_same_process(
    send: Processes, here: Exchange, server: Receiver, rows: list[Any], status: int
) -> None:
    server.status, server.answer = status, {"jobRuns": rows, "totalCount": len(rows)}
    request = request_to(server)
    assert str(facts(send(request))) == str(facts(here(request)))
    assert len(pids(send)) == 2, "none of them failed"


def test_a_request_without_a_response_fails_as_in_the_same_process(send: Processes, here: Exchange, server: Receiver) -> None:
    request = Request("http://127.0.0.1:9/", {}, JOB_RUNS.table, {})
    errors = []
    for sender in (send, here):
        with pytest.raises(NoResponseError) as error:
            sender(request)
        errors.append((error.value.kind, error.value.message))
    assert errors[0] == errors[1]
    assert errors[0][0] == "ConnectError"
    assert facts(send(request_to(server))) == facts(here(request_to(server)))


def test_no_process_is_started_for_a_few_requests(here: Exchange, server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "REQUESTS_BEFORE_START", 3)
    sending = Processes(SETTINGS, here, 1)
    started = []
    for _ in range(5):
        assert sending(request_to(server)).answer
        started.append(len(pids(sending)))
    sending.close()
    assert started == [0, 0, 0, 1, 1]


def test_a_killed_process_loses_no_response(
    server: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(processes, "REQUESTS_BEFORE_START", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    client = Client(
        provide_key=lambda: AccessKey("LTAI-test", "secret"),
        clock=lambda: datetime.now(UTC),
        endpoint=server.url,
        max_connections=2,
    )
    sending, requests = client._processes, RequestStats()  # noqa: SLF001

    def list_job_runs() -> int:
        return len(client.fetch_page(JOB_RUNS, "cn-hangzhou", WORKSPACE, requests).records)

    assert list_job_runs() == 1
    wait_for(lambda: sending._idle.qsize() == 2)  # noqa: SLF001
    for left in (2, 1):
        assert len(pids(sending)) == left
        os.kill(pids(sending)[0], signal.SIGKILL)
        assert [list_job_runs() for _ in range(4)] == [1] * 4
    client.close()
    assert caplog.text.count("A process that sends requests ended; the load continues without it") == 2
    assert len(server.received) == 9
    assert requests.requests == 11, "a request that was lost with a process counts, as it may have been sent"


def test_threads_continue_after_their_processes_are_killed(send: Processes, here: Exchange, server: Receiver) -> None:
    request = request_to(server)
    expected = facts(here(request))
    wrong: list[object] = []
    ends = threading.Event()

    def work() -> None:
        while not ends.is_set():
            try:
                if facts(send(request)) != expected:
                    wrong.append(1)
            except ProcessEndedError:
                continue

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for pid in pids(send):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not pids(send))
    ends.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert facts(send(request)) == expected


def test_a_response_that_a_process_cannot_read_ends_the_process_and_fails_in_the_load(send: Processes, server: Receiver) -> None:
    request = Request(f"{server.url}/", {}, "nothing", {})
    for _ in range(2):
        with pytest.raises(ProcessEndedError):
            send(request)
    with pytest.raises(KeyError, match="nothing"):
        send(request)


def test_requests_are_sent_by_the_load_where_no_process_can_be_started(
    here: Exchange, server: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(processes, "REQUESTS_BEFORE_START", 0)
    monkeypatch.setattr(sys, "executable", str(Path(__file__).with_name("there is no such file")))
    sending = Processes(SETTINGS, here, 2)
    assert facts(sending(request_to(server))) == facts(here(request_to(server)))
    assert "no other can be started" in caplog.text


def test_processes_exit_with_their_parent_even_if_a_server_hangs(server: Receiver) -> None:
    server.behaviour = "hang"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, server.url], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout
        assert parent.stdout.readline().startswith("Request(")
        child = int(parent.stdout.readline())
        wait_for(lambda: len(server.received) > 0)
        os.kill(child, 0)
        parent.kill()
    # It reads the end of its standard input, in its own time.
    wait_for(lambda: not is_alive(child))


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended may be kept for a parent that never asks for its exit code."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return not status.parent.parent.joinpath("self").exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_closing_does_not_wait_for_a_hanging_server(send: Processes, server: Receiver) -> None:
    server.received.clear()
    server.behaviour = "hang"
    ended = threading.Event()

    def work() -> None:
        with pytest.raises(ProcessEndedError):
            send(request_to(server))
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: len(server.received) > 0)
    send.close()
    assert ended.wait(60)
    thread.join()


def test_after_closing_requests_are_sent_by_the_load_itself(send: Processes, here: Exchange, server: Receiver) -> None:
    started = pids(send)
    assert len(started) == 2
    send.close()
    assert not any(map(is_alive, started))
    assert facts(send(request_to(server))) == facts(here(request_to(server)))
    assert pids(send) == []
