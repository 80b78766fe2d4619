"""One dlt package: its runs, and its tables, joined into batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from ..arrow.decode import Records
from ..arrow.schema import RAW_TABLES, TEXT, WITNESS_TABLES
from ..arrow.tables import Origin, observations_table, resource_tables
from ..redaction.arrow import mask_tables
from ..redaction.redactor import Redactor
from ..resources.job_runs import JOB_RUNS
from ..settings import BATCH_COLUMN_BYTES, BATCH_ROWS, PACKAGE_BYTES, PACKAGE_COLUMN_BYTES
from .snapshots import Snapshot
from .tasks import Rows
from .unknown_fields import UnknownFieldCounts
from .windows import RUN_ID


class Package:
    """Collects one package's tables.

    Args:
        load_id: dlt's name of the package, for `_dlt_load_id`.
        redactor: masks the secrets of each batch.
        snapshots: lists that keep earlier versions of their rows, by table.
        tables: those that are loaded.
    """

    def __init__(
        self,
        load_id: str,
        redactor: Redactor,
        snapshots: Mapping[str, Snapshot] | None = None,
        tables: AbstractSet[str] = frozenset(RAW_TABLES),
    ) -> None:
        self.load_id: Final = load_id
        self._redactor: Final = redactor
        self._runs: dict[str, set[str]] = {}
        self._pages: list[tuple[Origin, Records]] = []
        self._observed: list[tuple[Origin, Records]] = []
        self._tables: dict[str, list[pa.Table]] = {}
        self._masked: dict[str, list[pa.Table]] = {}
        self._snapshots = snapshots or {}
        self._loaded = tables
        self._batch_rows = 0
        self._batch_column_bytes = 0
        self._bytes = 0
        self._column_bytes = 0
        self.rows = 0
        self.unknown_fields: Final = UnknownFieldCounts(redactor.text)

        # Rows sent so far, tombstones left out, by workspace and table.
        self.sent: dict[str, Counter[str]] = {}

    def has_room(self, page: Rows, package_rows: int) -> bool:
        """Return whether a page fits, by its rows and its size; an empty package accepts any page."""
        records = page.records
        fits = (
            self.rows + len(records) <= package_rows
            and self._bytes + records.nbytes <= PACKAGE_BYTES
            and self._column_bytes + records.largest_column_nbytes <= PACKAGE_COLUMN_BYTES
        )
        return fits or not self.rows

    def fresh(self, workspace_id: str, runs: Records) -> Records:
        """Return the runs that are not in this package yet; runs without an id are dropped."""
        seen = self._runs.setdefault(workspace_id, set())
        fresh = []
        for position, run_id in enumerate(runs.column(RUN_ID)):
            if run_id and run_id not in seen:
                seen.add(run_id)
                fresh.append(position)
        self.rows += len(fresh)
        self._batch_rows += len(fresh)
        records = runs.at(fresh)
        self._bytes += records.nbytes
        self._column_bytes += records.largest_column_nbytes
        self._batch_column_bytes += records.largest_column_nbytes
        return records

    def add_runs(self, origin: Origin, runs: Records) -> None:
        """Add a page of fresh runs to the batch."""
        self._pages.append((origin, runs))

    def add_observations(self, origin: Origin, runs: Records) -> None:
        """Add observations of runs to the batch."""
        self._observed.append((origin, runs))

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Add tables, without `_dlt_load_id`, to the batch."""
        for name, table in tables.items():
            self._tables.setdefault(name, []).append(table)

    def add_masked(self, tables: Mapping[str, pa.Table]) -> None:
        """Add tables, without `_dlt_load_id`, whose rows are from the destination and so already masked."""
        for name, table in tables.items():
            self._masked.setdefault(name, []).append(table)

    def add_empty_tables(self) -> None:
        """Add every table without rows, so that a first load always creates all of them."""
        for name, table in RAW_TABLES.items():
            self.add({name: table.page_schema.empty_table()})

    @property
    def is_batch_full(self) -> bool:
        """Whether the batch has the maximum number of runs or size."""
        return self._batch_rows >= BATCH_ROWS or self._batch_column_bytes >= BATCH_COLUMN_BYTES

    def take_batch(self) -> dict[str, pa.Table]:
        """Return the tables collected since the last batch, masked, with their `_dlt_load_id`."""
        if self._pages:
            self.add(resource_tables(JOB_RUNS, self._pages))
        if self._observed:
            self.add({"job_run_observations": observations_table(JOB_RUNS, self._observed)})
        collected, self._pages, self._observed, self._tables = self._tables, [], [], {}
        self._batch_rows = self._batch_column_bytes = 0
        self._count(collected)
        tables = mask_tables({name: pa.concat_tables(parts) for name, parts in collected.items()}, self._redactor)
        for name in tables.keys() & self._snapshots.keys():
            snapshot = self._snapshots[name]
            self.add_masked({str(snapshot.resource.history): snapshot.replaced(tables[name])})
        for name, parts in self._masked.items():
            rows = pa.concat_tables([*([tables[name]] if name in tables else []), *parts])
            if rows.num_rows or name in tables:
                tables[name] = rows
        self._masked = {}
        return {name: self._named(name, table) for name, table in tables.items() if name in self._loaded}

    def _count(self, collected: Mapping[str, list[pa.Table]]) -> None:
        for name in self._loaded & set(WITNESS_TABLES):
            for table in collected.get(name, []):
                rows = table.filter(pc.invert(table["_deleted"])) if "_deleted" in table.column_names else table
                for found in pc.value_counts(rows["workspace_id"].combine_chunks()).to_pylist():
                    self.sent.setdefault(found["values"], Counter())[name] += found["counts"]

    def _named(self, name: str, table: pa.Table) -> pa.Table:
        field = RAW_TABLES[name].schema.field("_dlt_load_id")
        return table.append_column(field, pa.repeat(pa.scalar(self.load_id, TEXT), table.num_rows))
