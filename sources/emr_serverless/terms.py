"""What one load is asked, and what it has done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from .settings import SETTLE_DAYS
from .sweep import Outcome

_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(when: datetime) -> int:
    """Return a time as epoch milliseconds, rounded down."""
    return (when - _EPOCH) // _MS


@dataclass(frozen=True)
class Limits:
    """What a load asks for and how much at once; see settings.py for the reasons of the defaults."""

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
    """A range of submit times to read once more, [first, after) UTC; `force` reads what is certified already too."""

    first: datetime
    after: datetime
    force: bool = False

    @property
    def name(self) -> str:
        """How its progress is remembered."""
        return f"{self.first.isoformat()}/{self.after.isoformat()}"


@dataclass
class Report:
    """What a load has done so far; read it at any time.

    Attributes:
        rows: job runs sent to the destination, each at most once in a package.
        requests: HTTP requests sent for the windows that are done, retries included.
        windows: windows of job runs read, by status.
        incomplete: the outcomes that are not complete.
        workspaces: workspaces asked.
        certified_before: those of them whose whole range an earlier run of the same backfill has certified.
        expected_rows: runs on the start axis by the API's counts; None before the first answer.
        hidden_defaults: by workspace, parameters of the API whose absence hides runs; it was asked with and without them.
        unknown_fields: response fields without a column, as `table.path`, with the rows that had them.
        new_fields: those that no finished load has reported before; known at the end of the load.
        redact: what is masked: patterns, strict, or off.
        settle_days: how long after its end a run without figures is asked for again.
    """

    rows: int = 0
    requests: int = 0
    windows: Counter[str] = field(default_factory=Counter)
    incomplete: list[Outcome] = field(default_factory=list)
    workspaces: list[str] = field(default_factory=list)
    certified_before: list[str] = field(default_factory=list)
    expected_rows: int | None = None
    packages: int = 0
    hidden_defaults: dict[str, list[str]] = field(default_factory=dict)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    new_fields: list[str] = field(default_factory=list)
    redact: str = ""
    settle_days: float = SETTLE_DAYS


@dataclass(frozen=True)
class Terms:
    """What is fixed when a load begins.

    Attributes:
        clock: the real time, UTC. It dates requests and observations.
        started_at: when the load began, UTC.
        horizon_ms: the last millisecond asked for.
        backfill: read this range of submit times instead of what is new.
        forget_workspaces: workspaces that are gone and no longer missed.
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
