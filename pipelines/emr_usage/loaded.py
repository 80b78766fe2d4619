"""Whether a load into a destination has completed: a first load that fails or is killed may leave an empty database."""

from __future__ import annotations

from typing import Any, Final

from dlt.destinations.sql_client import SqlClientBase

from .errors import NothingLoadedError
from .pipeline import RAW_DATASET

_TABLE: Final = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
_ANY_RUN: Final = f"SELECT 1 FROM {RAW_DATASET}.job_runs LIMIT 1"  # noqa: S608  # the dataset's name is ours
# A list of workspaces says nothing about their runs.
_AUDIT: Final = f"""
SELECT count(*),
  count(CASE WHEN axis <> 'list' AND status <> 'failed' THEN 1 END),
  count(CASE WHEN status = 'failed' THEN 1 END)
FROM {RAW_DATASET}.extraction_windows
"""  # noqa: S608  # the dataset's name is ours


def require_load(client: SqlClientBase[Any]) -> None:
    """Check that a load has been recorded, whatever its result.

    Raises:
        NothingLoadedError: there is no audit row.
    """
    if not _audit(client)[0]:
        raise NothingLoadedError


def require_runs(client: SqlClientBase[Any]) -> None:
    """Check that there are runs, or that a load found none.

    Raises:
        NothingLoadedError: there is no run, and either no audit row or every request was refused.
    """
    windows, read, failed = _audit(client)
    if (not windows or (failed and not read)) and not (_has(client, "job_runs") and client.execute_sql(_ANY_RUN)):
        raise NothingLoadedError


def _audit(client: SqlClientBase[Any]) -> tuple[int, int, int]:
    """Return how many windows there are, how many of them read runs, and how many failed."""
    if not _has(client, "extraction_windows"):
        return 0, 0, 0
    (counts,) = client.execute_sql(_AUDIT) or []
    return counts[0], counts[1], counts[2]


def _has(client: SqlClientBase[Any], table: str) -> bool:
    return bool(client.execute_sql(_TABLE, RAW_DATASET, table))
