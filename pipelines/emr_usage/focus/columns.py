"""The columns of a FOCUS file: FOCUS's own in alphabetical order, then ours, which begin with x_."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import pyarrow as pa

from .regions import region_name

Version = Literal["1.4", "1.2"]
VERSIONS: Final[tuple[Version, ...]] = ("1.4", "1.2")
Row = Mapping[str, Any]

SERVICE: Final = "EMR Serverless Spark"
VENDOR: Final = "Alibaba Cloud"
UNIT: Final = "CU-Hours"
# The vendor publishes prices without identifiers: these are ours. A price of the list is that of a region.
SKU: Final = "emr-serverless-spark-cu-hour"

_TEXT: Final = pa.string()
_MOMENT: Final = pa.timestamp("us", tz="UTC")
_AMOUNT: Final = pa.decimal128(38, 6)
_PRICE: Final = pa.decimal128(18, 10)
# A product of the two, which FOCUS asks to be exact.
_PRODUCT: Final = pa.decimal128(38, 16)


@dataclass(frozen=True)
class Context:
    """What is the same for all charges of a file.

    Attributes:
        billing_account_id: UID of the account that pays.
        period_start, period_end: bounds of the billing month, UTC.
        month_status: provisional or final.
    """

    billing_account_id: str
    period_start: datetime
    period_end: datetime
    month_status: str


@dataclass(frozen=True)
class Column:
    """A column of a FOCUS file.

    Attributes:
        name: in the file.
        type: Arrow's.
        value: returns the value of a charge.
        focus_type: FOCUS's name of the type, for its metadata.
        versions: of FOCUS that have it.
    """

    name: str
    type: pa.DataType
    value: Callable[[Row, Context], Any]
    focus_type: str
    versions: tuple[Version, ...] = VERSIONS


def columns_of(version: Version) -> list[Column]:
    """Return the columns of a version of FOCUS, in the order of the file."""
    return [column for column in COLUMNS if version in column.versions]


def _constant(value: object) -> Callable[[Row, Context], Any]:
    return lambda _row, _context: value


def _of(name: str) -> Callable[[Row, Context], Any]:
    return lambda row, _context: row[name]


def _text(name: str, value: Callable[[Row, Context], Any], *versions: Version) -> Column:
    return Column(name, _TEXT, value, "STRING", versions or VERSIONS)


def _moment(name: str, value: Callable[[Row, Context], Any]) -> Column:
    return Column(name, _MOMENT, value, "DATETIME")


def _decimal(name: str, kind: pa.DataType, column: str) -> Column:
    return Column(name, kind, _of(column), "DECIMAL")


def _description(row: Row, _context: Context) -> str:
    name = f" {row['job_run_name']}" if row["job_run_name"] else ""
    return f"{SERVICE} job run{name} ({row['job_run_id']})"


def _resource_name(row: Row, _context: Context) -> str | None:
    # FOCUS wants no name that only repeats the identifier.
    name = row["job_run_name"]
    return str(name) if name and name != row["job_run_id"] else None


def _tags(row: Row, _context: Context) -> str:
    tags: dict[str, str | None] = {}
    for key, value in json.loads(row["tag_pairs"] or "[]"):
        # FOCUS allows a key once; the API's first one stays.
        tags.setdefault(key, value)
    # A spreadsheet may begin a cell after a semicolon: escaped, the JSON is the same, and no cell can be a formula.
    return json.dumps(tags, ensure_ascii=False).replace(";", "\\u003b")


COLUMNS: Final = (
    _decimal("BilledCost", _AMOUNT, "estimated_cost"),
    _text("BillingAccountId", lambda _row, context: context.billing_account_id),
    _text("BillingAccountName", _constant(None)),
    _text("BillingCurrency", _of("currency")),
    _moment("BillingPeriodEnd", lambda _row, context: context.period_end),
    _moment("BillingPeriodStart", lambda _row, context: context.period_start),
    _text("ChargeCategory", _constant("Usage")),
    _text("ChargeClass", _constant(None)),
    _text("ChargeDescription", _description),
    _text("ChargeFrequency", _constant("Usage-Based")),
    _moment("ChargePeriodEnd", lambda row, _context: row["last_hour"] + timedelta(hours=1)),
    _moment("ChargePeriodStart", _of("first_hour")),
    _decimal("ConsumedQuantity", _AMOUNT, "cu_hours"),
    _text("ConsumedUnit", _constant(UNIT)),
    _decimal("ContractedCost", _PRODUCT, "contracted_cost"),
    _decimal("ContractedUnitPrice", _PRICE, "price_per_cu_hour"),
    _decimal("EffectiveCost", _AMOUNT, "estimated_cost"),
    _text("HostProviderName", _constant(VENDOR), "1.4"),
    _text("InvoiceId", _constant(None)),
    _text("InvoiceIssuerName", _constant(VENDOR)),
    _decimal("ListCost", _PRODUCT, "list_cost"),
    _decimal("ListUnitPrice", _PRICE, "list_price"),
    _text("PricingCategory", _constant("Standard")),
    _decimal("PricingQuantity", _AMOUNT, "cu_hours"),
    _text("PricingUnit", _constant(UNIT)),
    _text("ProviderName", _constant(VENDOR), "1.2"),
    _text("PublisherName", _constant(VENDOR), "1.2"),
    _text("RegionId", _of("region_id")),
    _text("RegionName", lambda row, _context: region_name(row["region_id"])),
    _text("ResourceId", _of("job_run_id")),
    _text("ResourceName", _resource_name),
    _text("ResourceType", _constant("Job Run")),
    _text("ServiceCategory", _constant("Analytics")),
    _text("ServiceName", _constant(SERVICE)),
    _text("ServiceProviderName", _constant(VENDOR), "1.4"),
    _text("ServiceSubcategory", _constant("Data Processing")),
    _text("SkuId", _constant(SKU)),
    _text("SkuMeter", _constant("Compute Usage")),
    Column("SkuPriceDetails", _TEXT, _constant(None), "JSON"),
    _text("SkuPriceId", lambda row, _context: f"{SKU}/{row['region_id']}"),
    _text("SubAccountId", _of("workspace_id")),
    _text("SubAccountName", lambda row, _context: row["workspace_name"] or row["workspace_id"]),
    Column("Tags", _TEXT, _tags, "JSON"),
    Column("x_BillingDate", pa.date32(), _of("billing_date"), "DATE"),
    _text("x_CostBasis", _constant("estimated")),
    _text("x_JobKey", _of("job_key")),
    _text("x_JobRunState", _of("state")),
    _text("x_ListPriceSource", _of("list_price_source")),
    _text("x_MonthStatus", lambda _row, context: context.month_status),
    _text("x_Owner", _of("owner")),
    _text("x_ResourceQueueId", _of("resource_queue_id")),
)
