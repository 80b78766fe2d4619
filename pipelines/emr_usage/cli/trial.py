"""Commands for trials: an API on this machine, and the whole story against it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .terminal import errors, explained, fail, log_to, now, output, tell

if TYPE_CHECKING:
    from emr_usage.emulator import Emulator


@click.command(short_help="Answer as the API would, for trials and tests.")
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True, help="Port; 0 takes a free one.")
@click.option("--seed", default=2026, show_default=True, help="Which made-up company.")
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True, help="Days of its history.")
@click.option("--runs-per-day", type=click.IntRange(1, 100_000), default=400, show_default=True, help="Its job runs a day.")
def emulator(port: int, seed: int, days: int, runs_per_day: int) -> None:
    """\b
    Examples:
      emr-usage emulator --port 8600
      emr-usage load --region cn-hangzhou --endpoint http://127.0.0.1:8600

    Serve the history of a made-up company as the API would, over HTTP on this machine, until Ctrl-C.
    """
    from emr_usage.emulator import serve_forever

    try:
        serve_forever(now(), port=port, seed=seed, days=days, runs_per_day=runs_per_day, announce=_announce)
    except OSError as error:
        fail(f"Port {port} cannot be used ({error.strerror}). Give another one with --port.", "PortTaken", as_json=False)
    output().print("Stopped.")


def _announce(served: Emulator) -> None:
    from emr_usage.emulator import DEFAULT_KEY

    lines = (
        f"The emulator answers at {served.url} until Ctrl-C. In another terminal:",
        f"  export ALIBABA_CLOUD_ACCESS_KEY_ID={DEFAULT_KEY.id}",
        f"  export ALIBABA_CLOUD_ACCESS_KEY_SECRET={DEFAULT_KEY.secret}",
        f"  emr-usage load --region cn-hangzhou --endpoint {served.url}",
    )
    tell(*lines)


@click.command(short_help="An emulated company: loaded, charged and reported in half a minute.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True, help="Its files."
)
@click.option("--verbose", is_flag=True, help="Print tracebacks.")
def demo(*, folder: Path, verbose: bool) -> None:
    """\b
    Examples:
      emr-usage demo
      emr-usage demo --folder /tmp/emr-demo

    Start the emulator, load a first month, move its clock and load three nights, backfill an older week
    and the weeks before it, make the marts and October's report, and answer three questions in SQL.
    """
    from emr_usage import demo as demo_story
    from emr_usage.load import Target
    from emr_usage.progress import live_display

    target = Target(database=folder / "emr.duckdb")
    log_to(errors())
    with explained(target, as_json=False, verbose=verbose):
        for step in demo_story.run_demo(folder, now, partial(live_display, errors())):
            tell(step) if isinstance(step, str) else output().print(step, highlight=False)
