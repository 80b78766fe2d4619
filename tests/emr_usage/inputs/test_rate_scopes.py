"""Generated rate tables are accepted only if every scope has exactly one price on each day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import event, given
from hypothesis import strategies as st

from emr_usage.inputs.folder import check_table
from emr_usage.inputs.problems import Problem
from input_files import HEADERS

FIRST_DAY = date(2026, 1, 1)
DAYS = 12
# Rates without an end are counted until here: later than any rate begins or ends.
HORIZON = DAYS + 2

Scope = tuple[str, str, str]
SCOPES: Sequence[Scope] = [
    ("cn-hangzhou", "", ""),
    ("cn-hangzhou", "w-one", ""),
    ("cn-hangzhou", "", "dev"),
    ("cn-hangzhou", "w-one", "dev"),
    ("us-east-1", "", ""),
]


@dataclass(frozen=True)
class Rate:
    """A row: its scope, and its first day and the day after its last, counted from `FIRST_DAY`; None has no end."""

    scope: Scope
    begins: int
    ends: int | None
    currency: str

    @property
    def line(self) -> str:
        """The row as the file has it."""
        end = "" if self.ends is None else day(self.ends)
        return ",".join([*self.scope, self.currency, "0.05", "list", day(self.begins), end, "generated"])

    @property
    def days(self) -> range:
        """Every day on which it holds, until the horizon."""
        return range(self.begins, HORIZON if self.ends is None else self.ends)


def day(number: int) -> str:
    """Return a day as the file has it."""
    return (FIRST_DAY + timedelta(days=number)).isoformat()


CURRENCIES = st.sampled_from(["USD", "USD", "CNY"])


@st.composite
def chains(draw: st.DrawFn, scope: Scope) -> list[Rate]:
    """Draw rates that follow each other, of which here and there one begins or ends elsewhere, or is another's twin."""
    cuts = sorted(draw(st.sets(st.integers(0, DAYS), min_size=2, max_size=5)))
    rates = []
    for begins, ends in pairwise(cuts):
        shift = draw(st.sampled_from([0] * 12 + [-2, -1, 1, 2]))
        has_no_end = draw(st.booleans()) if ends == cuts[-1] else draw(st.sampled_from([False] * 12 + [True]))
        first_day = max(0, min(begins + shift, ends - 1))
        rates.append(Rate(scope, first_day, None if has_no_end else ends, draw(CURRENCIES)))
    return rates


@st.composite
def tables(draw: st.DrawFn) -> list[Rate]:
    """Draw a whole file: chains of some scopes, in any order, now and then with a row more or less."""
    scopes = draw(st.lists(st.sampled_from(SCOPES), unique=True, max_size=3))
    rates = [rate for scope in scopes for rate in draw(chains(scope))]
    if rates and draw(st.sampled_from([False] * 4 + [True])):
        rates.remove(draw(st.sampled_from(rates)))
    if rates and draw(st.sampled_from([False] * 9 + [True])):
        rates.append(draw(st.sampled_from(rates)))
    return draw(st.permutations(rates))


def expected_faults(rates: Sequence[Rate]) -> set[tuple[Scope, str]]:
    """Return each scope's faults by looking at every day."""
    faults: set[tuple[Scope, str]] = set()
    for scope in {rate.scope for rate in rates}:
        same = [rate for rate in rates if rate.scope == scope]
        held = Counter(day_number for rate in same for day_number in rate.days)
        if max(held.values()) > 1:
            faults.add((scope, "overlap"))
        if len(held) != max(held) - min(held) + 1:
            faults.add((scope, "gap"))
    return faults


def told_faults(rates: Sequence[Rate]) -> set[tuple[Scope, str]]:
    """Return each scope's faults as the file's problems tell them."""
    content = "\n".join([HEADERS["rates"], *(rate.line for rate in rates)])
    _, problems = check_table("rates", content.encode())
    return {(rates[problem.row - 2].scope, kind_of(problem)) for problem in problems}


def kind_of(problem: Problem) -> str:
    """Return which of the two faults a problem is about."""
    return "gap" if "there is a gap" in problem.what else "overlap"


@given(tables())
def test_reported_errors_match_the_injected_errors(rates: list[Rate]) -> None:
    expected = expected_faults(rates)
    event(f"accepted: {not expected}, rows: {bool(rates)}")
    assert told_faults(rates) == expected


def test_the_expected_errors_of_small_tables_are_correct() -> None:
    """A check of the oracle on tables small enough to verify by hand."""
    scope = SCOPES[0]
    first = Rate(scope, 0, 3, "USD")
    assert expected_faults([first, Rate(scope, 3, None, "USD")]) == set()
    assert expected_faults([first, Rate(scope, 2, None, "USD")]) == {(scope, "overlap")}
    assert expected_faults([first, Rate(scope, 4, None, "USD")]) == {(scope, "gap")}
    assert expected_faults([first, Rate(scope, 3, None, "CNY")]) == set()
    assert expected_faults([first, Rate(SCOPES[1], 2, None, "CNY")]) == set()
    # The longest of the earlier ones counts, not the one that began last.
    long = [Rate(scope, 0, 10, "USD"), Rate(scope, 1, 2, "USD"), Rate(scope, 10, None, "USD")]
    assert expected_faults(long) == {(scope, "overlap")} == told_faults(long)
