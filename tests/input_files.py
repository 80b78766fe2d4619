"""Input files for the tests: headers, valid rows, and the errors that are reported for a file."""

from __future__ import annotations

from emr_usage.inputs.folder import check_table

RATE_COLUMNS = (
    *("region_id", "workspace_id", "resource_queue_id", "currency", "price_per_cu_hour", "price_kind"),
    *("valid_from", "valid_to", "source"),
)
OWNER_COLUMNS = (
    *("owner", "tag_key", "tag_value", "creator", "resource_queue_id", "workspace_id", "job_name"),
    *("valid_from", "valid_to"),
)
LIST_PRICE_COLUMNS = ("region_id", "currency", "price_per_cu_hour", "page_date", "source")
HEADERS = {
    table: ",".join(columns)
    for table, columns in (("rates", RATE_COLUMNS), ("owners", OWNER_COLUMNS), ("list_prices", LIST_PRICE_COLUMNS))
}
RATE = {
    "region_id": "cn-hangzhou",
    "currency": "USD",
    "price_per_cu_hour": "0.05",
    "price_kind": "list",
    "valid_from": "2026-01-01",
    "source": "the page",
}


def rate(**cells: str) -> str:
    """Return one row of rates.csv that is sound but for these cells."""
    return ",".join((RATE | cells).get(column, "") for column in RATE_COLUMNS)


def owner(**cells: str) -> str:
    """Return one row of owners.csv."""
    return ",".join(cells.get(column, "") for column in OWNER_COLUMNS)


def told(table: str, *lines: str) -> list[str]:
    """Return what is told of a file with the usual header and these lines."""
    return told_of(table, "\n".join([HEADERS[table], *lines]).encode())


def told_of(table: str, content: bytes) -> list[str]:
    """Return what is told of a file."""
    return [str(problem) for problem in check_table(table, content)[1]]
