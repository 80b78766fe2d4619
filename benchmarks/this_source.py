"""Contender: this source, as `emr-usage load` runs it, without the display."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from arguments import parse_arguments
from emr_usage.defaults import set_environment_defaults
from history import REGION


def now() -> datetime:
    """Return the real time, UTC."""
    return datetime.now(UTC)


def main() -> None:
    """Load everything up to the horizon."""
    given = parse_arguments()
    os.environ["SOURCES__EMR_SERVERLESS__CREDENTIALS__ACCESS_KEY_ID"] = "benchmark"
    os.environ["SOURCES__EMR_SERVERLESS__CREDENTIALS__ACCESS_KEY_SECRET"] = "benchmark"  # noqa: S105  # not checked
    set_environment_defaults()
    # As in the command, after the defaults: Arrow reads them when it is imported.
    from emr_usage.load import Request, run_load  # noqa: PLC0415
    from emr_usage.target import Target  # noqa: PLC0415

    overrides = {"region_ids": (REGION,), "endpoint": given.endpoint, "initial_days": given.days}
    if given.connections:
        overrides["max_connections"] = given.connections
    horizon = datetime.fromtimestamp(given.as_of_ms / 1000, UTC)
    done = run_load(Target(database=given.database), Request(now, horizon, overrides=overrides), lambda _: None)
    if done.stats.incomplete:
        raise SystemExit(f"incomplete: {done.stats.incomplete[0]}")


if __name__ == "__main__":
    main()
