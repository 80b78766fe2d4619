"""Airflow 3: `emr_usage` loads, builds and reports every night; `emr_usage_backfill` loads older months, on request.

Needs the pool `emr_usage`. The tasks run the command in the folder that the environment variable `EMR_USAGE_FOLDER` names;
see docs/scheduling.md of emr-usage.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import Asset, BaseOperator, Param, chain, dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

FOLDER = os.environ.get("EMR_USAGE_FOLDER", "/srv/emr-usage")
COMMAND = f"{FOLDER}/.venv/bin/emr-usage"
DESTINATION = os.environ.get("EMR_USAGE_DESTINATION", "duckdb")
# Bounds how many tasks send requests to the API at the same time.
POOL = "emr_usage"
# How long a command waits for another one that uses the database.
WAIT_SECONDS = 3600

INVALID, INCOMPLETE = 2, 3
MAX_NAMED = 10

RAW, MARTS, REPORTS = Asset("emr_raw"), Asset("emr_marts"), Asset("emr_reports")
DEFAULTS = {"retries": 3, "retry_delay": timedelta(minutes=10)}


class EmrUsageOperator(BaseOperator):
    """Runs a command of `emr-usage` in its own environment, and returns what it prints with `--json`.

    Exit code 3 (incomplete) succeeds: the task `completeness` fails for it, once the complete part has been built.

    Args:
        arguments: the command and its options.
        options: those of every operator.

    Raises:
        AirflowFailException: options, settings or input files are invalid (exit code 2); a retry cannot help.
        AirflowException: the command failed or was stopped, or the database stays in use; a retry can help.
    """

    def __init__(self, *, arguments: list[str], **options: Any) -> None:
        super().__init__(**options)
        self.arguments = arguments

    @cached_property
    def _hook(self) -> Any:
        return SubprocessHook()

    def execute(self, context: Any) -> dict[str, Any]:  # noqa: ARG002  # Airflow's signature
        """Run the command; at most ten incomplete windows are returned, with `incomplete_windows` counting all."""
        if not Path(COMMAND).exists():
            raise AirflowFailException(f"There is no command {COMMAND}. Set EMR_USAGE_FOLDER to the folder that has it.")
        command = [COMMAND, *self.arguments, "--destination", DESTINATION, "--json"]
        done = self._hook.run_command(command, cwd=FOLDER)
        if done.exit_code == INVALID:
            raise AirflowFailException(f"emr-usage {self.arguments[0]} exited with {INVALID}: correct what its log names.")
        if done.exit_code not in {0, INCOMPLETE}:
            raise AirflowException(f"emr-usage {self.arguments[0]} exited with {done.exit_code}: see its log.")
        facts: dict[str, Any] = json.loads(done.output)
        incomplete = facts.get("incomplete", [])
        counted = {"exit_code": done.exit_code, "incomplete_windows": len(incomplete)}
        return facts | counted | {"incomplete": incomplete[:MAX_NAMED]}

    def on_kill(self) -> None:
        """Stop the command, which keeps what it has committed."""
        self._hook.send_sigterm()


def build_task(outlets: list[Asset]) -> EmrUsageOperator:
    """Return the task that builds the marts."""
    return EmrUsageOperator(task_id="build", arguments=["build", "--wait", str(WAIT_SECONDS)], outlets=outlets)


@task
def completeness(loads: Iterable[dict[str, Any]]) -> None:
    """Fail where a load exited with 3."""
    incomplete = [load for load in loads if load["exit_code"] == INCOMPLETE]
    if incomplete:
        count = sum(load["incomplete_windows"] for load in incomplete)
        windows = [window for load in incomplete for window in load["incomplete"]]
        named = [f"{window['workspace_id']}: {window['error'] or window['status']}" for window in windows]
        sentences = "; ".join(list(dict.fromkeys(named))[:MAX_NAMED])
        raise AirflowFailException(f"{count} windows are incomplete, which the next load retries: {sentences}")


def month_ranges(first: date, after: date) -> list[tuple[date, date]]:
    """Return the ranges into which the first days of months cut a range of dates, oldest first."""
    ranges = []
    while first < after:
        next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        ranges.append((first, min(next_month, after)))
        first = next_month
    return ranges


@task
def plan(status: dict[str, Any], params: dict[str, Any] | None = None) -> list[list[str]]:
    """Return the arguments of a backfill for each month and workspace: those given, or all that have been loaded."""
    given = params or {}
    first, after = date.fromisoformat(given["from"]), date.fromisoformat(given["to"])
    if first >= after:
        raise AirflowFailException(f"from ({first}) must be before to ({after}).")
    if after > datetime.now(UTC).date():
        raise AirflowFailException(f"to ({after}) must not be later than today, UTC: runs to come cannot be loaded.")
    workspaces = given["workspaces"] or [workspace["workspace_id"] for workspace in status["workspaces"]]
    options = ["--wait", str(WAIT_SECONDS), *(["--force"] if given["force"] else [])]
    return [
        ["backfill", "--from", str(start), "--to", str(end), "--workspace", workspace, *options]
        for start, end in month_ranges(first, after)
        for workspace in workspaces
    ]


@dag(
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["emr-usage"],
    doc_md=__doc__,
)
def emr_usage() -> None:
    """Load what is new, build the marts, write the report of yesterday's month, and fail if something was incomplete."""
    load = EmrUsageOperator(
        task_id="load",
        arguments=["load", "--wait", str(WAIT_SECONDS)],
        outlets=[RAW],
        pool=POOL,
        priority_weight=100,  # before the months of a backfill that wait for the pool
    )
    report = EmrUsageOperator(task_id="report", arguments=["report"], outlets=[REPORTS])
    chain(load, build_task([MARTS]), report, completeness([load.output]))


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["emr-usage"],
    doc_md=__doc__,
    params={
        "from": Param(type="string", format="date", description="First day of submit times, UTC."),
        "to": Param(type="string", format="date", description="End of the range, exclusive."),
        "workspaces": Param(
            [], type="array", items={"type": "string"}, description="Workspace ids. Empty: all that were loaded."
        ),
        "force": Param(
            default=False, type="boolean", description="Read the range again even if this backfill has certified it already."
        ),
    },
)
def emr_usage_backfill() -> None:
    """Load a range month by month and workspace by workspace, build the marts, and fail if something was incomplete."""
    status = EmrUsageOperator(task_id="status", arguments=["status"])
    months = EmrUsageOperator.partial(
        task_id="backfill",
        pool=POOL,
        map_index_template="{{ task.arguments[2] }} {{ task.arguments[6] }}",
        # A DuckDB file has one writer.
        max_active_tis_per_dag=1 if DESTINATION == "duckdb" else None,
    ).expand(arguments=plan(status.output))
    # Each month would be an event of its own: the raw tables count as updated once, with the build.
    chain(months, build_task([RAW, MARTS]), completeness(months.output))


emr_usage()
emr_usage_backfill()
