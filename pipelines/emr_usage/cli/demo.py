"""`emr-usage demo`: loads, prices and reports an emulated company."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from .report_errors import report_errors
from .terminal import echo, errors, log_to, now, output


@click.command("demo", short_help="Load, price and report an emulated company in half a minute.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Folder of the demo.",
)
@click.option("--verbose", is_flag=True, help="Print tracebacks.")
def command(*, folder: Path, verbose: bool) -> None:
    """\b
    Examples:
      emr-usage demo
      emr-usage demo --folder /tmp/emr-demo

    Start the emulator and load the first month, three nights, an older week and the weeks before it. Build the marts, write
    the report of October, and answer three questions in SQL.
    """
    from emr_usage import demo as demo_story
    from emr_usage.progress import live_display
    from emr_usage.target import Target

    target = Target(database=folder / "emr.duckdb")
    log_to(errors())
    with report_errors(target, as_json=False, verbose=verbose):
        for step in demo_story.run_demo(folder, now, partial(live_display, errors())):
            echo(step) if isinstance(step, str) else output().print(step, highlight=False)
