"""Orders of a workspace's runs that keep ListJobRuns fast: a filter looks at few runs instead of all."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import cached_property

from .filters import JobRunFilter, TimeRange
from .run import Run
from .variants import Variants


class RunIndex:
    """One workspace's runs in the orders that narrow a filter; narrowing never decides, `matches` does."""

    def __init__(self, runs: list[Run]) -> None:
        self.by_submit = sorted(runs, key=run_key)
        self.final_states = frozenset(run.final_state for run in runs)

    @cached_property
    def by_start(self) -> list[Run]:
        """Those that ever start, by their start."""
        return sorted((run for run in self.by_submit if run.start_ms is not None), key=_start_key)

    @cached_property
    def by_end(self) -> list[Run]:
        """Those that ever end, by their end."""
        return sorted((run for run in self.by_submit if run.end_ms is not None), key=_end_key)

    @cached_property
    def endless(self) -> list[Run]:
        """Those that never end."""
        return [run for run in self.by_submit if run.end_ms is None]

    @cached_property
    def by_id(self) -> dict[str, Run]:
        """All of them by id."""
        return {run.job_run_id: run for run in self.by_submit}

    def candidates(self, asked: JobRunFilter, now_ms: int, variants: Variants) -> list[Run]:
        """A superset of what `asked` finds, as small as one index makes it."""
        if asked.job_run_id is not None:
            return [self.by_id[asked.job_run_id]] if asked.job_run_id in self.by_id else []
        if asked.ended is not None:
            return _between(self.by_end, asked.ended, _end_key)
        if asked.started is not None and variants.start_filter == "submit":
            return _between(self.by_submit, asked.started, _submit_ms)
        if asked.started is not None:
            return _between(self.by_start, asked.started, _start_key)
        if asked.states and not asked.states & self.final_states:
            return self.by_end[bisect_right(self.by_end, now_ms, key=_end_key) :] + self.endless
        return self.by_submit[: bisect_right(self.by_submit, now_ms, key=_submit_ms)]


def _between(runs: list[Run], moments: TimeRange, key: Callable[[Run], int]) -> list[Run]:
    low = 0 if moments.low_ms is None else bisect_left(runs, moments.low_ms, key=key)
    high = len(runs) if moments.high_ms is None else bisect_right(runs, moments.high_ms, key=key)
    return runs[low:high]


def run_key(run: Run) -> tuple[int, str]:
    """What runs are ordered by, as a function."""
    return run.key


def _submit_ms(run: Run) -> int:
    return run.submit_ms


def _start_key(run: Run) -> int:
    return run.start_ms or 0


def _end_key(run: Run) -> int:
    return run.end_ms or 0
