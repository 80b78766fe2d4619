"""`emr-usage compact`: merges the files of a lake."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from .options import target_options
from .report_errors import report_errors
from .step_result import StepResult, echo_result
from .terminal import now


@click.command("compact", short_help="Merge the small files of a lake.")
@target_options
@click.option(
    "--retention-hours",
    type=click.IntRange(min=0),
    default=24,
    show_default=True,
    help="Keep files that were merged for this long: no query of the lake may take longer.",
)
def command(*, retention_hours: int, destination: str, database: Path, as_json: bool, verbose: bool) -> None:
    """\b
    Examples:
      emr-usage compact --destination filesystem
      emr-usage compact --destination filesystem --retention-hours 48 --json

    Merge the files of each workspace and month into one, without the versions that later ones have replaced, and remove files
    that an earlier compaction has merged. Loads and readers can run at the same time, and see the same rows before, during and
    after it.
    """
    from emr_usage.compact import compact
    from emr_usage.target import Target

    target = Target(destination, database)
    with report_errors(target, as_json=as_json, verbose=verbose):
        done = compact(target, now(), timedelta(hours=retention_hours))
    sentence = f"{done.files:,} files merged into {done.merged:,}, {done.removed:,} replaced files removed."
    echo_result(StepResult(vars(done), [sentence]), target, as_json=as_json)
