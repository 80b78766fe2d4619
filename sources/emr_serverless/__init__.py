"""Job-run history of Alibaba Cloud EMR Serverless Spark, complete and incremental."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, cast

import dlt
import pyarrow as pa
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource

from . import settings
from .api.client import Client
from .api.credentials import AccessKeyConfiguration, configured_access_key, default_chain
from .api.errors import CheckSettingsError, EmrServerlessError, MissingWorkspaceError
from .arrow.schema import RAW_TABLES
from .configuration import SOURCE_NAME, SourceConfiguration
from .dlt_workarounds import prepare
from .redaction.redactor import Redactor
from .redaction.strict import StrictRedactor, kept_key
from .settings import SETTLE_DAYS
from .sync.checkpoint import remembered
from .sync.destination import read_held
from .sync.load import Load
from .sync.options import Backfill, SourceSettings
from .sync.stats import LoadStats
from .validation import read_setting, shown

__all__ = [
    "SETTLE_DAYS",
    "Backfill",
    "CheckSettingsError",
    "EmrServerlessError",
    "Load",
    "LoadStats",
    "MissingWorkspaceError",
    "emr_serverless",
    "prepare",
    "read_setting",
    "remembered",
    "shown",
]

logger = logging.getLogger("emr_serverless")


@dlt.source(name=SOURCE_NAME, max_table_nesting=0, spec=SourceConfiguration)
def emr_serverless(
    load: Load,
    credentials: AccessKeyConfiguration | None = None,
    region_ids: Sequence[str] = dlt.config.value,
    workspace_ids: Sequence[str] = (),
    endpoint: str | None = None,
    initial_days: float = settings.INITIAL_DAYS,
    lookback_hours: float = settings.LOOKBACK_HOURS,
    settle_days: float = settings.SETTLE_DAYS,
    window_rows: int = settings.WINDOW_ROWS,
    package_rows: int = settings.PACKAGE_ROWS,
    max_connections: int = settings.MAX_CONNECTIONS,
    requests_per_second: float | None = None,
    request_timeout_seconds: float = settings.REQUEST_TIMEOUT_SECONDS,
    redact: str = settings.REDACT,
    redact_patterns: Sequence[str] = (),
    redact_key: TSecretStrValue | None = None,
) -> Iterator[DltResource]:
    """Return the next package of a load: run a pipeline with it until `load.unfinished` is false.

    Args:
        load: the load this package belongs to; it holds the horizon, the clock and the stats.
        credentials: an access key; without one the vendor's default chain is asked at each request.
        region_ids: regions to ask, such as cn-hangzhou.
        workspace_ids: workspaces to ask; all that are visible where none are named.
        endpoint: host or URL, `{region_id}` is filled in; the public endpoint where none is given.
        initial_days: how far back the first load begins, on both axes.
        lookback_hours: how far behind its cursors each further load begins.
        settle_days: how long after its end a run without figures is asked for again.
        window_rows: a window with more rows than this is split.
        package_rows: rows committed together.
        max_connections: requests in flight at most; throttling lowers it for a while.
        requests_per_second: a fixed cap, for those who know their quota.
        request_timeout_seconds: how long one attempt waits for an answer.
        redact: what is masked before anything is written. patterns: secrets, by their names and forms; strict: besides, every
            value that a user gave a job; off: nothing.
        redact_patterns: further regular expressions, matched against keys and values.
        redact_key: of the digests that strict redaction leaves; without one it is made, and kept in the pipeline's folder.

    Raises:
        CheckSettingsError: a setting cannot be used, or a key of `sources.emr_serverless` is not a setting; see validation.py.
        EmrServerlessError: while the package is read; its class says what to do next.
    """
    load.stats.redact = redact
    load.stats.settle_days = settle_days
    source_settings = SourceSettings(
        region_ids=tuple(region_ids),
        workspace_ids=tuple(workspace_ids),
        initial_days=initial_days,
        lookback_hours=lookback_hours,
        settle_days=settle_days,
        window_rows=window_rows,
        package_rows=package_rows,
        threads=max_connections,
    )

    def connect() -> tuple[Client, Redactor]:
        redactor = _redactor(redact, redact_patterns, redact_key)
        client = Client(
            provide_key=configured_access_key(credentials) if credentials else default_chain(),
            clock=load.options.clock,
            endpoint=endpoint,
            max_connections=max_connections,
            requests_per_second=requests_per_second,
            request_timeout_seconds=request_timeout_seconds,
            scrub=Redactor().text,
            stop=threading.Event(),
            decode=load.decoding,
        )
        return client, redactor

    @dlt.resource(selected=False)
    def job_run_pages() -> Iterator[dict[str, pa.Table] | None]:
        state = dlt.current.resource_state("job_runs")
        held = {} if load.begun else read_held(dlt.current.pipeline())
        if not load.begun:
            _recall(state, load)
        load_id = dlt.current.load_package_state()["load_id"]
        for tables in load.read_package(connect, source_settings, state, load_id, held):
            yield tables
            del tables
            # dlt takes turns between this generator and the tables of the batch. Those pass first, or all batches of the
            # package would be held at once.
            yield from repeat(None, len(RAW_TABLES))
        # What the batches took goes back before the destination needs it for its merges: 100 MB after 100,000 runs.
        pa.default_memory_pool().release_unused()

    pages = job_run_pages
    for name in RAW_TABLES:
        yield _table_resource(name, pages)


def _recall(state: dict[str, Any], load: Load) -> None:
    """Replace what the working folder remembers by what the destination supports."""
    found = remembered(dlt.current.pipeline(), dlt.current.source_schema().name, state, load.options.started_at)
    for finding in found.findings:
        logger.warning("%s", finding)
    state.clear()
    state.update(found.state)


def _redactor(redact: str, extra_patterns: Sequence[str], key: str | None) -> Redactor:
    if redact != "strict":
        return Redactor(enabled=redact == "patterns", extra_patterns=extra_patterns)
    folder = Path(dlt.current.pipeline().pipelines_dir)
    try:
        return StrictRedactor(key or kept_key(folder), extra_patterns)
    except (OSError, ValueError) as error:
        advice = (
            "Give redact_key at least 16 characters in .dlt/secrets.toml, or let it be made in a folder that can be written to."
        )
        raise CheckSettingsError(f"Strict redaction has no key: {error}", advice=advice) from error


def _table_resource(name: str, pages: DltResource) -> DltResource:
    table = RAW_TABLES[name]
    columns = cast("TTableSchemaColumns", table.described_columns())
    hints: dict[str, Any] = {"primary_key": table.primary_key, "write_disposition": "merge", "columns": columns}
    if table.replaced_by:
        hints["merge_key"] = table.replaced_by
        columns["_deleted"]["hard_delete"] = True
    columns["observed_at"]["dedup_sort"] = "desc"

    @dlt.transformer(name=name, data_from=pages, **hints)
    def rows(tables: dict[str, pa.Table]) -> pa.Table | None:
        return tables.get(name)

    return rows
