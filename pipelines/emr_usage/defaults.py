"""Defaults of the command. Imports nothing, so that `--help` is fast."""

from __future__ import annotations

import os
from typing import Final

# The setting of the billing time zone, and its default: that of the vendor's bills.
TIME_ZONE_SETTING: Final = "emr_usage.billing_time_zone"
DEFAULT_TIME_ZONE: Final = "Asia/Shanghai"
# The forms of a notification.
NOTIFY_FORMATS: Final = ("json", "slack", "dingtalk", "feishu")
# Set by the command unless the user has set it: the README promises the first; the next two avoid a second copy of the data.
ENVIRONMENT_DEFAULTS: Final = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    # Each batch becomes a Parquet row group; by default dlt would join small batches of large rows into one.
    "DATA_WRITER__BUFFER_MAX_ITEMS": "1",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "LOAD__TRUNCATE_STAGING_DATASET": "true",
    # By default, DuckDB may use most of the machine's memory; a package fits into this, if few threads read its texts at a time.
    "DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG": '{"memory_limit": "240MB", "threads": 2}',
    # At level ERROR, dlt prints the traceback of every attempt at a job; the last one is in the exception.
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    # Arrow's own allocator keeps 50 MB after the extraction of 100,000 runs, while DuckDB needs it. Read when Arrow is imported.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


def set_environment_defaults() -> None:
    """Set the command's defaults for dlt and Arrow, unless the environment sets them."""
    for name, value in ENVIRONMENT_DEFAULTS.items():
        os.environ.setdefault(name, value)
