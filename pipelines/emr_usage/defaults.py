"""What the command uses unless it is given something else. Imports nothing, so that `--help` is quick."""

from __future__ import annotations

import os
from typing import Final

# The setting of the zone by which days and months are cut, and its default: that of the vendor's bills.
TIME_ZONE_SETTING: Final = "emr_usage.billing_time_zone"
DEFAULT_TIME_ZONE: Final = "Asia/Shanghai"
# What our command sets unless the user has: the first is a promise of the README, the next two keep no second copy of the data.
DLT_DEFAULTS: Final = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "LOAD__TRUNCATE_STAGING_DATASET": "true",
    # DuckDB takes what it is given, which by itself is most of the machine; a package is small enough for this.
    "DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG": '{"memory_limit": "320MB"}',
    # At ERROR dlt prints the traceback of every attempt at a job; the last one is in the exception.
    "RUNTIME__LOG_LEVEL": "CRITICAL",
}


def set_dlt_defaults() -> None:
    """Set what our command wants of dlt, unless the environment says otherwise."""
    for name, value in DLT_DEFAULTS.items():
        os.environ.setdefault(name, value)
