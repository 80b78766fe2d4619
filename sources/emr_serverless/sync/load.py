"""One load: its fixed horizon and its packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import pyarrow as pa

from ..api.client import Client
from ..redaction.redactor import Redactor
from .options import Backfill, LoadOptions, SourceSettings, check_times, epoch_ms
from .saved_state import State
from .scheduler import Scheduler
from .snapshots import Row
from .stats import LoadStats


class Load:
    """One load or backfill, divided into packages. Run the source with it until it is no longer `unfinished`.

    Args:
        clock: the real time, UTC. It dates requests and observations.
        as_of: the horizon, the last moment to load; a minute before now unless given.
        backfill: load this range of submit times instead of what is new.
        forget_workspaces: workspaces that earlier loads read and that are gone: they are no longer reported as missing.
        on_progress: called after each page and window.

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
        on_progress: Callable[[Load], None] | None = None,
    ) -> None:
        started_at = clock().astimezone(UTC)
        latest = check_times(started_at, as_of, backfill)
        horizon = as_of or latest
        self.options: Final = LoadOptions(clock, started_at, epoch_ms(horizon), backfill, tuple(forget_workspaces))
        self.stats: Final = LoadStats()
        self.unfinished = True
        self.client: Client | None = None
        self._on_progress = on_progress or (lambda _: None)
        self._scheduler: Scheduler | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop the threads and processes. A load that is closed early loses nothing: the next one resumes."""
        if self._scheduler:
            self._scheduler.pool.close()

    @property
    def begun(self) -> bool:
        """Whether its first package has been read, or is being read."""
        return self._scheduler is not None

    def read_package(
        self,
        connect: Callable[[], tuple[Client, Redactor]],
        source_settings: SourceSettings,
        state: State,
        known: State,
        load_id: str,
        stored_rows: Mapping[str, list[Row]],
        *,
        tables: AbstractSet[str],
        is_whole: bool = False,
    ) -> Iterator[dict[str, pa.Table]]:
        """Read the next package: yield tables by name, then leave the cursors it certifies in `state`.

        Args:
            connect: makes the client and the redactor, once for all packages.
            source_settings: what to load.
            state: section `sync` of dlt's source state, committed with the package; see checkpoint.py.
            known: what earlier loads saved, for the first package; `state` itself, except in a backfill with its own state.
            load_id: dlt's name of the package.
            stored_rows: rows of the destination that lists are compared with, by table; used by the first package.
            tables: those that are loaded.
            is_whole: whether the package is the whole load, regardless of its size.

        Raises:
            EmrServerlessError: nothing could be read, or it makes no sense to continue.
        """
        try:
            if self._scheduler is None:
                self.client, self._redactor = connect()
                self._scheduler = Scheduler(
                    self.options, source_settings, self.client, known, self.stats, self._report_progress, stored_rows, tables
                )
            package = self._scheduler.package(load_id, self._redactor)
            yield from self._scheduler.read(package, state, is_whole=is_whole)
            self.stats.packages += 1
            self.unfinished = self._scheduler.unfinished
        except BaseException:
            self.close()
            raise
        if not self.unfinished:
            self.close()
            self._scheduler.pool.join()

    def _report_progress(self) -> None:
        self._on_progress(self)
