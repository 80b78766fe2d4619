"""Lists are loaded completely: changed rows keep an earlier version, and missing rows are marked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emr_serverless import Load
from emr_usage.emulator import Emulator, Faults, Run
from emr_usage.emulator.workspaces import member_fields, queue_fields
from oracle import query
from plain_load import run
from small_account import served

WORKSPACE = "w-one"
LI, WANG = member_fields(WORKSPACE, "2020776", "Li"), member_fields(WORKSPACE, "2020777", "Wang")
QUEUE = queue_fields(WORKSPACE, "cn-hangzhou", "root_queue")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with served() as running:
        put(running, members=[LI, WANG], queues=[QUEUE])
        yield running


def put(emulator: Emulator, **changes: Any) -> None:
    fields: dict[str, Any] = {"members": [LI, WANG], "queues": [QUEUE]} | changes
    emulator.state.add_workspace(WORKSPACE, **fields)


def load(emulator: Emulator, folder: Path) -> Load:
    emulator.clock.advance(hours=1)
    return run(emulator, folder)


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    return query(folder / "emr.duckdb", sql)


def test_names_of_creators_and_queues_are_loaded(emulator: Emulator, tmp_path: Path) -> None:
    assert load(emulator, tmp_path).stats.incomplete == []
    of_ours = f"WHERE workspace_id = '{WORKSPACE}'"
    members = f"SELECT user_id, display_name, role_names, gone_at FROM emr_raw.members {of_ours} ORDER BY 1"
    roles = '["DataEngineering"]'
    assert rows(tmp_path, members) == [("2020776", "Li", roles, None), ("2020777", "Wang", roles, None)]
    queues = f"SELECT queue_name, payment_type, extra FROM emr_raw.workspace_queues {of_ours}"
    assert rows(tmp_path, queues) == [("root_queue", "PayAsYouGo", None)]


def test_an_unchanged_list_adds_nothing_to_the_history(emulator: Emulator, tmp_path: Path) -> None:
    for hours in range(3):
        load(emulator, tmp_path)
        # In use just then: no change of the queue.
        put(emulator, queues=[QUEUE | {"usedResource": f'{{"cpu": "{hours}"}}'}])
    for table in ("workspaces", "workspace_queues", "members"):
        assert rows(tmp_path, f"SELECT count(*) FROM emr_raw.{table}_history") == [(0,)]
        assert rows(tmp_path, f"SELECT count(*) FROM emr_raw.{table} WHERE gone_at IS NOT NULL") == [(0,)]
    assert rows(tmp_path, f"SELECT used_resource FROM emr_raw.workspace_queues WHERE workspace_id = '{WORKSPACE}'") == [
        ('{"cpu": "1"}',)
    ]


def test_a_changed_row_keeps_its_earlier_version_in_the_history(emulator: Emulator, tmp_path: Path) -> None:
    load(emulator, tmp_path)
    put(
        emulator,
        members=[LI | {"displayName": "Li Na"}, WANG],
        queues=[QUEUE | {"queueStatus": "STOPPED"}],
        workspaceName="renamed",
    )
    load(emulator, tmp_path)
    assert rows(tmp_path, "SELECT display_name FROM emr_raw.members WHERE user_id = '2020776'") == [("Li Na",)]
    earlier = "SELECT user_id, display_name, replaced_at > observed_at FROM emr_raw.members_history"
    assert rows(tmp_path, earlier) == [("2020776", "Li", True)]
    assert rows(tmp_path, "SELECT queue_name, queue_status FROM emr_raw.workspace_queues_history") == [("root_queue", "RUNNING")]
    assert rows(tmp_path, "SELECT workspace_id FROM emr_raw.workspaces_history") == [(WORKSPACE,)]


def test_rows_that_disappear_are_marked_as_gone_until_they_return(emulator: Emulator, tmp_path: Path) -> None:
    gone = "SELECT user_id, gone_at IS NOT NULL FROM emr_raw.members WHERE user_id LIKE '202077%' ORDER BY 1"
    load(emulator, tmp_path)
    put(emulator, members=[WANG])
    load(emulator, tmp_path)
    assert rows(tmp_path, gone) == [("2020776", True), ("2020777", False)]
    marked = rows(tmp_path, "SELECT gone_at FROM emr_raw.members WHERE user_id = '2020776'")
    load(emulator, tmp_path)
    assert rows(tmp_path, "SELECT gone_at FROM emr_raw.members WHERE user_id = '2020776'") == marked
    put(emulator)
    load(emulator, tmp_path)
    assert rows(tmp_path, gone) == [("2020776", False), ("2020777", False)]
    assert rows(tmp_path, "SELECT user_id, gone_at FROM emr_raw.members_history") == [("2020776", *marked[0])]


def test_a_denied_list_does_not_stop_runs_from_loading_and_marks_nothing_as_gone(emulator: Emulator, tmp_path: Path) -> None:
    load(emulator, tmp_path)
    put(emulator, members=[], queues=[])
    emulator.faults = Faults(denied=dict.fromkeys(("ListMembers", "ListWorkspaceQueues"), (403, "Forbidden.RAM")))
    done = load(emulator, tmp_path)
    assert {(result.task.window.resource, result.status) for result in done.stats.incomplete} == {
        ("members", "failed"),
        ("workspace_queues", "failed"),
    }
    advice = {str(result.error).partition("Grant")[2] for result in done.stats.incomplete}
    assert any("the RAM action emr-serverless-spark:ListMembers" in sentence for sentence in advice)
    assert rows(tmp_path, "SELECT count(*) FROM emr_raw.members WHERE gone_at IS NOT NULL") == [(0,)]
    assert rows(tmp_path, "SELECT count(*) > 0 FROM emr_raw.job_runs") == [(True,)]
    failed = "SELECT DISTINCT resource FROM emr_raw.extraction_windows WHERE status = 'failed' ORDER BY 1"
    assert rows(tmp_path, failed) == [("members",), ("workspace_queues",)]


def test_large_accounts_read_lists_with_new_runs_or_once_a_week(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emr_serverless.sync.scheduler.LISTED_WORKSPACES", 1)
    names = [f"w-{number:02}" for number in range(20)]

    def read_lists(days: int) -> set[str]:
        when = emulator.clock.now() + timedelta(days=days)
        emulator.clock.move_to(int(when.timestamp() * 1000))
        emulator.faults = Faults(clock_skew_seconds=(when - datetime.now(UTC)).total_seconds())
        emulator.requests.clear()
        run(emulator, tmp_path, when - timedelta(minutes=1), lambda: when)
        return {name for name in names for record in emulator.requests if record.path.endswith(f"/{name}/members")}

    for name in names:
        emulator.state.add_workspace(name, members=[member_fields(name, "1", "Li")])
    assert read_lists(0) == set(names)
    for name in names:
        emulator.state.add_workspace(name, members=[member_fields(name, "1", "Li Na")])
    nights = [read_lists(1) for _ in range(3)]
    start_ms = emulator.clock.now_ms()
    emulator.state.add(Run(names[0], "jr-new", start_ms, start_ms=start_ms))
    nights += [read_lists(1) for _ in range(4)]
    assert names[0] in nights[3]
    assert all(0 < len(night) < 10 for night in nights)
    assert set.union(*nights) == set(names)
    assert rows(tmp_path, "SELECT DISTINCT display_name FROM emr_raw.members WHERE workspace_id LIKE 'w-0%'") == [("Li Na",)]
