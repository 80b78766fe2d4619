"""Contender: dlt's own `rest_api` source, as one would configure it for this API in an afternoon.

Variant `defaults` leaves everything else alone; `parquet` asks for Parquet loader files. It signs nothing and reads each
workspace's pages one after another: `nextToken` is serial, and nothing in a configuration splits a time range.
"""

from __future__ import annotations

import json
import os
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.typing import RESTAPIConfig

from arguments import Arguments, parse_arguments
from history import DAY_MS, REGION


def configure(given: Arguments) -> RESTAPIConfig:
    """Return the source's configuration: the workspaces, and below each its runs of the whole time range."""
    first_ms = given.as_of_ms - int(given.days * DAY_MS)
    time_range = json.dumps({"startTime": first_ms, "endTime": given.as_of_ms}, separators=(",", ":"))
    return {
        "client": {
            "base_url": f"{given.endpoint}/api/v1/",
            "paginator": {"type": "cursor", "cursor_path": "nextToken", "cursor_param": "nextToken"},
        },
        "resource_defaults": {"write_disposition": "merge"},
        "resources": [
            {
                "name": "workspaces",
                "primary_key": "workspaceId",
                "endpoint": {"path": "workspaces", "params": {"regionId": REGION}, "data_selector": "workspaces"},
            },
            {
                "name": "job_runs",
                "primary_key": ["workspaceId", "jobRunId"],
                "endpoint": {
                    "path": "workspaces/{resources.workspaces.workspaceId}/jobRuns",
                    "params": {
                        "regionId": REGION,
                        "maxResults": 100,
                        "startTime": time_range.replace("{", "{{").replace("}", "}}"),
                    },
                    "data_selector": "jobRuns",
                },
            },
        ],
    }


def main() -> None:
    """Load everything once."""
    given = parse_arguments()
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    pipeline = dlt.pipeline(
        "rest_api",
        destination=dlt.destinations.duckdb(str(given.database)),
        dataset_name="emr_raw",
        pipelines_dir=str(given.database.with_name(f"{given.database.name}.dlt")),
    )
    options: dict[str, Any] = {"loader_file_format": "parquet"} if given.variant == "parquet" else {}
    pipeline.run(rest_api_source(configure(given)), **options)


if __name__ == "__main__":
    main()
