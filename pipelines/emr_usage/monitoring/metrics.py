"""The metrics of a database and of the commands that were run on it, in one file; docs/monitoring.md lists them."""

from __future__ import annotations

import errno
from datetime import datetime
from pathlib import Path
from typing import Final

from emr_usage.status import Status
from emr_usage.whole_file import write_whole

from .command_result import CommandResult
from .openmetrics import END, Family, Labels, Samples, read_openmetrics, write_openmetrics

_CERTIFIED: Final = Family(
    "emr_usage_certified_until_timestamp_seconds",
    "Up to when the job runs of a workspace are certified complete, by the time they were submitted or ended.",
)
_LAG: Final = Family("emr_usage_certified_lag_seconds", "How far that was behind the clock when the file was written.")
_LAST_LOAD: Final = Family("emr_usage_newest_load_timestamp_seconds", "When the newest recorded load or backfill began.")
_WINDOWS: Final = Family(
    "emr_usage_windows", "Rows of extraction_windows of the newest load by status: complete, short or failed."
)
_OPEN_RUNS: Final = Family("emr_usage_open_runs", "Job runs that were open when they were last seen.")
_ROWS: Final = Family("emr_usage_table_rows", "Rows of a raw table.")
_NO_FIGURES: Final = Family("emr_usage_job_runs_without_figures", "Job runs that ended long ago and have no CU-hours.")
_REQUESTS: Final = Family("emr_usage_requests", "Requests of all rows of extraction_windows, retries included.", is_counter=True)
_THROTTLED: Final = Family("emr_usage_requests_throttled", "Those of them that the API throttled.", is_counter=True)
_EXIT_CODE: Final = Family("emr_usage_exit_code", "Exit code of the last run of a command: 0 is complete, 3 incomplete.")
_LAST_RUN: Final = Family("emr_usage_last_run_timestamp_seconds", "When the last run of a command ended.")
_LAST_SUCCESS: Final = Family("emr_usage_last_success_timestamp_seconds", "When a command last ended with exit code 0.")
_STEP: Final = Family("emr_usage_step_duration_seconds", "Duration of a step of the last run of a command.")

OF_DATABASE: Final = (_CERTIFIED, _LAG, _LAST_LOAD, _WINDOWS, _OPEN_RUNS, _ROWS, _NO_FIGURES, _REQUESTS, _THROTTLED)
OF_COMMAND: Final = (_EXIT_CODE, _LAST_RUN, _LAST_SUCCESS, _STEP)
FAMILIES: Final = (*OF_DATABASE, *OF_COMMAND)


def write_metrics(path: Path, database: str, status: Status | None, result: CommandResult) -> None:
    """Write what is known after a command into its file, whole or not at all.

    What this command did not compute stays as an earlier command wrote it: the time of the last success after a failure, the
    figures of a database that cannot be read, other commands and other databases. Lags are computed anew.

    Args:
        path: of the file.
        database: the value of the label; no two databases that are measured on a machine may have the same.
        status: what the database holds, or None where it cannot be read.
        result: how the command ended.

    Raises:
        OSError: the file cannot be written, or holds something else than metrics.
    """
    # Bytes of a path that are no text are surrogates, which UTF-8 does not have.
    database = database.encode(errors="backslashreplace").decode()
    samples = _earlier(path)
    if status:
        _remove(samples, OF_DATABASE, ("database", database))
        samples |= database_samples(database, status)
    succeeded = (_LAST_SUCCESS,) if result.exit_code == 0 else ()
    _remove(samples, (_EXIT_CODE, _LAST_RUN, _STEP, *succeeded), ("database", database), ("command", result.command))
    samples |= command_samples(database, result)
    for (name, labels), until in list(samples.items()):
        if name == _CERTIFIED.sample_name:
            samples[_LAG.sample_name, labels] = result.ended_at.timestamp() - until
    content = write_openmetrics(FAMILIES, samples).encode()
    write_whole(path, lambda new: new.write_bytes(content))


def database_samples(database: str, status: Status) -> Samples:
    """Return what a database holds."""
    of_database = ("database", database)
    samples: Samples = {}

    def add(family: Family, value: float, *labels: tuple[str, str]) -> None:
        samples[family.sample_name, (of_database, *labels)] = value

    for workspace in status.workspaces:
        label = ("workspace_id", workspace.workspace_id)
        for axis, until in (("submitted", workspace.started_through), ("ended", workspace.ended_through)):
            # A workspace that is gone is behind for good.
            if until and not workspace.forgotten:
                add(_CERTIFIED, until.timestamp(), label, ("axis", axis))
        add(_OPEN_RUNS, workspace.open_runs, label)
    add(_LAST_LOAD, datetime.fromisoformat(status.last_load).timestamp())
    for window_status, count in status.windows.items():
        add(_WINDOWS, count, ("status", window_status))
    for table, rows in status.table_rows.items():
        add(_ROWS, rows, ("table", table))
    add(_NO_FIGURES, status.missing_figures.runs)
    add(_REQUESTS, status.requests)
    add(_THROTTLED, status.throttled)
    return samples


def command_samples(database: str, result: CommandResult) -> Samples:
    """Return how a command ended."""
    labels = (("database", database), ("command", result.command))
    ended = result.ended_at.timestamp()
    samples: Samples = {(_EXIT_CODE.sample_name, labels): result.exit_code, (_LAST_RUN.sample_name, labels): ended}
    if result.exit_code == 0:
        samples[_LAST_SUCCESS.sample_name, labels] = ended
    samples |= {(_STEP.sample_name, (*labels, ("step", step))): seconds for step, seconds in result.steps.items()}
    return samples


def _earlier(path: Path) -> Samples:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    # A path that was mistaken must not cost a database.
    if content and not content.endswith(END):
        raise FileExistsError(errno.EEXIST, "it holds something else than metrics")
    return read_openmetrics(content.decode())


def _remove(samples: Samples, families: tuple[Family, ...], *having: tuple[str, str]) -> None:
    names = {family.sample_name for family in families}
    for name, labels in list(samples):
        if name in names and _has(labels, having):
            del samples[name, labels]


def _has(labels: Labels, having: tuple[tuple[str, str], ...]) -> bool:
    return set(having) <= set(labels)
