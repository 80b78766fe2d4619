"""One load: its frozen horizon and its packages, read one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from ..api.client import Client
from ..api.errors import CheckSettingsError
from ..arrow.processes import DecodingProcesses
from ..redaction.redactor import Redactor
from ..settings import HORIZON_LAG_SECONDS
from .options import Backfill, LoadOptions, SourceSettings, epoch_ms
from .scheduler import Scheduler, State
from .snapshots import Row
from .stats import LoadStats


class Load:
    """One load or backfill, cut into packages. Run the source with it until it is no longer `unfinished`.

    Args:
        clock: the real time, UTC. It dates requests and observations.
        as_of: the horizon, the last moment asked for; a minute before now unless given.
        backfill: read this range of submit times instead of what is new.
        forget_workspaces: workspaces that earlier loads read and that are gone: they are no longer reported as missing.
        on_progress: called after each page and window with the stats.

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
        on_progress: Callable[[LoadStats], None] | None = None,
    ) -> None:
        started_at = clock().astimezone(UTC)
        latest = started_at - timedelta(seconds=HORIZON_LAG_SECONDS)
        horizon = as_of or latest
        _check_times(latest, as_of, backfill)
        self.options: Final = LoadOptions(clock, started_at, epoch_ms(horizon), backfill, tuple(forget_workspaces))
        self.stats: Final = LoadStats()
        self.unfinished = True
        self.client: Client | None = None
        self.decoding: Final = DecodingProcesses()
        self._on_progress = on_progress or (lambda _: None)
        self._scheduler: Scheduler | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop the threads and processes; a load that is closed before its end loses nothing: the next one resumes it."""
        if self._scheduler:
            self._scheduler.pool.close()
        self.decoding.close()

    @property
    def begun(self) -> bool:
        """Whether its first package has been read, or is being read."""
        return self._scheduler is not None

    def read_package(
        self,
        connect: Callable[[], tuple[Client, Redactor]],
        source_settings: SourceSettings,
        state: State,
        load_id: str,
        held: Mapping[str, list[Row]],
    ) -> Iterator[dict[str, pa.Table]]:
        """Read the next package: yield tables by name, then leave the cursors it certifies in `state`.

        Args:
            connect: makes the client and the redactor, once for all packages.
            source_settings: what to ask.
            state: dlt's state of `job_runs`, committed with the package.
            load_id: dlt's name of the package.
            held: rows of the destination that lists are compared with, by table; of use to the first package.

        Raises:
            EmrServerlessError: nothing could be read at all, or nothing more would come of continuing.
        """
        try:
            if self._scheduler is None:
                self.client, self._redactor = connect()
                self._scheduler = Scheduler(
                    self.options, source_settings, self.client, state, self.stats, self._report_progress, held
                )
            yield from self._scheduler.read(self._scheduler.package(load_id, self._redactor), state)
            self.stats.packages += 1
            self.unfinished = self._scheduler.unfinished
        except BaseException:
            self.close()
            raise
        if not self.unfinished:
            self.close()
            self._scheduler.pool.join()

    def _report_progress(self) -> None:
        self._on_progress(self.stats)


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
