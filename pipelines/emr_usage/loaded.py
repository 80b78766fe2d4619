"""Whether a destination holds what a load has brought: a first load that fails or is cut off may leave an empty database."""

from __future__ import annotations

from typing import Any, Final

from dlt.destinations.sql_client import SqlClientBase

from .failures import NothingLoadedError
from .load import RAW_DATASET

_HAS_AUDIT: Final = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = 'extraction_windows'"
# That workspaces were listed says nothing of their runs.
_AUDIT: Final = f"""
SELECT count(*),
  count(CASE WHEN axis <> 'workspaces' AND status <> 'failed' THEN 1 END),
  count(CASE WHEN status = 'failed' THEN 1 END)
FROM {RAW_DATASET}.extraction_windows
"""  # noqa: S608  # the dataset's name is ours


def require_load(client: SqlClientBase[Any]) -> None:
    """See that a load has been recorded, whatever came of it.

    Raises:
        NothingLoadedError: there is no audit row.
    """
    if not _audit(client)[0]:
        raise NothingLoadedError


def require_runs(client: SqlClientBase[Any]) -> None:
    """See that a load could read runs, if only to find that there are none.

    Raises:
        NothingLoadedError: there is no audit row, or all that was asked for was refused.
    """
    windows, read, failed = _audit(client)
    if not windows or (failed and not read):
        raise NothingLoadedError


def _audit(client: SqlClientBase[Any]) -> tuple[int, int, int]:
    """Return how many windows there are, how many of them read runs, and how many failed."""
    if not client.execute_sql(_HAS_AUDIT, RAW_DATASET):
        return 0, 0, 0
    (counts,) = client.execute_sql(_AUDIT) or []
    return counts[0], counts[1], counts[2]
