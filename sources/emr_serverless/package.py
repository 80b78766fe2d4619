"""One dlt package: which runs it holds already, and its tables, joined into batches."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from .answers import Records
from .columns import utc_from_ms
from .conversion import Origin, job_run_tables, observations_table
from .masking import mask_tables
from .redaction import Redactor
from .settings import BATCH_ROWS, PACKAGE_BYTES
from .sweep import Outcome, Rows
from .tables import RAW_TABLES, TEXT, WITNESS_TABLES
from .unknown_fields import Sightings


class Package:
    """Collects one package's tables.

    Args:
        load_id: dlt's name of the package, for `_dlt_load_id`.
        redactor: masks the secrets of each batch.
    """

    def __init__(self, load_id: str, redactor: Redactor) -> None:
        self.load_id: Final = load_id
        self._redactor: Final = redactor
        self._runs: dict[str, set[str]] = {}
        self._pages: list[tuple[Origin, Records]] = []
        self._observed: list[tuple[Origin, Records]] = []
        self._tables: dict[str, list[pa.Table]] = {}
        self._batch_rows = 0
        self._bytes = 0
        self.rows = 0
        self.unknown_fields: Final = Sightings(redactor.text)

        # Rows sent so far, tombstones left out, by workspace and table.
        self.sent: dict[str, Counter[str]] = {}

    def has_room(self, page: Rows, package_rows: int) -> bool:
        """Tell whether a page fits, by its rows and by its size; an empty package takes any page."""
        fits = self.rows + len(page.records) <= package_rows and self._bytes + page.records.nbytes <= PACKAGE_BYTES
        return fits or not self.rows

    def fresh(self, workspace_id: str, runs: Records) -> Records:
        """Return the runs that this package does not hold yet; one without an id has no place in a table."""
        seen = self._runs.setdefault(workspace_id, set())
        fresh = []
        for position, run_id in enumerate(runs.column("jobRunId")):
            if run_id and run_id not in seen:
                seen.add(run_id)
                fresh.append(position)
        self.rows += len(fresh)
        self._batch_rows += len(fresh)
        records = runs.at(fresh)
        self._bytes += records.nbytes
        return records

    def add_runs(self, origin: Origin, runs: Records) -> None:
        """Add a page of fresh runs to the batch."""
        self._pages.append((origin, runs))

    def add_observations(self, origin: Origin, runs: Records) -> None:
        """Add what was seen of runs just then to the batch."""
        self._observed.append((origin, runs))

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Add tables, without `_dlt_load_id`, to the batch."""
        for name, table in tables.items():
            self._tables.setdefault(name, []).append(table)

    def add_empty_tables(self) -> None:
        """Add every table without rows, so that a first load makes them all, whatever it finds."""
        for name, table in RAW_TABLES.items():
            self.add({name: table.page_schema.empty_table()})

    @property
    def is_batch_full(self) -> bool:
        """Whether the batch has as many runs as dlt should be handed at once."""
        return self._batch_rows >= BATCH_ROWS

    def take_batch(self) -> dict[str, pa.Table]:
        """Return the tables collected since the last batch, masked, with their `_dlt_load_id`."""
        if self._pages:
            self.add(job_run_tables(self._pages))
        if self._observed:
            self.add({"job_run_observations": observations_table(self._observed)})
        collected, self._pages, self._observed, self._tables, self._batch_rows = self._tables, [], [], {}, 0
        self._count(collected)
        tables = mask_tables({name: pa.concat_tables(parts) for name, parts in collected.items()}, self._redactor)
        return {name: self._named(name, table) for name, table in tables.items()}

    def _count(self, collected: Mapping[str, list[pa.Table]]) -> None:
        for name in WITNESS_TABLES:
            for table in collected.get(name, []):
                rows = table.filter(pc.invert(table["_deleted"])) if "_deleted" in table.column_names else table
                for found in pc.value_counts(rows["workspace_id"].combine_chunks()).to_pylist():
                    self.sent.setdefault(found["values"], Counter())[name] += found["counts"]

    def _named(self, name: str, table: pa.Table) -> pa.Table:
        field = RAW_TABLES[name].schema.field("_dlt_load_id")
        return table.append_column(field, pa.repeat(pa.scalar(self.load_id, TEXT), table.num_rows))


def windows_table(outcome: Outcome, load: str, mode: str) -> pa.Table:
    """Return the audit row of one window, without `_dlt_load_id`."""
    window = outcome.task.window
    error = outcome.error
    row = {
        "load": load,
        "window_id": window.window_id,
        "workspace_id": window.workspace_id,
        "region_id": window.region_id,
        "mode": mode,
        "axis": outcome.audited_axis,
        "window_start": None if window.start_ms is None else utc_from_ms(window.start_ms),
        "window_end": None if window.end_ms is None else utc_from_ms(window.end_ms),
        "asked": json.dumps(window.asked, separators=(",", ":")),
        "total_count": outcome.total_count,
        "rows_received": outcome.rows_received,
        "rows_distinct": outcome.rows_distinct,
        "pages": outcome.pages,
        "requests": outcome.effort.requests,
        "attempts": outcome.attempts,
        "throttled": outcome.effort.throttled,
        "status": outcome.status,
        "certified_by": outcome.certified_by,
        "error_code": (error.code or type(error).__name__) if error else None,
        "started_at": outcome.started_at,
        "finished_at": outcome.finished_at,
        "observed_at": outcome.started_at,
    }
    return pa.Table.from_pylist([row], schema=RAW_TABLES["extraction_windows"].page_schema)
