"""Contender: the floor. Threads, httpx, orjson, Arrow and one plain insert per batch; it promises nothing.

The same windows (a day of a workspace), columns and child tables as this source, but nothing is signed, redacted, certified,
deduplicated, merged or remembered, and a hostile field would end it.
"""

from __future__ import annotations

import hashlib
import json
import queue
import re
import threading
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Final

import duckdb
import httpx
import orjson
import pyarrow as pa

from arguments import Arguments, parse_arguments
from history import DAY_MS, REGION

THREADS: Final = 8
BATCH_ROWS: Final = 20_000
PAGES_HELD: Final = 32
# The thread that converts decodes too: objects that pass from thread to thread cost twice as much.
NEXT_TOKEN: Final = re.compile(rb'"nextToken":"([^"]+)"')
TAIL_BYTES: Final = 200
TEXT: Final = pa.string()
MILLISECONDS: Final = pa.timestamp("ms", tz="UTC")
Rows = list[dict[str, Any]]
Tables = dict[str, pa.Table]
RUN_COLUMNS: Final = {
    "workspaceId": TEXT,
    "jobRunId": TEXT,
    "name": TEXT,
    "state": TEXT,
    "submitTime": pa.int64(),
    "endTime": pa.int64(),
    "codeType": TEXT,
    "webUI": TEXT,
    "executionTimeoutSeconds": pa.int64(),
    "creator": TEXT,
    "releaseVersion": TEXT,
    "displayReleaseVersion": TEXT,
    "fusion": pa.bool_(),
    "vcoreSeconds": pa.int64(),
    "mbSeconds": pa.int64(),
    "cuHours": pa.float64(),
    "resourceQueueId": TEXT,
    "priority": TEXT,
}
LOG_COLUMNS: Final = ("driverStdOut", "driverStdError", "driverSyslog", "driverStartup")


def read_windows(http: httpx.Client, given: Arguments, windows: queue.SimpleQueue[Any], pages: queue.Queue[Any]) -> None:
    """Read windows until none is left; None marks this thread's end."""
    while (window := windows.get()) is not None:
        workspace_id, start_ms, end_ms = window
        query = {
            "regionId": REGION,
            "maxResults": "100",
            "startTime": json.dumps({"startTime": start_ms, "endTime": end_ms}, separators=(",", ":")),
        }
        while True:
            answer = http.get(f"{given.endpoint}/api/v1/workspaces/{workspace_id}/jobRuns", params=query)
            answer.raise_for_status()
            pages.put(answer.content)
            token = NEXT_TOKEN.search(answer.content, max(0, len(answer.content) - TAIL_BYTES))
            if not token:
                break
            query["nextToken"] = token[1].decode()
    pages.put(None)


def read_pages(given: Arguments) -> Iterator[Rows]:
    """Yield every page of every window."""
    threads = given.connections or THREADS
    limits = httpx.Limits(max_connections=threads, max_keepalive_connections=threads)
    windows: queue.SimpleQueue[Any] = queue.SimpleQueue()
    pages: queue.Queue[Any] = queue.Queue(PAGES_HELD)
    with httpx.Client(limits=limits, trust_env=False, timeout=30) as http:
        workspaces = orjson.loads(http.get(f"{given.endpoint}/api/v1/workspaces", params={"regionId": REGION}).content)
        for day in range(int(given.days)):
            end_ms = given.as_of_ms - day * DAY_MS
            for workspace in workspaces["workspaces"]:
                windows.put((workspace["workspaceId"], end_ms - DAY_MS + 1, end_ms))
        for _ in range(threads):
            windows.put(None)
            threading.Thread(target=read_windows, args=(http, given, windows, pages), daemon=True).start()
        while threads:
            page = pages.get()
            if page is None:
                threads -= 1
            else:
                yield orjson.loads(page)["jobRuns"]


def convert(rows: Rows) -> Tables:
    """Return one page as tables."""
    columns = {name: pa.array([row.get(name) for row in rows], kind) for name, kind in RUN_COLUMNS.items()}
    for name in ("submitTime", "endTime"):
        columns[name] = columns[name].cast(MILLISECONDS)
    drivers = [row["jobDriver"]["sparkSubmit"] for row in rows]
    reasons = [row.get("stateChangeReason", {}) for row in rows]
    columns["reasonCode"] = pa.array([reason.get("code") for reason in reasons], TEXT)
    columns["reasonMessage"] = pa.array([reason.get("message") for reason in reasons], TEXT)
    columns["entryPoint"] = pa.array([driver["entryPoint"] for driver in drivers], TEXT)
    columns["sparkSubmitParameters"] = pa.array([driver["sparkSubmitParameters"] for driver in drivers], TEXT)
    arguments = [driver["entryPointArguments"] for driver in drivers]
    columns["digest"] = pa.array(
        [
            hashlib.sha256(orjson.dumps([driver["entryPoint"], *values])).hexdigest()
            for driver, values in zip(drivers, arguments, strict=True)
        ],
        TEXT,
    )
    logs = [row["log"] for row in rows]
    overrides = [row["configurationOverrides"]["configurations"] for row in rows]
    keys = [(row["workspaceId"], row["jobRunId"]) for row in rows]
    return {
        "job_runs": pa.table(columns),
        "job_run_logs": _children(keys, [[log] for log in logs], {name: _field(name) for name in LOG_COLUMNS}),
        "job_run_tags": _children(keys, [row["tags"] for row in rows], {name: _field(name) for name in ("key", "value")}),
        "job_run_configurations": _children(
            keys, overrides, {name: _field(name) for name in ("configFileName", "configItemKey", "configItemValue")}
        ),
        "job_run_arguments": _children(keys, arguments, {"argument": str}),
    }


def _field(name: str) -> Callable[[Any], Any]:
    return lambda item: item.get(name)


def _children(keys: list[tuple[str, str]], values: list[list[Any]], columns: dict[str, Callable[[Any], Any]]) -> pa.Table:
    items = list(chain.from_iterable(values))
    owners = [key for key, of_run in zip(keys, values, strict=True) for _ in of_run]
    arrays = {
        "workspaceId": pa.array([owner[0] for owner in owners], TEXT),
        "jobRunId": pa.array([owner[1] for owner in owners], TEXT),
        "index": pa.array(chain.from_iterable(range(len(of_run)) for of_run in values), pa.int64()),
    }
    return pa.table(arrays | {name: pa.array([value(item) for item in items], TEXT) for name, value in columns.items()})


def insert(connection: duckdb.DuckDBPyConnection, batch: list[Tables]) -> None:
    """Append a batch's tables, and make them where they are not."""
    for name in batch[0]:
        connection.register("page", pa.concat_tables([tables[name] for tables in batch]))
        connection.execute(f"CREATE TABLE IF NOT EXISTS emr_raw.{name} AS FROM page LIMIT 0")
        connection.execute(f"INSERT INTO emr_raw.{name} FROM page")  # our own table names
        connection.unregister("page")


def main() -> None:
    """Load everything once."""
    given = parse_arguments()
    with duckdb.connect(str(given.database)) as connection:
        connection.execute("CREATE SCHEMA emr_raw")
        batch: list[Tables] = []
        for rows in read_pages(given):
            if rows:
                batch.append(convert(rows))
            if len(batch) * 100 >= BATCH_ROWS:
                insert(connection, batch)
                batch.clear()
        if batch:
            insert(connection, batch)


if __name__ == "__main__":
    main()
