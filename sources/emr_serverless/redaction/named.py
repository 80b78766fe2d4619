"""Masks what stands behind a secret's name in a text: `password=x`, `"token": "x"`, `setPassword("x")`, `my password is x`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from . import patterns
from .names import Rank, is_fetching
from .tokens import MASK, hide, literal_end, quote_before, value_end
from .values import is_chosen, is_random, is_said, is_secret, names_itself

RankOf = Callable[[str], Rank]
_QUOTES: Final = "\\\"'`"
# As far as a name in words reaches: `Secret Access Key ID`.
_WORDS_BEFORE: Final = 32
# As far before a name as a sentence is looked for.
_SENTENCE: Final = 24
# Longer values are not drawn at random by anyone who calls them a key.
_LOOK: Final = 512


def mask_named(text: str, rank_of: RankOf) -> str:
    """Return a text without the values of secret names.

    Args:
        text: any text.
        rank_of: says of a name what of its values is a secret.
    """
    text = _mask_values(text, rank_of)
    text = _mask_connections(text) if "(" in text else text
    text = patterns.PROPERTY.sub(lambda found: _mask_property(found, rank_of), text)
    return _mask_beside(text, rank_of)


def _mask_values(text: str, rank_of: RankOf) -> str:
    pieces: list[str] = []
    done = position = 0
    while name := patterns.NAME.search(text, position):
        # What follows a harmless name may be a name itself.
        position = name.end("key")
        rank = _rank_in_text(text, name.span("key"), rank_of)
        if not rank or (name["call"] and is_fetching(name["key"])):
            continue
        start = name.end()
        if (name["sign"] or "").startswith(":") and (marks := patterns.YAML_MARKS.match(text, start)):
            start = marks.end()
        if rank <= Rank.CHOSEN:
            # What is judged by its look is short; and names of these are many.
            end = start + literal_end(text[start : start + _LOOK], 0)
        else:
            end = value_end(text, name) if start == name.end() else literal_end(text, start)
        if end > start and _is_secret_here(text, name, (start, end), rank):
            pieces += text[done:start], hide(text[start:end])
            done = end
            position = start if _is_quoted_name(text, start, end) else end
    return "".join((*pieces, text[done:]))


def _rank_in_text(text: str, key: tuple[int, int], rank_of: RankOf) -> Rank:
    """Return the rank of a name in a text: `Access Key: x` has it by the words before its last."""
    start, end = key
    word = text[start:end]
    if word.lower() in patterns.LAST_WORDS and patterns.SPACED_KEY.search(text, max(0, start - _WORDS_BEFORE), end):
        return Rank.SECRET
    return rank_of(word)


def _is_secret_here(text: str, name: re.Match[str], span: tuple[int, int], rank: Rank) -> bool:
    value = text[slice(*span)]
    bare = value.strip(_QUOTES)
    quoted = bare != value
    if value.startswith(f"{MASK}@") or not is_secret(rank, bare) or not is_secret(rank, bare.rstrip(")]},;.:")):
        return False
    if quoted or rank == Rank.NAMED:
        return True
    if names_itself(name["key"], bare):
        return False
    if name["sign"] == ":" and text[name.end() - 1] in " \t":
        if is_said(bare):
            return False
        start = name.start("key")
        begins = name["key"].lower() not in patterns.LAST_WORDS and patterns.SENTENCE.search(
            text[max(0, start - _SENTENCE) : start]
        )
        if begins or patterns.SENTENCE_END.match(text, span[1]):
            return is_chosen(bare)
    return True


def _is_quoted_name(text: str, start: int, end: int) -> bool:
    """Tell whether a value in quotes may itself be the name of a value that follows, as in `token "password": "x"`."""
    quote = quote_before(text, start)
    name = patterns.NAME.match(text, start + len(quote)) if quote else None
    return name is not None and name["sign"] is not None and name.end("key") + len(quote) == end


def _mask_connections(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for found in patterns.CONNECTION.finditer(text):
        end = literal_end(text, found.end())
        pieces += text[done : found.end()], hide(text[found.end() : end])
        done = end
    return "".join((*pieces, text[done:]))


def _mask_property(found: re.Match[str], rank_of: RankOf) -> str:
    rank = rank_of(found["key"])
    if rank < Rank.TOKEN or not is_secret(rank, found["value"]) or MASK in found["value"]:
        return found[0]
    return f"{found.string[found.start() : found.start('value')]}{MASK}{found.string[found.end('value') : found.end()]}"


def _mask_beside(text: str, rank_of: RankOf) -> str:
    pieces: list[str] = []
    done = 0
    for found in patterns.BESIDE.finditer(text):
        rank = _rank_in_text(text, found.span("key"), rank_of)
        if rank < Rank.CHOSEN or found.start("value") < done:
            continue
        value = found["value"].rstrip(".,;:)]}")
        if MASK not in value and is_chosen(value) and (found["link"] or not found["key"].isascii() or is_random(value)):
            pieces += text[done : found.start("value")], MASK
            done = found.start("value") + len(value)
    return "".join((*pieces, text[done:]))
