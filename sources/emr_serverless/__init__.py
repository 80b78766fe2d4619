"""Job-run history of Alibaba Cloud EMR Serverless Spark, complete and incremental."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import dlt
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource, DltSource

from . import settings
from .api.credentials import AccessKeyConfiguration
from .api.errors import CheckSettingsError, EmrServerlessError, MissingWorkspaceError
from .configuration import SOURCE_NAME, SourceConfiguration
from .settings import SETTLE_DAYS
from .sync.options import Backfill, SourceSettings, check_times
from .validation import read_setting, shown

if TYPE_CHECKING:
    import pyarrow as pa

    from .dlt_workarounds import prepare
    from .postgres_packages import schema_lock
    from .sync.checkpoint import read_checkpoint, region_and_workspace
    from .sync.destination import STATE_SECTION
    from .sync.load import Load
    from .sync.stats import LoadStats

__all__ = [
    "SETTLE_DAYS",
    "STATE_SECTION",
    "Backfill",
    "CheckSettingsError",
    "EmrServerlessError",
    "Load",
    "LoadStats",
    "MissingWorkspaceError",
    "emr_serverless",
    "prepare",
    "read_checkpoint",
    "read_setting",
    "region_and_workspace",
    "run",
    "schema_lock",
    "shown",
]

# Names that need more than dlt, with their modules: `dlt init` imports this package where nothing else is installed yet.
_LATE = {
    "Load": ".sync.load",
    "LoadStats": ".sync.stats",
    "prepare": ".dlt_workarounds",
    "schema_lock": ".postgres_packages",
    "STATE_SECTION": ".sync.destination",
    "read_checkpoint": ".sync.checkpoint",
    "region_and_workspace": ".sync.checkpoint",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name], __name__), name)


def utc_now() -> datetime:
    """Return the real time, UTC."""
    return datetime.now(UTC)


@dlt.source(name=SOURCE_NAME, max_table_nesting=0, spec=SourceConfiguration)
def emr_serverless(
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
    as_of: datetime | None = None,
    backfill: Backfill | None = None,
    forget_workspaces: Sequence[str] = (),
    clock: Callable[[], datetime] = utc_now,
) -> Iterator[DltResource]:
    """Return what is new since the last load, or a backfill.

    `pipeline.run(emr_serverless(region_ids=["cn-hangzhou"]))` loads it in one dlt package; `run` in packages of bounded size.

    Args:
        credentials: an access key; without one, each request uses the vendor's default credential chain.
        region_ids: regions to load, such as cn-hangzhou.
        workspace_ids: workspaces to load; by default all that are visible.
        endpoint: host or URL, may contain `{region_id}`; by default the public endpoint.
        initial_days: how far back the first load begins, on both axes.
        lookback_hours: how far before its cursors each further load begins.
        settle_days: how long after its end a run without figures is requested again.
        window_rows: a window with more rows than this is split.
        package_rows: rows committed together.
        max_connections: maximum number of concurrent requests; throttling lowers it for a while.
        requests_per_second: a fixed limit, where the quota is known.
        request_timeout_seconds: timeout of one attempt.
        redact: what is masked before anything is written. patterns: secrets, by their names and forms; strict: also every value
            that a user gave a job; off: nothing.
        redact_patterns: further regular expressions, matched against keys and values.
        redact_key: key of the digests of strict redaction; by default it is generated and kept in the pipeline's folder.
        as_of: the last moment to load; a minute before now unless given.
        backfill: a range of submit times to load again, instead of what is new.
        forget_workspaces: workspaces that earlier loads read and that are gone: they are no longer reported as missing.
        clock: the real time, UTC. It dates requests and observations.

    Raises:
        CheckSettingsError: a time is in the future, a setting is invalid, or a key of `sources.emr_serverless` is unknown; see
            validation.py.
        EmrServerlessError: during extraction; its class says what to do.
    """
    from .arrow.schema import RAW_TABLES
    from .extraction import Connection, pages
    from .sync.load import Load

    check_times(clock(), as_of, backfill)
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
    connection = Connection(
        credentials, endpoint, requests_per_second, request_timeout_seconds, redact, tuple(redact_patterns), redact_key
    )

    def open_load(on_progress: Callable[[Load], None] | None) -> Load:
        return Load(clock, as_of=as_of, backfill=backfill, forget_workspaces=forget_workspaces, on_progress=on_progress)

    @dlt.resource(selected=False)
    def job_run_pages() -> Iterator[dict[str, pa.Table] | None]:
        yield from pages(open_load, source_settings, connection)

    read = job_run_pages
    for name in RAW_TABLES:
        yield _table_resource(name, read)


def run(
    pipeline: dlt.Pipeline,
    source: DltSource,
    *,
    on_progress: Callable[[Load], None] | None = None,
    run_package: Callable[[dlt.Pipeline, DltSource], object] = dlt.Pipeline.run,
) -> Load:
    """Run a source of `emr_serverless` until it is loaded, in packages of bounded size, and return the finished load.

    Packages that a killed load left behind are finished first: dlt does that at the first run and then extracts nothing.

    Args:
        pipeline: is prepared first, see `prepare`.
        source: made by `emr_serverless`.
        on_progress: called after each page and window.
        run_package: runs the pipeline once.

    Raises:
        EmrServerlessError: wrapped in dlt's own exceptions.
    """
    from .comments import write_comments
    from .dlt_workarounds import one_connection, prepare
    from .extraction import CURRENT_RUN, Run

    prepare(pipeline)
    current = Run(on_progress)
    token = CURRENT_RUN.set(current)
    try:
        with one_connection(pipeline):
            while current.load is None or current.load.unfinished:
                run_package(pipeline, source)
    finally:
        CURRENT_RUN.reset(token)
        if current.load:
            current.load.close()
    write_comments(pipeline)
    return current.load


def _table_resource(name: str, pages: DltResource) -> DltResource:
    from .arrow.schema import RAW_TABLES

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
