"""`emr-usage backfill`: loads a range of submit times again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from .load import load_and_exit
from .monitoring import MonitoringOptions, monitoring_options
from .options import Moment, source_options


@click.command("backfill", short_help="Load a range of submit times again.")
@source_options
@click.option("--from", "first", type=Moment(), required=True, help="Start of the range of submit times, inclusive.")
@click.option("--to", "after", type=Moment(), required=True, help="End of the range, exclusive.")
@click.option("--force", is_flag=True, help="Read the range again even if this backfill has certified it already.")
@monitoring_options()
def command(
    first: datetime,
    after: datetime,
    *,
    force: bool,
    monitoring: MonitoringOptions,
    **options: Any,
) -> None:
    """\b
    Examples:
      emr-usage backfill --from 2026-01-01 --to 2026-02-01 --region cn-hangzhou
      emr-usage backfill --from 2026-01-01 --to 2026-02-01 --region cn-hangzhou --force

    Load the runs submitted in a range, oldest first. The cursors of `load` do not move. An interrupted backfill resumes when
    you give the same range again. Into PostgreSQL, several backfills and a load can run at the same time. Exits with 4 while
    another process uses the DuckDB file, or runs the same backfill.
    """
    from emr_serverless import Backfill

    if first >= after:
        raise click.UsageError("--to must be later than --from.")
    backfill = Backfill(first.astimezone(UTC), after.astimezone(UTC), force)
    load_and_exit("backfill", backfill, monitoring, **options)
