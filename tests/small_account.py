"""A small account without secrets, whose runs have every kind of lifecycle, and helpers that advance it by a night."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from emr_usage.emulator import Clock, Emulator, Faults, Run, State, Variants

NOW = datetime(2026, 11, 1, 2, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
REGIONS = {"w-one": "cn-hangzhou", "w-two": "cn-hangzhou", "w-three": "ap-southeast-1"}
DAYS_PAST, DAYS_AHEAD = 6, 8
# Queued and run for so long; None never starts or never ends. The first two are there every day in every workspace.
LIVES: tuple[tuple[int | None, int | None], ...] = (
    (0, 10 * MINUTE_MS),
    (5 * HOUR_MS, HOUR_MS),
    (MINUTE_MS, 60 * HOUR_MS),
    (None, 2 * HOUR_MS),
    (MINUTE_MS, None),
)
# What a run's tags are changed into, in turn.
NEW_TAGS: tuple[list[dict[str, str]] | None, ...] = (
    None,
    [],
    [{"key": "team", "value": "风控"}],
    [{"key": "a", "value": ""}] * 3,
)


def small_account(workspaces: dict[str, str] | None = None, now: datetime = NOW) -> State:
    """Return an account with a week behind it and a week to come."""
    state = State()
    now_ms = int(now.timestamp() * 1000)
    for workspace_id, region_id in (workspaces or REGIONS).items():
        state.add_workspace(workspace_id, region_id)
        numbers = count()
        for day in range(-DAYS_PAST, DAYS_AHEAD):
            lives = (*LIVES[:2], LIVES[2 + day % 3]) if day % 3 < 2 or day == 2 - DAYS_PAST else LIVES[:2]
            state.add(*(make_run(workspace_id, next(numbers), now_ms + day * DAY_MS + 7 * HOUR_MS, life) for life in lives))
    return state


def served(state: State | None = None, *, faults: Faults | None = None, page_limit: int = 10) -> Emulator:
    """Return an emulator of the account, not yet started, whose pages are small and whose rows have every detail."""
    variants = Variants(list_details=True)
    return Emulator(state or small_account(), Clock(NOW_MS), variants=variants, faults=faults, page_limit=page_limit)


def pass_a_night(emulator: Emulator) -> None:
    """Let a day pass: runs come, start and end, and some that had ended just before are given other tags."""
    before_ms = emulator.clock.now_ms()
    emulator.clock.advance(days=1)
    for workspace in emulator.state.workspaces():
        workspace_id = workspace["workspaceId"]
        runs = emulator.state.runs(workspace_id)
        ended = [run for run in runs if run.end_ms and before_ms - 23 * HOUR_MS < run.end_ms <= before_ms]
        for number, run in enumerate(ended):
            emulator.state.retag(workspace_id, run.job_run_id, NEW_TAGS[(number + before_ms // DAY_MS) % len(NEW_TAGS)])


def make_run(workspace_id: str, number: int, submit_ms: int, life: tuple[int | None, int | None]) -> Run:
    queued_ms, lasts_ms = life
    start_ms = None if queued_ms is None else submit_ms + queued_ms
    fields: dict[str, Any] = {
        "name": f"job_{number % 7}",
        "creator": f"20207764675512{number:04}",
        "tags": [{"key": key, "value": f"{key} {number}"} for key in ("team", "项目", "env")[: number % 4]],
        "jobDriver": {
            "sparkSubmit": {
                "entryPoint": f"oss://jobs/{number % 7}.py",
                "entryPointArguments": [f"--day={number}", "--city=杭州"][: number % 3],
                "sparkSubmitParameters": "--conf spark.executor.cores=4",
            }
        },
        "configurationOverrides": {
            "configurations": [
                {"configFileName": "spark-defaults.conf", "configItemKey": f"spark.k{item}", "configItemValue": str(number)}
                for item in range(number % 3)
            ]
        },
        "invented": {"number": number},
    }
    return Run(
        workspace_id=workspace_id,
        job_run_id=f"jr-{workspace_id}-{number:04}",
        submit_ms=submit_ms + number,
        start_ms=None if start_ms is None else start_ms + number,
        end_ms=None if lasts_ms is None else (start_ms or submit_ms) + lasts_ms + number,
        final_state=("Success", "Failed", "Cancelled")[number % 3] if start_ms else "Cancelled",
        fields=fields,
        open_fields={"log": {"driverStdOut": f"https://logs/{number}"}},
        final_fields={"log": {"driverStdOut": f"oss://logs/{number}"}, "stateChangeReason": {"code": "0", "message": "ok"}},
    )
