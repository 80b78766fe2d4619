"""One load: its frozen horizon and its packages, read one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from .account import AccountSweep, State
from .client import Client
from .errors import CheckSettingsError
from .package import Package
from .redaction import Redactor
from .settings import HORIZON_LAG_SECONDS
from .terms import Backfill, Limits, Report, Terms, epoch_ms


class Load:
    """One load or backfill, cut into packages. Run the source with it until it is no longer `unfinished`.

    Args:
        clock: the real time, UTC. It dates requests and observations.
        as_of: the horizon, the last moment asked for; a minute before now unless given.
        backfill: read this range of submit times instead of what is new.
        forget_workspaces: workspaces that earlier loads read and that are gone: they are no longer reported as missing.
        on_progress: called after each page and window with the report.

    Raises:
        CheckSettingsError: a time without a zone or later than a minute before now, or an empty backfill.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        as_of: datetime | None = None,
        backfill: Backfill | None = None,
        forget_workspaces: Sequence[str] = (),
        on_progress: Callable[[Report], None] | None = None,
    ) -> None:
        started_at = clock().astimezone(UTC)
        latest = started_at - timedelta(seconds=HORIZON_LAG_SECONDS)
        horizon = as_of or latest
        _check_times(latest, as_of, backfill)
        self.terms: Final = Terms(clock, started_at, epoch_ms(horizon), backfill, tuple(forget_workspaces))
        self.report: Final = Report()
        self.unfinished = True
        self.client: Client | None = None
        self._on_progress = on_progress or (lambda _: None)
        self._sweep: AccountSweep | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop the threads; a load that is closed before its end has not lost anything, the next one goes on."""
        if self._sweep:
            self._sweep.pool.close()

    @property
    def begun(self) -> bool:
        """Whether its first package has been read, or is being read."""
        return self._sweep is not None

    def read_package(
        self, connect: Callable[[], tuple[Client, Redactor]], limits: Limits, state: State, load_id: str
    ) -> Iterator[dict[str, pa.Table]]:
        """Read the next package: yield tables by name, then leave the cursors it certifies in `state`.

        Args:
            connect: makes the client and the redactor, once for all packages.
            limits: what to ask.
            state: dlt's state of `job_runs`, committed with the package.
            load_id: dlt's name of the package.

        Raises:
            EmrServerlessError: nothing could be read at all, or nothing more would come of going on.
        """
        try:
            if self._sweep is None:
                self.client, self._redactor = connect()
                self._sweep = AccountSweep(self.terms, limits, self.client, state, self.report, self._tell)
            yield from self._sweep.read(Package(load_id, self._redactor), state)
            self.report.packages += 1
            self.unfinished = self._sweep.unfinished
        except BaseException:
            self.close()
            raise
        if not self.unfinished:
            self.close()
            self._sweep.pool.join()

    def _tell(self) -> None:
        self._on_progress(self.report)


def _check_times(latest: datetime, as_of: datetime | None, backfill: Backfill | None) -> None:
    """See that nothing is asked of a time that has not passed: it would be certified before it happened."""
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
