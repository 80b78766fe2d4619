"""Job-run history of Alibaba Cloud EMR Serverless Spark, complete and incremental."""

from __future__ import annotations

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
from .client import Client
from .credentials import AccessKeyConfiguration, configured_access_key, default_chain
from .errors import CheckSettingsError, EmrServerlessError
from .guards import prepare
from .load import Load
from .redaction import Redactor
from .strict import StrictRedactor, kept_key
from .tables import RAW_TABLES
from .terms import Backfill, Limits, Report

__all__ = ["Backfill", "CheckSettingsError", "EmrServerlessError", "Load", "Report", "emr_serverless", "prepare"]


@dlt.source(name="emr_serverless", max_table_nesting=0)
def emr_serverless(
    load: Load,
    credentials: AccessKeyConfiguration | None = None,
    region_ids: Sequence[str] = dlt.config.value,
    workspace_ids: Sequence[str] = (),
    endpoint: str | None = None,
    initial_days: float = settings.INITIAL_DAYS,
    lookback_hours: float = settings.LOOKBACK_HOURS,
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
        load: the load this package belongs to; it holds the horizon, the clock and the report.
        credentials: an access key; without one the vendor's default chain is asked at each request.
        region_ids: regions to ask, such as cn-hangzhou.
        workspace_ids: workspaces to ask; all that are visible where none are named.
        endpoint: host or URL, `{region_id}` is filled in; the public endpoint where none is given.
        initial_days: how far back the first load begins, on both axes.
        lookback_hours: how far behind its cursors each further load begins.
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
        EmrServerlessError: while the package is read; its class says what to do next.
    """
    if not region_ids:
        raise CheckSettingsError("No region is set", advice="Give --region, or region_ids in .dlt/config.toml.")
    if redact not in settings.REDACT_MODES:
        advice = f"Give redact one of {', '.join(settings.REDACT_MODES)} in .dlt/config.toml."
        raise CheckSettingsError(f"redact is {redact!r}", advice=advice)
    load.report.redact = redact
    limits = Limits(
        region_ids=tuple(dict.fromkeys(region_ids)),
        workspace_ids=tuple(dict.fromkeys(workspace_ids)),
        initial_days=initial_days,
        lookback_hours=lookback_hours,
        window_rows=window_rows,
        package_rows=package_rows,
        threads=max_connections,
    )

    def connect() -> tuple[Client, Redactor]:
        redactor = _redactor(redact, redact_patterns, redact_key)
        client = Client(
            provide_key=configured_access_key(credentials) if credentials else default_chain(),
            clock=load.terms.clock,
            endpoint=endpoint,
            max_connections=max_connections,
            requests_per_second=requests_per_second,
            request_timeout_seconds=request_timeout_seconds,
            scrub=Redactor().text,
            stop=threading.Event(),
        )
        return client, redactor

    @dlt.resource(selected=False)
    def job_run_pages() -> Iterator[dict[str, pa.Table] | None]:
        state = dlt.current.resource_state("job_runs")
        load_id = dlt.current.load_package_state()["load_id"]
        for tables in load.read_package(connect, limits, state, load_id):
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
