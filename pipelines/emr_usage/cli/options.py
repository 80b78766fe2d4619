"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

import click

from emr_usage.defaults import DEFAULT_TIME_ZONE, TIME_ZONE_SETTING

if TYPE_CHECKING:
    from emr_usage.report import Month

Command = Callable[..., None]
# The API's times are milliseconds since this moment.
FIRST_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(click.ParamType[datetime]):
    """A time as in RFC 3339, or a date, which means midnight; UTC if it has no zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time, with a zone."""
        try:
            when = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time; write it as 2026-01-31 or 2026-01-31T08:00:00Z", param, ctx)
        try:
            when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
        except OverflowError:  # first or last representable day in its zone
            when = datetime.min.replace(tzinfo=UTC)
        if when < FIRST_MOMENT:
            self.fail(f"{value!r} is out of range; give {FIRST_MOMENT:%Y-%m-%d} or later", param, ctx)
        return when


class TimeZone(click.ParamType[str]):
    """A name of the time zone database."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        if value not in available_timezones():
            self.fail(f"{value!r} is not a time zone; give a name such as Asia/Shanghai or UTC", param, ctx)
        return str(value)


class MonthName(click.ParamType["Month"]):
    """A month as 2026-10."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        """Return the month."""
        from emr_usage.report import Month

        try:
            return Month.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


database_option = click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("emr.duckdb"),
    show_default=True,
    help="DuckDB file.",
)
inputs_option = click.option(
    "--inputs",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of rates.csv, owners.csv and list_prices.csv.  [default: inputs, beside the database]",
)

time_zone_option = click.option(
    "--billing-time-zone",
    type=TimeZone(),
    help=f"Time zone of billing days and months.  [default: the setting {TIME_ZONE_SETTING}, or {DEFAULT_TIME_ZONE}]",
)
change_time_zone_option = click.option(
    "--change-time-zone", is_flag=True, help="Allow a time zone other than that of the last build; recomputes all history."
)
allow_empty_inputs_option = click.option(
    "--allow-empty-inputs",
    is_flag=True,
    help="Allow an input file that had rows to be empty or missing; its rates, owners or list prices are removed.",
)
# The source checks the values of its settings: options that override them take any text.
initial_days_option = click.option(
    "--initial-days", metavar="DAYS", help="How many days back the first load starts.  [default: 30]"
)
forget_workspace_option = click.option(
    "--forget-workspace",
    "forget_workspaces",
    multiple=True,
    help="Workspace that is gone: no longer report it as missing. Its runs remain. Repeatable.",
)
wait_option = click.option(
    "--wait",
    "wait_seconds",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    default=0,
    help="Wait up to this long for another process that uses the database.  [default: exit with 4 at once]",
)
month_option = click.option("--month", type=MonthName(), help="Billing month, such as 2026-10.  [default: yesterday's month]")
reports_option = click.option(
    "--output",
    "reports",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of reports.  [default: reports, beside the database]",
)


def target_options(command: Command) -> Command:
    """Add the options for the destination."""
    for option in (
        click.option("--verbose", is_flag=True, help="Print tracebacks and request details on errors."),
        click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of text."),
        database_option,
        click.option("--destination", default="duckdb", show_default=True, help="duckdb, postgres or filesystem (a lake)."),
    ):
        command = option(command)
    return command


def source_options(command: Command) -> Command:
    """Add the options that override the source's settings."""
    for option in (
        wait_option,
        click.option(
            "--table-format",
            type=click.Choice(("parquet", "delta", "iceberg")),
            help="Format of a lake, for --destination filesystem.  [default: that of earlier loads, or parquet]",
        ),
        click.option("--max-connections", metavar="NUMBER", help="Maximum number of concurrent requests.  [default: 8]"),
        click.option("--as-of", type=Moment(), help="Load runs submitted up to this time.  [default: a minute ago]"),
        click.option("--endpoint", help="Host or URL; may contain {region_id}.  [default: the public endpoint]"),
        click.option("--workspace", "workspaces", multiple=True, help="Workspace id; repeatable.  [default: all visible]"),
        click.option("--region", "regions", multiple=True, help="Region id, such as cn-hangzhou; repeatable."),
    ):
        command = option(command)
    return target_options(command)
