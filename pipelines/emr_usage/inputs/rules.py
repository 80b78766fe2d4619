"""Checks the rules over all rows of a table: no gaps, overlaps, duplicate prices, or rules that can never match."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from .problems import Problem, quoted
from .rows import Row
from .tables import file_name
from .tags import tag_form

SCOPE: Final = ("region_id", "workspace_id", "resource_queue_id")
PERIOD: Final = ("valid_from", "valid_to")
# Two rules that differ only in the letter case of these are equal.
CASELESS: Final = ("tag_key", "tag_value")
CONDITIONS: Final = (*CASELESS, "creator", "resource_queue_id", "workspace_id", "job_name")
_RATES, _OWNERS, _LIST_PRICES = (file_name(table) for table in ("rates", "owners", "list_prices"))


def check_rates(rows: Sequence[Row]) -> Iterator[Problem]:
    """Yield the overlaps and gaps within each scope."""
    # A row whose scope or days are invalid may be the one that fills a gap.
    is_scope_unknown = any(row.bad.intersection(SCOPE) for row in rows)
    undated = {_key(row, SCOPE) for row in rows if row.bad.intersection(PERIOD)}
    for same in _groups(rows, SCOPE, sound=PERIOD):
        yield from _broken_chain(same, with_gaps=not is_scope_unknown and _key(same[0], SCOPE) not in undated)


def check_owners(rows: Sequence[Row]) -> Iterator[Problem]:
    """Yield the rules that can never match or that match everything too early, and owners with two spellings."""
    sound = [row for row in rows if not row.bad]
    last = max((row.number for row in sound if _condition(row) != _NO_CONDITION), default=0)
    earlier: dict[tuple[Hashable, ...], list[Row]] = {}
    spelled: dict[str, Row] = {}
    for row in sound:
        condition = _condition(row)
        if condition == _NO_CONDITION and row.number < last:
            advice = "fill in a condition, or move it to the end of the file"
            yield Problem(_OWNERS, row.number, "", "a rule without conditions precedes others and matches their runs", advice)
        twin = next((other for other in earlier.setdefault(condition, []) if _covers(other, row)), None)
        if twin:
            what = f"it can never match: row {twin.number} has the same conditions, for the same days, and comes first"
            yield Problem(_OWNERS, row.number, "", what, "remove one of them, or give them different days")
        earlier[condition].append(row)
        owner = row.values["owner"]
        known = spelled.setdefault(unicodedata.normalize("NFKC", owner).casefold(), row)
        if known.values["owner"] != owner:
            what = f"{quoted(owner)} is {quoted(known.values['owner'])} in row {known.number}"
            yield Problem(_OWNERS, row.number, "owner", what, "use one spelling for each owner")


def check_list_prices(rows: Sequence[Row]) -> Iterator[Problem]:
    """Yield the prices that are given twice for one page."""
    for first, *others in _groups(rows, ("region_id", "currency", "page_date")):
        for row in others:
            what = f"it has the region, currency and page_date of row {first.number}"
            yield Problem(_LIST_PRICES, row.number, "", what, "remove one of them")


def _groups(rows: Iterable[Row], columns: Sequence[str], sound: Sequence[str] = ()) -> list[list[Row]]:
    """Return the rows grouped by equal values in some columns, without those in which these or other columns are bad."""
    groups: dict[tuple[Hashable, ...], list[Row]] = {}
    for row in rows:
        if not row.bad.intersection((*columns, *sound)):
            groups.setdefault(_key(row, columns), []).append(row)
    return list(groups.values())


def _key(row: Row, columns: Sequence[str]) -> tuple[Hashable, ...]:
    return tuple(row.values[column] for column in columns)


def _broken_chain(same: Sequence[Row], *, with_gaps: bool) -> Iterator[Problem]:
    ordered = sorted(same, key=lambda row: (row.values["valid_from"], row.number))
    reach = ordered[0]
    for row in ordered[1:]:
        begins, end = row.values["valid_from"], _end(reach)
        if begins < end:
            advice = "end the earlier one (valid_to) on the day on which the later one begins (valid_from)"
            what = f"it overlaps row {reach.number}: both apply on {begins} for {_named(row)}"
            yield Problem(_RATES, row.number, "valid_from", what, advice)
        elif begins > end and with_gaps:
            advice = f"start it on {end}, end row {reach.number} on {begins}, or add a row for these days"
            what = f"there is a gap from {end} to {begins}, after row {reach.number}, for {_named(row)}"
            yield Problem(_RATES, row.number, "valid_from", what, advice)
        reach = max(reach, row, key=_end)


def _end(row: Row) -> date:
    return row.values["valid_to"] or date.max


def _named(row: Row) -> str:
    return ", ".join(str(row.values[column]) for column in SCOPE if row.values[column])


def _condition(row: Row) -> tuple[Hashable, ...]:
    return tuple(
        tag_form(value) if value and column in CASELESS else value
        for column, value in ((column, row.values[column]) for column in CONDITIONS)
    )


_NO_CONDITION: Final = (None,) * len(CONDITIONS)


def _covers(earlier: Row, later: Row) -> bool:
    def first_day(row: Row) -> date:
        return row.values["valid_from"] or date.min

    return first_day(earlier) <= first_day(later) and _end(later) <= _end(earlier)
