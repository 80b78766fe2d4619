"""The report of a month: an HTML page, or the chargeback tables as files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal

import dlt

from emr_usage.errors import NO_SPACE, FolderError
from emr_usage.whole_file import write_whole

from .figures import Figures
from .missing import what_is_missing
from .month import Month
from .numbers import cu_hours, money
from .read_figures import read_billing_time_zone, read_figures

Format = Literal["html", "csv", "parquet", "xlsx"]
FOLDER: Final = "reports"

__all__ = [
    "FOLDER",
    "Figures",
    "Format",
    "Month",
    "default_folder",
    "headline",
    "read_billing_time_zone",
    "what_is_missing",
    "write_chargeback_workbook",
    "write_file",
    "write_page",
    "write_tables",
]


def default_folder(database: Path) -> Path:
    """Return the folder of reports beside a database."""
    return database.with_name(FOLDER)


def write_page(pipeline: dlt.Pipeline, month: Month, folder: Path, made_at: datetime) -> tuple[Path, Figures]:
    """Write the page of a month into a folder, and return its path and its figures.

    Raises:
        BuildError: the marts are not built yet.
        FolderError: the folder cannot be written to.
    """
    # Imported here: it takes half a second, which other commands need not wait for.
    from .page import render_page  # noqa: PLC0415

    figures = read_figures(pipeline, month, made_at)
    page = render_page(figures)
    return write_file(folder / f"emr-usage-{month}.html", lambda path: path.write_text(page, encoding="utf-8")), figures


def write_tables(pipeline: dlt.Pipeline, month: Month, folder: Path, kind: Format) -> list[Path]:
    """Write the chargeback tables of a month into a folder, each as a file, and return their paths.

    Raises:
        BuildError: the marts are not built yet.
        FolderError: the folder cannot be written to.
    """
    from .csv_file import write_csv  # noqa: PLC0415
    from .export import read_chargeback, write_parquet  # noqa: PLC0415

    write = write_csv if kind == "csv" else write_parquet
    return [
        write_file(folder / f"{name}-{month}.{kind}", partial(write, table))
        for name, table in read_chargeback(pipeline, month).items()
    ]


def write_chargeback_workbook(pipeline: dlt.Pipeline, month: Month, folder: Path) -> tuple[Path, int]:
    """Write the chargeback tables of a month into a folder as one workbook.

    Returns:
        Its path, and how many of its figures were rounded to the digits that a workbook keeps.

    Raises:
        BuildError: the marts are not built yet.
        FolderError: the folder cannot be written to.
        TooManyRowsError: a table does not fit on a worksheet.
    """
    from .export import read_chargeback  # noqa: PLC0415
    from .workbook import write_workbook  # noqa: PLC0415

    rounded: list[int] = []
    tables = read_chargeback(pipeline, month)
    path = write_file(folder / f"chargeback-{month}.xlsx", lambda path: rounded.append(write_workbook(tables, path)))
    return path, sum(rounded)


def headline(figures: Figures) -> str:
    """Return the cost of the month as one line: final, or provisional with what is missing."""
    total = figures.total
    used = cu_hours(total.cu_hours)
    month = f"{figures.month.label} ({figures.month_status})"
    missing = f"; missing: {', '.join(figures.missing)}" if figures.missing else ""
    if total.costs:
        costs = " and ".join(money(cost, currency) for currency, cost in total.costs.items())
        unpriced = f", {cu_hours(total.cu_hours_unpriced)} of it unpriced" if total.cu_hours_unpriced else ""
        text = f"{month}: estimated {costs} for {used}{unpriced}{missing}"
    else:
        text = f"{month}: {used}{', none of it priced' if total.cu_hours else ''}{missing}"
    return text.replace("\N{NO-BREAK SPACE}", " ")


def write_file(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file, completely or not at all, and return its path.

    Raises:
        FolderError: its folder cannot be written to.
    """
    try:
        write_whole(path, write)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise
        raise FolderError(path.parent, "--output", error) from error
    return path
