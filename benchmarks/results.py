"""What was measured, and what the design asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from account_requests import Requests
from measure import Trial


@dataclass(frozen=True)
class Row:
    """One line of a table: the same thing measured once or more.

    Attributes:
        label: who did what.
        latency_ms: how long the server waited before each answer.
        runs: job runs loaded.
        is_documented: whether all fields of the rows are documented.
        trials: at least one.
    """

    label: str
    latency_ms: int
    runs: int
    trials: Sequence[Trial]
    is_documented: bool = False

    @property
    def wall_seconds(self) -> float:
        """Median."""
        return median(trial.wall_seconds for trial in self.trials)

    @property
    def work_seconds(self) -> float:
        """Median from the first request to the end: without the start of Python and its imports."""
        return median(trial.wall_seconds - trial.startup_seconds for trial in self.trials)

    @property
    def cpu_seconds(self) -> float:
        """Median."""
        return median(trial.cpu_seconds for trial in self.trials)

    @property
    def peak_mb(self) -> float:
        """The largest, millions of bytes."""
        return max(trial.peak_mb for trial in self.trials)

    @property
    def server_busy(self) -> float:
        """Median."""
        return median(trial.server_busy for trial in self.trials)

    @property
    def rows_per_second(self) -> float:
        """Of the whole process."""
        return self.runs / self.wall_seconds

    @property
    def extracted_per_second(self) -> float:
        """Between the first request and the last answer."""
        return self.runs / median(trial.extract_seconds for trial in self.trials)


@dataclass(frozen=True)
class Target:
    """One promise of the design: the bound in words, what was measured, and whether it holds."""

    what: str
    bound: str
    measured: str
    is_met: bool


@dataclass
class Results:
    """All tables of one run; what was left out is missing."""

    contenders: list[Row] = field(default_factory=list)
    connections: list[Row] = field(default_factory=list)
    nightly: list[Row] = field(default_factory=list)
    requests: list[Requests] = field(default_factory=list)

    def same_work(self, row: Row, label: str) -> Row | None:
        """Return another contender's row with the same latency and fields."""
        same = [
            other for other in self.contenders if (other.latency_ms, other.is_documented) == (row.latency_ms, row.is_documented)
        ]
        return next((other for other in same if other.label == label), None)

    def targets(self, this_source: str, floor: str, rival: str) -> list[Target]:
        """Compare what was measured with the design's targets."""
        targets: list[Target] = []
        own_rows = [row for row in self.contenders if row.label == this_source and not row.latency_ms]
        for own in own_rows:
            history = "documented fields only" if own.is_documented else "one run in seven with an undocumented field"
            if other := self.same_work(own, rival):
                targets.append(_at_least(f"rows/s over {rival}, {history}", own.rows_per_second / other.rows_per_second, 2.5))
                targets.append(_at_most(f"CPU over {rival}, {history}", own.cpu_seconds / other.cpu_seconds, 0.5))
            if other := self.same_work(own, floor):
                targets.append(_at_least(f"rows/s over the floor, {history}", own.rows_per_second / other.rows_per_second, 0.7))
            targets.append(_under(f"peak MB of all processes, {history}", own.peak_mb, 500))
        walls = {row.is_documented: row.wall_seconds for row in own_rows}
        if len(walls) > 1:
            targets.append(_at_most("time with undocumented fields over documented only", walls[False] / walls[True], 4 / 3))
        if self.connections:
            many, one = self.connections
            ratio = many.extracted_per_second / one.extracted_per_second
            targets.append(_at_least("extraction rate, 16 connections over 1, 100 ms", ratio, 12))
        if self.nightly:
            first, onto_large, _, onto_small = self.nightly
            targets.append(_under(f"peak MB, {first.runs:,} runs", first.peak_mb, 1_000))
            ratio = onto_large.wall_seconds / onto_small.wall_seconds
            targets.append(_under("night's time, onto the large history over onto a tenth of it", ratio, 2))
            ratio = onto_large.work_seconds / onto_small.work_seconds
            targets.append(_under("the same from the first request on", ratio, 2))
        if self.requests:
            small = self.requests[0]
            targets.append(_under("requests, 250 small workspaces, first load", small.first, 3_001))
            targets.append(_under("requests, 250 small workspaces, a night", small.night, 1_501))
        return targets


def _at_least(what: str, measured: float, bound: float) -> Target:
    return Target(what, f"at least {_figure(bound)}", _figure(measured), measured >= bound)


def _at_most(what: str, measured: float, bound: float) -> Target:
    return Target(what, f"at most {_figure(bound)}", _figure(measured), measured <= bound)


def _under(what: str, measured: float, bound: float) -> Target:
    return Target(what, f"under {_figure(bound)}", _figure(measured), measured < bound)


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}".rstrip("0").rstrip(".")
