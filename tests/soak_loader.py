"""A process that loads again and again, as a service that runs for months would; a line of JSON each way for each load.

It reads `database`, `endpoint`, `as_of` and `region_ids`, and answers with `incomplete`, the number of windows, and `error`: the
exception of the API that stopped the load, or null.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emr_usage.defaults import set_environment_defaults

set_environment_defaults()

from dlt.pipeline.exceptions import PipelineStepFailed  # noqa: E402  # after the defaults, which dlt and Arrow read

import emr_serverless.api.processes  # noqa: E402
import emr_serverless.api.retry  # noqa: E402
from emr_serverless import EmrServerlessError  # noqa: E402
from emr_usage.emulator import DEFAULT_KEY  # noqa: E402
from emr_usage.load import Request, run_load  # noqa: E402
from emr_usage.target import Target  # noqa: E402


def load(asked: dict[str, Any]) -> dict[str, Any]:
    """Load what is new."""
    overrides = {
        "credentials": {"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret},
        "region_ids": asked["region_ids"],
        "endpoint": asked["endpoint"],
    }
    request = Request(lambda: datetime.now(UTC), datetime.fromisoformat(asked["as_of"]), overrides=overrides)
    try:
        done = run_load(Target(database=Path(asked["database"])), request, lambda _: None)
    except PipelineStepFailed as failure:
        error: BaseException | None = failure
        while error is not None and not isinstance(error, EmrServerlessError):
            error = error.__cause__ or error.__context__
        if error is None:
            raise
        return {"incomplete": 0, "error": str(error)}
    return {"incomplete": len(done.stats.incomplete), "error": None}


if __name__ == "__main__":
    # Small loads start their processes too, and failed requests are soon sent again.
    emr_serverless.api.processes.REQUESTS_BEFORE_START = 5  # type: ignore[misc]
    emr_serverless.api.retry.BACKOFF_BASE_SECONDS = 0.001  # type: ignore[attr-defined]
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(load(json.loads(line)))}\n")
        sys.stdout.flush()
