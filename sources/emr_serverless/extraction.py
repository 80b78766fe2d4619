"""Extraction by dlt: a whole load at once, or the next package of one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, Final

import dlt
import pyarrow as pa

from .api.client import Client
from .api.credentials import AccessKeyConfiguration, configured_access_key, default_chain
from .api.errors import CheckSettingsError
from .arrow.schema import RAW_TABLES
from .comments import write_comments
from .redaction.redactor import Redactor
from .redaction.strict import StrictRedactor, kept_key
from .sync.checkpoint import read_checkpoint
from .sync.destination import STATE_SECTION, read_snapshot_rows
from .sync.load import Load
from .sync.options import SourceSettings

logger = logging.getLogger("emr_serverless")


@dataclass
class Run:
    """A load that `run` divides into packages.

    Attributes:
        on_progress: called after each page and window.
        load: from the first extraction on.
    """

    on_progress: Callable[[Load], None] | None = None
    load: Load | None = None


# Set while `run` drives a pipeline. Without it, each extraction is a whole load.
CURRENT_RUN: Final[ContextVar[Run | None]] = ContextVar("emr_serverless_run", default=None)


@dataclass(frozen=True)
class Connection:
    """How requests are sent and what is masked; see the arguments of the source."""

    credentials: AccessKeyConfiguration | None
    endpoint: str | None
    requests_per_second: float | None
    request_timeout_seconds: float
    redact: str
    redact_patterns: tuple[str, ...]
    redact_key: str | None


def pages(
    open_load: Callable[[Callable[[Load], None] | None], Load], settings: SourceSettings, connection: Connection
) -> Iterator[dict[str, pa.Table] | None]:
    """Yield the tables of a load, batch by batch; its state is committed with the package.

    Args:
        open_load: begins a load, given what to call with its progress.
        settings: what to load.
        connection: how to send requests.
    """
    run = CURRENT_RUN.get()
    load = run.load if run and run.load else open_load(run.on_progress if run else None)
    load.stats.redact = connection.redact
    load.stats.settle_days = settings.settle_days
    if run:
        run.load = load
    else:
        # Nothing of the source runs after `pipeline.run`, so the next load describes the tables.
        write_comments(dlt.current.pipeline())
    state = dlt.current.source_state().setdefault(STATE_SECTION, {})
    stored_rows = {} if load.begun else read_snapshot_rows(dlt.current.pipeline())
    known = state if load.begun else _restore(state, load)
    package = load.read_package(
        lambda: _connect(connection, settings, load),
        settings,
        state,
        known,
        dlt.current.load_package_state()["load_id"],
        stored_rows,
        tables=frozenset(dlt.current.source().selected_resources),
        is_whole=run is None,
    )
    for tables in package:
        yield tables
        del tables
        # dlt alternates between this generator and the tables of the batch. The tables go first: otherwise all batches of
        # the package would be in memory at once.
        yield from repeat(None, len(RAW_TABLES))
    # Return the memory of the batches before the destination needs it for its merges: 100 MB after 100,000 runs.
    pa.default_memory_pool().release_unused()


def _restore(state: dict[str, Any], load: Load) -> dict[str, Any]:
    """Replace the state of the working folder with what the destination supports, and return the state to start from."""
    options = load.options
    found = read_checkpoint(dlt.current.pipeline(), dlt.current.source_schema().name, state, options.started_at, options.backfill)
    load.stats.findings = found.warnings
    for warning in found.warnings:
        logger.warning("%s", warning)
    state.clear()
    if options.backfill and options.backfill.beside:
        return found.state
    state.update(found.state)
    return state


def _connect(connection: Connection, settings: SourceSettings, load: Load) -> tuple[Client, Redactor]:
    redactor = _redactor(connection)
    client = Client(
        provide_key=configured_access_key(connection.credentials) if connection.credentials else default_chain(),
        clock=load.options.clock,
        endpoint=connection.endpoint,
        max_connections=settings.threads,
        requests_per_second=connection.requests_per_second,
        request_timeout_seconds=connection.request_timeout_seconds,
        scrub=Redactor().text,
        stop=threading.Event(),
    )
    return client, redactor


def _redactor(connection: Connection) -> Redactor:
    if connection.redact != "strict":
        return Redactor(enabled=connection.redact == "patterns", extra_patterns=connection.redact_patterns)
    folder = Path(dlt.current.pipeline().pipelines_dir)
    try:
        return StrictRedactor(connection.redact_key or kept_key(folder), connection.redact_patterns)
    except (OSError, ValueError) as error:
        advice = (
            "Set redact_key to at least 16 characters in .dlt/secrets.toml, or make the pipeline's folder writable for a new key."
        )
        raise CheckSettingsError(f"Strict redaction has no key: {error}", advice=advice) from error
