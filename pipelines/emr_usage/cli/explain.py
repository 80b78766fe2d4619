"""`emr-usage explain`: explains the cost and the owner of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import target_options
from .report_errors import report_errors
from .require import require_database
from .terminal import echo, fail, output, print_json

if TYPE_CHECKING:
    from emr_usage.explanation import Explanation


@click.command("explain", short_help="Explain a run's cost and owner.")
@target_options
@click.argument("job_run_id")
def command(*, job_run_id: str, destination: str, database: Path, as_json: bool, verbose: bool) -> None:
    """\b
    Examples:
      emr-usage explain jr-0123456789abcdef
      emr-usage explain jr-0123456789abcdef --json

    Show the days on which a run is charged, the rate of each day and its row in rates.csv, the rule that names the owner, and
    what is not priced.
    """
    from emr_usage.explanation import explain_run
    from emr_usage.pipeline import open_reader
    from emr_usage.target import Target

    target = Target(destination, database).marts
    require_database(target, as_json=as_json)
    with report_errors(target, as_json=as_json, verbose=verbose), open_reader(target) as pipeline:
        explanations = explain_run(pipeline, job_run_id)
    if not explanations:
        fail(
            f"Job run {job_run_id} is not in the marts of {target}. If it was loaded since the last build, run: emr-usage build",
            "NoSuchRun",
            as_json=as_json,
        )
    if as_json:
        print_json([vars(explanation) for explanation in explanations])
    else:
        for explanation in explanations:
            _print_explanation(explanation)


def _print_explanation(explanation: Explanation) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from emr_usage.explanation import explanation_lines

    run = explanation.run
    echo(*explanation_lines(explanation))
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("billing date", "hours", "CU-hours", "estimated cost", "rate", "from rates.csv"):
        table.add_column(title, no_wrap=title != "from rates.csv", overflow="fold")
    for day in explanation.days:
        cost, rate, line = "-", "unpriced", "-"
        if day["currency"]:
            cost, rate = str(day["estimated_cost"]), f"{day['currency']} {day['price_per_cu_hour'].normalize():f}"
            line = ", ".join(filter(None, (f"line {day['rate_row_number']}", day["rate_kind"], day["rate_source"])))
        table.add_row(str(day["billing_date"]), str(day["hours"]), str(day["cu_hours"]), cost, rate, line)
    if explanation.days:
        output().print(table)
    if run["cu_hours_unpriced"]:
        place = ", ".join(str(run[name]) for name in ("region_id", "workspace_id", "resource_queue_id") if run[name])
        text = f"Not priced: {run['cu_hours_unpriced']} CU-hours, because no row of rates.csv applies to {place} on those dates."
        echo(text)
