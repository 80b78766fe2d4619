"""Secrets in the words of a command line: after an option, after a bare name, or in the word itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from . import patterns, token_formats
from .names import Rank
from .tokens import CACHED_CHARACTERS, CACHED_VALUES, MASK, NEXT_OPTION, PAIR, WORD, hide, quote_around
from .values import is_secret


class ArgumentMasker:
    """Masks the words of a command line.

    Args:
        text: masks a text by its form.
        rank: returns how secret the value of a name is.
    """

    def __init__(self, text: Callable[[str], str], rank: Callable[[str], Rank]) -> None:
        self._text = text
        self._rank = rank
        self._short_word = lru_cache(CACHED_VALUES)(self._read_word)

    def mask(self, words: Sequence[str], *, bare_keys: bool) -> list[str]:
        """Return words masked, each by its form and by the words before it.

        Args:
            words: arguments, or the words of a command line.
            bare_keys: whether a name without dashes may name the secret in the next word.
        """
        masked: list[str] = []
        awaited = Rank.NONE
        for before, word in zip(("", *words), words, strict=False):
            if awaited and word in ("=", ":"):  # `password = x` are three words
                masked.append(word)
                continue
            text, of_option, of_bare_key = self._short_word(word) if len(word) <= CACHED_CHARACTERS else self._read_word(word)
            is_scheme = _is_scheme(before, word)
            masked.append(_mask_awaited(word, awaited) or text if awaited and not (is_scheme and awaited < Rank.SECRET) else text)
            # `Authorization: Basic x` are three words.
            awaited = Rank.SECRET if is_scheme else max(of_option, of_bare_key if bare_keys else Rank.NONE)
        if masked != words and any(token_formats.KEY_ID.search(word) for word in words):
            return [token_formats.KEY_SECRET.sub(MASK, word) for word in masked]
        return masked

    def _read_word(self, word: str) -> tuple[str, Rank, Rank]:
        """Return a word masked, and how secret the next word is if this one is an option, and if it is a bare name."""
        pair = PAIR.fullmatch(word)
        if pair and (rank := self._rank_of_option(pair["key"])):
            value = pair["value"]
            if not value:
                return word, rank if word.startswith("-") else Rank.NONE, Rank.NONE
            if is_secret(rank, value.strip("\"'")):
                return f"{pair['head']}{hide(value)}{pair['quote']}", Rank.NONE, Rank.NONE
        quote = quote_around(word)
        text = f"{quote}{self._text(word[len(quote) : -len(quote)])}{quote}" if quote else self._text(word)
        name = word.removesuffix(":")
        rank = self._rank_of_option(name) if WORD.fullmatch(name) else Rank.NONE
        if word.startswith("-"):
            return text, rank, Rank.NONE
        is_bare = rank >= Rank.TOKEN and (rank == Rank.NAMED or patterns.BARE_KEY.match(name) is not None)
        return text, Rank.NONE, rank if is_bare else Rank.NONE

    def _rank_of_option(self, name: str) -> Rank:
        rank = self._rank(name)
        return Rank.SECRET if rank == Rank.CHOSEN and name.startswith("-") else rank


def _is_scheme(before: str, word: str) -> bool:
    """Return whether a word is the scheme in front of a header's credentials; the ending rules out most words."""
    return word[-6:].lower().endswith(patterns.SCHEMES) and patterns.SCHEME.search(f"{before} {word}") is not None


def _mask_awaited(word: str, rank: Rank) -> str:
    """Return the word after a secret option masked, without its quotes, or an empty text where it is not a secret."""
    quote = quote_around(word)
    inner = word[len(quote) : len(word) - len(quote)]
    return f"{quote}{MASK}{quote}" if not NEXT_OPTION.match(inner) and is_secret(rank, inner) else ""
