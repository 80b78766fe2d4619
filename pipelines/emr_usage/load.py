"""Loads the source into a destination, package by package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dlt
from dlt.common.runtime import signals
from dlt.extract import DltSource

from emr_serverless import (
    Backfill,
    EmrServerlessError,
    Load,
    MissingWorkspaceError,
    emr_serverless,
    run,
)

from .backfill_pipeline import beside_loads, open_backfill
from .destinations import adapter_of
from .lock import NO_WAIT, Wait, exclusive, wait_for
from .pipeline import open_pipeline
from .target import Target
from .working_folder import remove_loaded_packages


@dataclass(frozen=True)
class Request:
    """What to load: options that override settings, and the kind of load.

    Attributes:
        clock: the real time, UTC.
        as_of: the horizon, or None for a minute before now.
        backfill: a range to load again, or None for what is new.
        forget_workspaces: workspaces that are gone and no longer reported as missing.
        overrides: arguments of the source that replace its configured settings.
        wait: for another process that uses the destination.
        table_format: of a lake; None for that of earlier loads, or Parquet.
    """

    clock: Callable[[], datetime]
    as_of: datetime | None = None
    backfill: Backfill | None = None
    forget_workspaces: tuple[str, ...] = ()
    overrides: dict[str, Any] = field(default_factory=dict)
    wait: Wait = NO_WAIT
    table_format: str | None = None


@contextmanager
def loading(pipeline: dlt.Pipeline, wait: Wait = NO_WAIT) -> Iterator[None]:
    """Lock and prepare a pipeline for one load.

    Raises:
        BusyError: another process holds it; see `exclusive`.
    """
    with exclusive(pipeline, wait), adapter_of(pipeline).removing_empty_database():
        signals.exit_event.clear()
        remove_loaded_packages(pipeline)
        yield


def run_whole(pipeline: dlt.Pipeline, source: DltSource) -> None:
    """Run a source, and stop on Ctrl-C.

    Raises:
        KeyboardInterrupt: on Ctrl-C, also where dlt would continue: it delays it until its running jobs are done, and drops it
            where they were the last of a package.
    """
    pipeline.run(source)
    if signals.exit_event.is_set():
        raise KeyboardInterrupt


def run_load(target: Target, request: Request, on_progress: Callable[[Load], None]) -> Load:
    """Load into a target until nothing is left, and return the finished load with its stats.

    Raises:
        EmrServerlessError: wrapped in dlt's own exceptions; see failures.py.
        KeyboardInterrupt: on Ctrl-C, also where dlt would continue.
    """

    def run_package(pipeline: dlt.Pipeline, source: DltSource) -> None:
        # Another program may open the DuckDB file between two packages.
        wait_for(lambda: run_whole(pipeline, source), request.wait)

    backfill = request.backfill and beside_loads(target, request.backfill)
    source = emr_serverless(
        clock=request.clock,
        as_of=request.as_of,
        backfill=backfill,
        forget_workspaces=request.forget_workspaces,
        **request.overrides,
    )
    # The horizon is set at the first extraction, after the wait.
    with _open_to_load(target, request, backfill) as pipeline:
        adapter_of(pipeline).adapt(pipeline, source, request.table_format)
        return run(pipeline, source, on_progress=on_progress, run_package=run_package)


@contextmanager
def _open_to_load(target: Target, request: Request, backfill: Backfill | None) -> Iterator[dlt.Pipeline]:
    if backfill and backfill.beside:
        scope = [request.overrides.get(name) for name in ("region_ids", "workspace_ids", "endpoint")]
        with open_backfill(target, backfill, scope, request.wait) as pipeline:
            yield pipeline
    else:
        pipeline = open_pipeline(target)
        with loading(pipeline, request.wait):
            yield pipeline


def failure_of_all(load: Load) -> EmrServerlessError | None:
    """Return why nothing could be read, or None where something was."""
    # A workspace that is not visible does not make a load fail, even where it is the only one.
    errors = [result.error for result in load.stats.incomplete]
    failed = [error for error in errors if error and not isinstance(error, MissingWorkspaceError)]
    return failed[0] if failed and not load.stats.windows["complete"] else None
