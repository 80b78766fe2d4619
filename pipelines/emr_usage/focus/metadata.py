"""The metadata beside a FOCUS file: generator, dataset, schema and recency, by the names of the specification."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

import pyarrow as pa

from emr_usage.builds import BuildRecord

from .columns import Column, Version
from .recency import Sector

# Identifiers are derived, so that the same month, and the same columns, keep theirs.
_NAMESPACE: Final = UUID("6f0c2a4e-9d0b-4a7e-8f5b-2b1d7c3e9a10")


def focus_time(moment: datetime) -> str:
    """Return a time in FOCUS's format: UTC, to the second, with a Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def describe(
    name: str,
    version: Version,
    columns: Sequence[Column],
    build: BuildRecord,
    sectors: Sequence[Sector],
    details: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the metadata of a FOCUS file.

    Args:
        name: what tells this dataset from others: account and month.
        version: of FOCUS.
        columns: of the file, in its order.
        build: of the marts; its time is when the data was last updated.
        sectors: days and whether each is complete.
        details: facts of our own; their names get the prefix x_.
    """
    instance = str(uuid5(_NAMESPACE, f"{version} {name}"))
    definitions = [_definition(column) for column in columns]
    updated = focus_time(build.built_at)
    return {
        "DataGenerator": "emr-usage",
        "DatasetInstance": [{"DatasetInstanceId": instance, "DatasetInstanceName": name, "FocusDatasetId": "CostAndUsage"}],
        "Schema": [
            {
                "SchemaId": str(uuid5(_NAMESPACE, f"{version} {json.dumps(definitions)}")),
                "FocusVersion": version,
                "CreationDate": updated,
                "DataGeneratorVersion": f"{build.version}+focus.{version}",
                "DatasetInstanceId": instance,
                "ColumnDefinition": definitions,
            }
        ],
        "Recency": [
            {
                "DatasetInstanceId": instance,
                "DatasetInstanceComplete": all(complete for _, _, complete in sectors),
                "DatasetInstanceLastUpdated": updated,
                "RecencyLastUpdated": updated,
                "TimeSectors": [
                    {
                        "TimeSectorStart": focus_time(begin),
                        "TimeSectorEnd": focus_time(end),
                        "TimeSectorComplete": complete,
                        "TimeSectorLastUpdated": updated,
                    }
                    for begin, end, complete in sectors
                ],
            }
        ],
        **{f"x_{key}": f"{value:f}" if isinstance(value, Decimal) else value for key, value in details.items()},
    }


def _definition(column: Column) -> dict[str, Any]:
    definition: dict[str, Any] = {"ColumnName": column.name, "DataType": column.focus_type}
    if pa.types.is_decimal(column.type):
        definition |= {"NumericPrecision": column.type.precision, "NumberScale": column.type.scale}
    if pa.types.is_string(column.type):
        definition["StringEncoding"] = "UTF-8"
    return definition
