"""The options of one load."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from ..api.errors import CheckSettingsError
from ..settings import HORIZON_LAG_SECONDS

_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(when: datetime) -> int:
    """Return a time as epoch milliseconds, rounded down."""
    return (when - _EPOCH) // _MS


@dataclass(frozen=True)
class SourceSettings:
    """What to load, and how much at once; see settings.py for the reasons of the defaults."""

    region_ids: tuple[str, ...]
    workspace_ids: tuple[str, ...]
    initial_days: float
    lookback_hours: float
    settle_days: float
    window_rows: int
    package_rows: int
    threads: int


@dataclass(frozen=True)
class Backfill:
    """A range of submit times to load again, [first, after) UTC.

    Attributes:
        first, after: the range.
        force: load it also if it is certified already.
        beside: name of the pipeline that loads what is new, where the backfill has a pipeline of its own, so that both can run at
            the same time. It must be named `pipeline_prefix` and a suffix. Its state is its progress only.
    """

    first: datetime
    after: datetime
    force: bool = False
    beside: str | None = None

    @property
    def name(self) -> str:
        """The key of its saved progress."""
        return f"{self.first.isoformat()}/{self.after.isoformat()}"

    @property
    def pipeline_prefix(self) -> str:
        """What the names of all pipelines that load this range begin with."""
        return f"{self.beside}_backfill_{hashlib.sha256(self.name.encode()).hexdigest()[:8]}_"


@dataclass(frozen=True)
class LoadOptions:
    """What is fixed when a load begins.

    Attributes:
        clock: the real time, UTC. It dates requests and observations.
        started_at: when the load began, UTC.
        horizon_ms: the last millisecond to load.
        backfill: load this range of submit times instead of what is new.
        forget_workspaces: workspaces that are gone and no longer reported as missing.
    """

    clock: Callable[[], datetime]
    started_at: datetime
    horizon_ms: int
    backfill: Backfill | None = None
    forget_workspaces: tuple[str, ...] = ()

    @property
    def mode(self) -> Literal["load", "backfill"]:
        """Which of the two it is."""
        return "backfill" if self.backfill else "load"

    @property
    def name(self) -> str:
        """How the audit names the load: when it began."""
        return self.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_times(now: datetime, as_of: datetime | None, backfill: Backfill | None) -> datetime:
    """Return the latest time that may be loaded: a later time would be certified before it has passed.

    Raises:
        CheckSettingsError: a time has no zone or is later than that, or the backfill is empty.
    """
    latest = now.astimezone(UTC) - timedelta(seconds=HORIZON_LAG_SECONDS)
    given = {"--as-of": as_of} | ({"--from": backfill.first, "--to": backfill.after} if backfill else {})
    for option, when in given.items():
        if when is None:
            continue
        if when.tzinfo is None:
            raise CheckSettingsError(f"The time {when.isoformat()} has no zone", advice="Write it as 2026-01-31T00:00:00Z.")
        if when > latest:
            raise CheckSettingsError(
                f"{option} is {when.isoformat()}, which is later than {latest.isoformat(timespec='seconds')}, a minute ago",
                advice="Give an earlier time: what has not happened yet cannot be loaded.",
            )
    if backfill and backfill.first >= backfill.after:
        raise CheckSettingsError("The backfill ends before it begins", advice="Give a --to that is later than --from.")
    if backfill and as_of and backfill.first > as_of:
        raise CheckSettingsError("The backfill begins after the horizon", advice="Give a --from that is not later than --as-of.")
    return latest
