"""Exports the estimated cost of a month as a FOCUS file: one charge for each job run and billing day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

import dlt
import pyarrow as pa
from dlt.destinations.sql_client import SqlClientBase

from emr_usage.build import MARTS_DATASET
from emr_usage.errors import NoChargesError
from emr_usage.query import query_rows, reading_marts
from emr_usage.report import Month, write_file
from emr_usage.report.missing import what_is_missing

from .charges import read_charges, schema_of
from .columns import VERSIONS, Context, Version, columns_of
from .files import WRITERS, Kind
from .metadata import describe
from .recency import find_time_sectors

__all__ = ["VERSIONS", "FocusFile", "Kind", "Version", "write_focus"]

_MONTH: Final = f"SELECT * FROM {MARTS_DATASET}.billing_months WHERE billing_month = %s"  # noqa: S608  # the dataset's name is ours
_USED: Final = f"""
SELECT COALESCE(SUM(cu_hours), 0) AS cu_hours, COALESCE(SUM(cu_hours_unpriced), 0) AS unpriced
FROM {MARTS_DATASET}.chargeback_monthly WHERE billing_month = %s
"""  # noqa: S608
_MONTHS: Final = f"SELECT DISTINCT billing_month FROM {MARTS_DATASET}.chargeback_monthly ORDER BY billing_month"  # noqa: S608


@dataclass
class FocusFile:
    """A FOCUS file that was written.

    Attributes:
        path: of the file.
        metadata: path of its metadata.
        month_status: provisional or final.
        missing: what a provisional month lacks, as parts of a sentence.
        cu_hours_unpriced: usage of the month that no rate prices; it is not in the file.
        charges: rows.
        costs: sum of BilledCost by currency.
    """

    path: Path
    metadata: Path
    month_status: str
    missing: list[str]
    cu_hours_unpriced: Decimal
    charges: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)

    def count(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the batches, and add them up."""
        for batch in batches:
            self.charges += batch.num_rows
            for currency, cost in zip(batch["BillingCurrency"].to_pylist(), batch["BilledCost"].to_pylist(), strict=True):
                self.costs[currency] = self.costs.get(currency, Decimal(0)) + cost
            yield batch


def write_focus(
    pipeline: dlt.Pipeline, month: Month, folder: Path, billing_account_id: str, version: Version = "1.4", kind: Kind = "parquet"
) -> FocusFile:
    """Write the charges of a month into a folder as a FOCUS file, with its metadata beside it.

    BilledCost is the estimated cost: its sum in each currency is that of chargeback_monthly.

    Args:
        pipeline: whose destination has the marts.
        month: in the billing time zone.
        folder: for both files.
        billing_account_id: UID of the account that pays.
        version: of FOCUS.
        kind: format of the file.

    Raises:
        BuildError: the marts are not built yet.
        NoChargesError: nothing in the month has a cost.
        FolderError: the folder cannot be written to.
    """
    columns = columns_of(version)
    with reading_marts(pipeline) as (client, build):
        unpriced = _require_charges(client, month)
        (status,) = query_rows(client, _MONTH, month.first)
        context = Context(billing_account_id, *month.bounds(build.billing_time_zone), status["month_status"])
        name = f"focus-{version}-{month}"
        done = FocusFile(
            folder / f"{name}.{kind}",
            folder / f"{name}.metadata.json",
            status["month_status"],
            what_is_missing(status, build.billing_time_zone),
            unpriced,
        )
        batches = done.count(read_charges(client, month, columns, context))
        reader = pa.RecordBatchReader.from_batches(schema_of(columns), batches)
        write_file(done.path, partial(WRITERS[kind], reader))
        details = {
            "BillingTimeZone": build.billing_time_zone,
            "BuildNumber": build.build_number,
            "MonthStatus": done.month_status,
            "Missing": done.missing,
            "Charges": done.charges,
            "BilledCost": {currency: f"{cost:f}" for currency, cost in sorted(done.costs.items())},
            "UnpricedQuantity": done.cu_hours_unpriced,
        }
        sectors = find_time_sectors(client, month, build.billing_time_zone)
        described = describe(f"{billing_account_id} {month}", version, columns, build, sectors, details)
    write_file(done.metadata, lambda path: path.write_text(json.dumps(described, indent=2, ensure_ascii=False), encoding="utf-8"))
    return done


def _require_charges(client: SqlClientBase[Any], month: Month) -> Decimal:
    """Return the CU-hours of a month that no rate prices.

    Raises:
        NoChargesError: it has no others.
    """
    (used,) = query_rows(client, _USED, month.first)
    if not used["cu_hours"]:
        months = [str(Month(row["billing_month"])) for row in query_rows(client, _MONTHS)]
        there = f"Months with use: {', '.join(months)}." if months else "No month has use yet."
        raise NoChargesError(f"No use of CU-hours is known in {month.label}. {there}")
    if used["unpriced"] == used["cu_hours"]:
        raise NoChargesError(
            f"None of the {used['cu_hours']:,.2f} CU-hours of {month.label} has a rate, so there is no cost to export."
            " Add their rates to rates.csv and run: emr-usage build"
        )
    return Decimal(used["unpriced"])
