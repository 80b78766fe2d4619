"""Response fields that have no column, counted over all loads.

The counts live in dlt's state of the source, which is committed in the same package as the rows they count, and the table
`unknown_fields` is written from them. So a package that is loaded twice, or never, counts once, or not at all. One bound: a
load that is killed after dlt has committed a package and before it has written its state.json leaves its counts out, as
it does with its cursors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, MutableMapping
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from ..arrow.coerce import utc_from_ms
from ..arrow.decode import Records
from ..arrow.schema import RAW_TABLES

TABLE: Final = "unknown_fields"
# An API with generated field names would otherwise fill the state.
MOST_FIELDS: Final = 1_000


class UnknownFieldCounts:
    """The unknown fields of one package's rows, by resource and path: rows, and the first and the last request, epoch ms.

    Args:
        scrub: removes secrets from the paths.
    """

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub
        self.rows: Counter[tuple[str, str]] = Counter()
        self._times: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, resource: str, records: Records, observed_at: datetime) -> None:
        """Count the fields of rows that are loaded into a resource's table."""
        seen_ms = int(observed_at.timestamp() * 1000)
        for path, rows in records.unknown_paths().items():
            field = (resource, self._scrub(path))
            first_ms, last_ms = self._times.get(field, (seen_ms, seen_ms))
            self._times[field] = (min(first_ms, seen_ms), max(last_ms, seen_ms))
            self.rows[field] += rows

    def save(self, state: MutableMapping[str, Any]) -> pa.Table:
        """Add these to what dlt's state knows of all loads; return the rows of `unknown_fields` that change."""
        known: dict[str, dict[str, Any]] = state.setdefault(TABLE, {})
        changed = []
        for (resource, path), rows in self.rows.items():
            first_ms, last_ms = self._times[resource, path]
            fields = known.setdefault(resource, {})
            if path not in fields and sum(map(len, known.values())) >= MOST_FIELDS:
                continue
            field = fields.setdefault(path, {"first_ms": first_ms, "last_ms": last_ms, "rows": 0, "reported": False})
            field["first_ms"] = min(field["first_ms"], first_ms)
            field["last_ms"] = max(field["last_ms"], last_ms)
            field["rows"] += rows
            changed.append(_row(resource, path, field))
        return pa.Table.from_pylist(changed, schema=RAW_TABLES[TABLE].page_schema)


def take_unreported(state: MutableMapping[str, Any]) -> list[str]:
    """Return the fields that no finished load has reported, as `resource.path`, and mark them as reported."""
    new = []
    for resource, fields in state.get(TABLE, {}).items():
        for path, field in fields.items():
            if not field["reported"]:
                field["reported"] = True
                new.append(f"{resource}.{path}")
    return new


def _row(resource: str, path: str, field: dict[str, Any]) -> dict[str, Any]:
    last_seen = utc_from_ms(field["last_ms"])
    return {
        "resource": resource,
        "path": path,
        "first_seen": utc_from_ms(field["first_ms"]),
        "last_seen": last_seen,
        "count": field["rows"],
        "observed_at": last_seen,
    }
