"""Coverage is the contiguous certified prefix for any order in which windows are read, split or failed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emr_serverless.sync.coverage import Coverage
from emr_serverless.sync.windows import DAY_MS, Window, is_divisible, split_window

FIRST = 1_767_225_600_000 - 1000


def windows_of(end_ms: int, parts: int) -> list[Window]:
    """Return equal parts of the range from the first millisecond on."""
    whole = Window("r", "w", "start", FIRST, end_ms)
    return split_window(whole, parts) if parts > 1 and is_divisible(whole) else [whole]


class Model:
    """Holds the state of every window as a list, and looks through all of it each time."""

    def __init__(self, start_ms: int, end_ms: int) -> None:
        self._start_ms, self._end_ms = start_ms, end_ms
        self.states: dict[Window, str] = {}

    @property
    def through_ms(self) -> int:
        """Last millisecond of the prefix of certified windows."""
        through = self._start_ms - 1
        for each in sorted(self.states, key=lambda window: window.bounds):
            if self.states[each] != "certified":
                break
            through = each.bounds[1]
        return through

    @property
    def pending(self) -> list[Window]:
        """Windows still expected, oldest first."""
        return sorted((each for each, state in self.states.items() if state == "pending"), key=lambda window: window.bounds)


@given(st.data())
def test_coverage_is_the_contiguous_certified_prefix(data: st.DataObject) -> None:
    end_ms = FIRST + data.draw(st.sampled_from([0, 500, 2000, DAY_MS, 3 * DAY_MS]))
    coverage, model = Coverage(FIRST, end_ms), Model(FIRST, end_ms)
    for each in windows_of(end_ms, data.draw(st.integers(1, 4))):
        coverage.expect(each)
        model.states[each] = "pending"
    splits = 0
    while model.pending:
        each = data.draw(st.sampled_from(model.pending))
        fate = data.draw(st.sampled_from(["certified", "certified", "failed", "split"]))
        if fate == "split" and is_divisible(each) and splits < 8:
            splits += 1
            parts = split_window(each, data.draw(st.integers(2, 4)))
            coverage.replace(each, parts)
            del model.states[each]
            model.states |= dict.fromkeys(parts, "pending")
        else:
            coverage.settle(each, certified=fate == "certified")
            model.states[each] = "certified" if fate == "certified" else "failed"
        assert coverage.through_ms == model.through_ms
        assert coverage.is_settled == (not model.pending)
        assert coverage.pending_ms == (model.pending[0].bounds[0] if model.pending else end_ms + 1)


def test_nothing_is_certified_before_the_first_window() -> None:
    coverage = Coverage(FIRST, FIRST + DAY_MS)
    for each in windows_of(FIRST + DAY_MS, 2):
        coverage.expect(each)
    assert coverage.through_ms == FIRST - 1


def test_a_gap_limits_coverage_permanently() -> None:
    end_ms = FIRST + 3 * DAY_MS
    first, second, *rest = windows_of(end_ms, 4)
    coverage = Coverage(FIRST, end_ms)
    for each in (first, second, *rest):
        coverage.expect(each)
    coverage.settle(second, certified=False)
    for each in (first, *rest):
        coverage.settle(each, certified=True)
    assert coverage.is_settled
    assert coverage.through_ms == second.bounds[0] - 1


def test_an_empty_range_is_certified() -> None:
    assert Coverage(FIRST, FIRST - 1).through_ms == FIRST - 1
    assert Coverage(FIRST, FIRST - DAY_MS).through_ms == FIRST - 1
