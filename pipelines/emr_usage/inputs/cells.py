"""Converts the text of a cell to the value of its column, or says why that is not possible."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from emr_serverless.arrow.schema import TEXT
from emr_usage.currencies import minor_units, suggested_currency

from .problems import quoted
from .tables import DATE, PRICE

PRICE_KINDS: Final = ("list", "contracted")
# The row of the chargeback tables that holds what no rule matched.
UNALLOCATED: Final = "unallocated"
PRICE_DECIMALS: Final = PRICE.scale
PRICE_LIMIT: Final = Decimal(10) ** (PRICE.precision - PRICE.scale)
AS_TEXT: Final = "give the column the format Text before typing, or edit the file in a text editor"

_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_GROUPED: Final = re.compile(r"[0-9][0-9.,'\s]*[0-9]")
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# 1/2/2026, 01.02.26, a day number, ### of a narrow cell: all of them are ambiguous.
_SPREADSHEET_DATE: Final = re.compile(r"[0-9]{1,4}[/.][0-9]{1,2}[/.][0-9]{1,4}.*|[0-9]{5}|#+")
# Invisible characters that Unicode classifies as letters, symbols or marks; the others are found by their category.
_BLANK: Final = frozenset(
    "\N{HANGUL FILLER}\N{HALFWIDTH HANGUL FILLER}\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}"
    "\N{BRAILLE PATTERN BLANK}\N{COMBINING GRAPHEME JOINER}\N{KHMER VOWEL INHERENT AQ}\N{KHMER VOWEL INHERENT AA}"
)
# Controls, formats such as the zero-width space, surrogates, private use, unassigned, separators of lines and paragraphs.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SCIENTIFIC: Final = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]{2,}")


class CellError(ValueError):
    """A value that is not valid in its column.

    Attributes:
        what: what is wrong.
        advice: what to do.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}; {advice}")
        self.what = what
        self.advice = advice


def parse_cell(field: pa.Field, text: str) -> Any:
    """Return the value of a cell's trimmed text; None for an empty cell.

    Raises:
        CellError: the text is not valid in the column.
    """
    if not text:
        if field.nullable:
            return None
        raise CellError("it is empty", "write its value")
    parse = _BY_NAME.get(field.name) or _BY_TYPE[field.type]
    return parse(text)


def _text(text: str) -> str:
    if "\N{REPLACEMENT CHARACTER}" in text:
        raise CellError(f"{quoted(text)} has lost characters in a wrong encoding", "write it again, and save as CSV UTF-8")
    if _SCIENTIFIC.fullmatch(text):
        raise CellError(f"{quoted(text)} is a number that a spreadsheet has shortened", f"write the whole id; {AS_TEXT}")
    return text


def _date(text: str) -> date:
    if _SPREADSHEET_DATE.fullmatch(text):
        raise CellError(f"{quoted(text)} is a date as a spreadsheet writes it", f"write it as 2026-01-31; {AS_TEXT}")
    try:
        # Python also reads 20260131 and 2026-W05-6, which are refused here.
        return date.fromisoformat(text if _ISO_DATE.fullmatch(text) else "")
    except ValueError:
        raise CellError(f"{quoted(text)} is not a date", "write it as 2026-01-31") from None


def _price(text: str) -> Decimal:
    if text.startswith(("-", "\N{MINUS SIGN}", "(")):
        raise CellError(f"{quoted(text)} is negative", "write a price of 0 or more")
    if _NUMBER.fullmatch(text):
        price = Decimal(text)
        if price >= PRICE_LIMIT or round(price, PRICE_DECIMALS) != price:
            raise CellError(f"{quoted(text)} has too many digits", "write at most 8 before the point and 10 after it")
        return price
    if _GROUPED.fullmatch(text):
        what = f"{quoted(text)} has a comma in it, or something between the thousands"
        raise CellError(what, "write it as 1234.56, a point before the decimals and nothing else")
    raise CellError(f"{quoted(text)} is not a decimal number", "write it as 0.05, without currency or unit")


def _currency(text: str) -> str:
    if text not in minor_units():
        suggested = suggested_currency(text)
        advice = f"did you mean {suggested}?" if suggested else "write a code such as USD or CNY"
        raise CellError(f"{quoted(text)} is not a currency of ISO 4217", advice)
    return text


def _price_kind(text: str) -> str:
    if text not in PRICE_KINDS:
        raise CellError(f"{quoted(text)} is not a price kind", f"write {' or '.join(PRICE_KINDS)}")
    return text


def _visible(text: str) -> str:
    """Return a text without invisible characters: two names that look the same must be the same."""
    for character in _text(text):
        if _is_invisible(character):
            name = unicodedata.name(character, "a control character")
            what = f"{quoted(text)} contains U+{ord(character):04X} ({name}), which is invisible"
            raise CellError(what, "remove that character, or type the value again")
    return text


def _is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    # The ordinary space is the only space allowed; a variation selector only changes how the character before it looks.
    return (
        category in _INVISIBLE
        or (category == "Zs" and character != " ")
        or character in _BLANK
        or "VARIATION SELECTOR" in unicodedata.name(character, "")
    )


def _owner(text: str) -> str:
    parts = _visible(text).split("/")
    if any(not part or part != part.strip() for part in parts):
        advice = "write it as group/team/project, without a slash at either end, double slashes, or spaces beside a slash"
        raise CellError(f"{quoted(text)} has an empty part, or a space beside a slash", advice)
    if parts[0].casefold() == UNALLOCATED:
        raise CellError(f"{quoted(text)} is reserved for usage that no rule matches", "write another name, or remove the rule")
    return text


_BY_NAME: Final[Mapping[str, Callable[[str], Any]]] = {
    "currency": _currency,
    "price_kind": _price_kind,
    "owner": _owner,
    # Free text, and values that are compared with text that other people typed.
    **dict.fromkeys(("source", "tag_key", "tag_value", "job_name"), _text),
}
_BY_TYPE: Final[Mapping[pa.DataType, Callable[[str], Any]]] = {TEXT: _visible, DATE: _date, PRICE: _price}
