"""Lists that are read completely at every load: changed rows leave their earlier version, missing rows are marked.

The earlier versions are those of the destination, read when the load begins: no saved state has to agree with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

import pyarrow as pa

from ..arrow.decode import Records
from ..arrow.schema import EXTRA, GONE_AT, RAW_TABLES, REPLACED_AT
from ..resources.declaration import Resource
from ..settings import LIST_DAYS
from .windows import Window

Row = dict[str, Any]


class Snapshot:
    """One list in one load.

    Args:
        resource: what is listed.
        stored_rows: the rows of its table in the destination; none where the destination cannot be queried.
    """

    def __init__(self, resource: Resource, stored_rows: Iterable[Row]) -> None:
        self.resource: Final = resource
        self._whose = "region_id" if resource.parent == "region" else "workspace_id"
        self._table: Final = RAW_TABLES[resource.table]
        # A reappearance is a change too.
        self._compared = [column.name for column in resource.fields if not column.volatile] + [GONE_AT.name, EXTRA.name]
        self._latest = {self._key(row): row for row in stored_rows}
        self._seen: dict[str, set[str]] = {}
        self._read_at: dict[str, datetime] = {}
        for row in self._latest.values():
            whose = row[self._whose]
            self._read_at[whose] = max(row["observed_at"], self._read_at.get(whose, row["observed_at"]))

    def can_wait(self, workspace_id: str, now: datetime) -> bool:
        """Return whether the list of a workspace without new runs need not be read today.

        It is read once in `LIST_DAYS`, each workspace's on a day of its own, so that all nights take as many requests.
        """
        read_at = self._read_at.get(workspace_id)
        is_its_day = (now.date().toordinal() - crc32(workspace_id.encode())) % LIST_DAYS == 0
        return read_at is not None and not is_its_day and now - read_at < timedelta(days=LIST_DAYS)

    def fresh(self, window: Window, records: Records) -> Records:
        """Return the rows of a page that this load has not yet read in the same list; rows without an id are dropped."""
        seen, positions = self._seen.setdefault(self._place(window), set()), []
        for position, row_id in enumerate(records.column(str(self.resource.row_id.path))):
            if row_id and row_id not in seen:
                seen.add(row_id)
                positions.append(position)
        return records.at(positions)

    def replaced(self, table: pa.Table) -> pa.Table:
        """Take masked rows that are loaded; return the earlier versions of those that differ, as rows of the history."""
        earlier = []
        for row in table.to_pylist():
            stored = self._latest.get(self._key(row))
            if stored and any(stored[name] != row[name] for name in self._compared):
                earlier.append({**stored, REPLACED_AT.name: row["observed_at"]})
            self._latest[self._key(row)] = row
        return pa.Table.from_pylist(earlier, schema=RAW_TABLES[str(self.resource.history)].page_schema)

    def gone(self, window: Window, observed_at: datetime) -> pa.Table:
        """Return the stored rows that are missing from a complete list, marked as gone.

        Args:
            window: the list.
            observed_at: when its reading began, UTC.
        """
        parse = self.resource.row_id.parse or str
        listed = {parse(row_id) for row_id in self._seen.get(self._place(window), ())}
        name = self.resource.row_id.name
        missing = [
            row | {GONE_AT.name: observed_at}
            for row in self._latest.values()
            if self._is_of(row, window) and row[GONE_AT.name] is None and row[name] not in listed
        ]
        self._latest |= {self._key(row): row for row in missing}
        return pa.Table.from_pylist(missing, schema=self._table.page_schema)

    def _place(self, window: Window) -> str:
        # A workspace is in one region, whichever of them lists it.
        return "" if self.resource.parent == "region" else window.workspace_id

    def _is_of(self, row: Row, window: Window) -> bool:
        return bool(row[self._whose] == getattr(window, self._whose))

    def _key(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.resource.key)


def snapshots(resources: Iterable[Resource], stored_rows: Mapping[str, list[Row]]) -> dict[str, Snapshot]:
    """Return the lists of a load, by table."""
    return {
        resource.table: Snapshot(resource, stored_rows.get(resource.table, ()))
        for resource in resources
        if resource.history is not None
    }
