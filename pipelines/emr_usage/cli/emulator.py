"""`emr-usage emulator`: serves an emulated API on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .terminal import echo, fail, now, output

if TYPE_CHECKING:
    from emr_usage.emulator import Emulator


@click.command("emulator", short_help="Serve an emulated API on this machine, for evaluation and tests.")
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True, help="Port; 0 for any free port.")
@click.option("--seed", default=2026, show_default=True, help="Seed of the generated data.")
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True, help="Days of history.")
@click.option("--runs-per-day", type=click.IntRange(1, 100_000), default=400, show_default=True, help="Job runs per day.")
def command(port: int, seed: int, days: int, runs_per_day: int) -> None:
    """\b
    Examples:
      emr-usage emulator --port 8600
      emr-usage load --region cn-hangzhou --endpoint http://127.0.0.1:8600

    Serve a generated history with the operations of the API, over HTTP on this machine, until Ctrl-C.
    """
    from emr_usage.emulator import serve_forever

    try:
        serve_forever(now(), port=port, seed=seed, days=days, runs_per_day=runs_per_day, announce=_announce)
    except OSError as error:
        fail(f"Port {port} cannot be used ({error.strerror}). Use another one with --port.", "PortTaken", as_json=False)
    output().print("Stopped.")


def _announce(served: Emulator) -> None:
    from emr_usage.emulator import DEFAULT_KEY

    lines = (
        f"The emulator is running at {served.url} until Ctrl-C. In another terminal:",
        f"  export ALIBABA_CLOUD_ACCESS_KEY_ID={DEFAULT_KEY.id}",
        f"  export ALIBABA_CLOUD_ACCESS_KEY_SECRET={DEFAULT_KEY.secret}",
        f"  emr-usage load --region cn-hangzhou --endpoint {served.url}",
    )
    echo(*lines)
