"""Prints the summary of a load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .terminal import echo, errors, now, output

if TYPE_CHECKING:
    from emr_serverless import Load
    from emr_usage.missing_figures import MissingFigures
    from emr_usage.target import Target


def print_load(done: Load, target: Target, missing: MissingFigures) -> None:
    """Print the summary of a load, and what is missing."""
    from emr_usage.load_summary import MAX_NAMED, hidden_default_sentence, new_fields_sentence, summary

    report = done.stats
    echo(f"{summary(done, now() - done.options.started_at)}, into {target}.")
    if report.certified_before:
        before = sorted(report.certified_before)
        of_some = "" if before == report.workspaces else f" for {', '.join(before)}"
        echo(f"This range is certified already by an earlier run of the backfill{of_some}. Use --force to read it again.")
    if report.redact == "off":
        echo('Nothing was masked (redact = "off"): the tables contain any secrets in configurations, arguments and messages.')
    if report.new_fields:
        echo(new_fields_sentence(report.new_fields))
    if missing.runs:
        echo(f"Missing figures: {missing}")
    for workspace_id, parameters in report.hidden_defaults.items():
        echo(hidden_default_sentence(workspace_id, parameters))
    for result in report.incomplete[:MAX_NAMED]:
        echo(f"Incomplete: {result}")
    if len(report.incomplete) > MAX_NAMED:
        output().print(f"and {len(report.incomplete) - MAX_NAMED} more: emr-usage status", highlight=False)


def print_failure(done: Load) -> None:
    """Print why nothing could be loaded, where that is so."""
    from emr_usage.load import failure_of_all

    if error := failure_of_all(done):
        errors().print(f"Error: {error}", highlight=False, soft_wrap=True)
