"""Answers decoded in other processes are those that this one reads, whatever becomes of the processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documented import DOCUMENTED_RUN, WORKSPACE
from emr_serverless.arrow import processes
from emr_serverless.arrow.decode import Answer, read_answer
from emr_serverless.arrow.processes import DecodingProcesses
from emr_serverless.resources.job_runs import JOB_RUNS

SOURCES = Path(processes.__file__).parents[2]
ASKED = {"workspaceId": WORKSPACE}
BODY = json.dumps({"jobRuns": [DOCUMENTED_RUN], "nextToken": "t", "totalCount": 7}).encode()
# A process of this suite's own, which starts one that decodes, says which, and waits to be killed.
PARENT = f"""
import sys, time
sys.path.insert(0, {str(SOURCES)!r})
from emr_serverless.arrow import processes
from emr_serverless.resources.job_runs import JOB_RUNS
processes.PAGES_BEFORE_START = 0
decode = processes.DecodingProcesses(1)
decode({BODY!r}, JOB_RUNS, {{}})
print(decode._running[0]._process.pid, flush=True)
time.sleep(600)
"""
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from([*DOCUMENTED_RUN]), inner),
    max_leaves=6,
)


@pytest.fixture
def decode(monkeypatch: pytest.MonkeyPatch) -> Iterator[DecodingProcesses]:
    monkeypatch.setattr(processes, "PAGES_BEFORE_START", 0)
    decoding = DecodingProcesses(2)
    yield decoding
    decoding.close()


def pids(decode: DecodingProcesses) -> list[int]:
    return [process._process.pid for process in decode._running]  # noqa: SLF001  # to kill them


def facts(answer: Answer | None) -> object:
    return answer and (answer.records.values.to_pylist(), answer.records.extra.to_pylist(), answer.next_token, answer.total_count)


@given(
    rows=st.lists(st.just(DOCUMENTED_RUN) | st.dictionaries(st.sampled_from([*DOCUMENTED_RUN, "new"]), values), max_size=3),
    cut=st.integers(0, 3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_answer_is_that_which_is_read_here(decode: DecodingProcesses, rows: list[Any], cut: int) -> None:
    body = json.dumps({"jobRuns": rows, "totalCount": len(rows)}).encode()
    body = body[: len(body) - cut]
    assert str(facts(decode(body, JOB_RUNS, ASKED))) == str(facts(read_answer(body, JOB_RUNS, ASKED)))
    assert len(pids(decode)) == 2, "none of them failed"


def test_none_is_started_for_a_few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PAGES_BEFORE_START", 3)
    decode = DecodingProcesses(1)
    started = []
    for _ in range(5):
        assert decode(BODY, JOB_RUNS, ASKED)
        started.append(len(pids(decode)))
    decode.close()
    assert started == [0, 0, 0, 1, 1]


def test_a_process_that_is_killed_costs_nothing(decode: DecodingProcesses, caplog: pytest.LogCaptureFixture) -> None:
    expected = facts(decode(BODY, JOB_RUNS, ASKED))
    for left in (2, 1):
        assert len(pids(decode)) == left
        os.kill(pids(decode)[0], signal.SIGKILL)
        for _ in range(4):
            assert facts(decode(BODY, JOB_RUNS, ASKED)) == expected
    assert pids(decode) == []
    assert caplog.text.count("A process that decodes answers ended; the load continues without it") == 2


def test_threads_that_wait_for_processes_that_are_killed_go_without(decode: DecodingProcesses) -> None:
    expected = facts(decode(BODY, JOB_RUNS, ASKED))
    wrong: list[object] = []
    ends = threading.Event()

    def work() -> None:
        while not ends.is_set():
            if facts(decode(BODY, JOB_RUNS, ASKED)) != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for pid in pids(decode):
        os.kill(pid, signal.SIGKILL)
    while pids(decode):
        time.sleep(0.01)
    ends.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_a_process_cannot_read_fails_here(decode: DecodingProcesses) -> None:
    with pytest.raises(KeyError, match="nothing"):
        decode(BODY, replace(JOB_RUNS, table="nothing"), ASKED)
    assert len(pids(decode)) == 2


def test_answers_are_read_here_where_no_process_can_be_started(
    decode: DecodingProcesses, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", str(Path(__file__).with_name("there is no such file")))
    assert facts(decode(BODY, JOB_RUNS, ASKED)) == facts(read_answer(BODY, JOB_RUNS, ASKED))
    assert "no other can be started" in caplog.text


def test_they_end_with_the_process_that_started_them() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
    # It reads the end of its standard input, in its own time.
    while is_alive(child):
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended may be kept for a parent that never asks for its exit code."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return not status.parent.parent.joinpath("self").exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_after_the_end_answers_are_read_here(decode: DecodingProcesses) -> None:
    decode(BODY, JOB_RUNS, ASKED)
    started = pids(decode)
    decode.close()
    assert not any(map(is_alive, started))
    assert facts(decode(BODY, JOB_RUNS, ASKED)) == facts(read_answer(BODY, JOB_RUNS, ASKED))
    assert pids(decode) == []
