"""Masks the secrets in texts. Pure: no clock, no network, no files.

A secret is known by its name (`fs.oss.accessKeySecret`, `--password`) or by its form (`scheme://user:pass@host`, `LTAI...`):
see names.py, values.py and token_formats.py. Names in texts are found by named.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar

from . import patterns, token_formats
from .addresses import mask_addresses, mask_rest
from .arguments import ArgumentMasker
from .json_values import JsonMasker
from .markup import mask_markup
from .named import mask_named
from .names import Rank, rank_of
from .shell import mask_command_arguments, mask_commands
from .tokens import CACHED_CHARACTERS, CACHED_VALUES, MASK, SHELL_WORD, UNFOLDED, fold
from .user_patterns import UserPatterns
from .values import is_secret

# Masking one secret may expose another. A text that needs more rounds than this is hostile, and is masked as a whole.
_ROUNDS: Final = 4
_SUSPICION: Final = re.compile(patterns.SUSPICION)

_T = TypeVar("_T", str, list[str])


@dataclass(frozen=True)
class Screen:
    """Patterns for both RE2 and Python.

    Attributes:
        suspicion: a text that does not match it is not masked; None if no text is.
        harmless: a text that does not match it is always examined; None if there is no such pattern.
    """

    suspicion: str | None
    harmless: str | None = None


class Redactor:
    """Masks secrets, each as `**redacted**`. Masking a masked text does not change it.

    Args:
        enabled: if false, texts are returned unchanged.
        extra_patterns: regular expressions of the user, case-insensitive. Where one matches a key, the whole value is masked;
            where one matches in a text, the match is masked. They disable the fast test for harmless values.

    Raises:
        ValueError: one of the patterns is not a regular expression, or matches the empty text.
    """

    def __init__(self, *, enabled: bool = True, extra_patterns: Sequence[str] = ()) -> None:
        self._enabled = enabled
        self._extra = UserPatterns(extra_patterns)
        self._short_text = lru_cache(CACHED_VALUES)(self._mask_text)
        self._short_options = lru_cache(CACHED_VALUES)(self._mask_spark_submit)
        self._words = ArgumentMasker(self.text, self._rank)
        self._json = JsonMasker(self.text, self._rank, self._mask_arguments, self.spark_submit_parameters)

    def screen(self, method: str) -> Screen:  # noqa: ARG002  # a stricter redactor looks at some columns more closely
        """Return patterns that find in a whole column the texts that a method of this redactor may change."""
        if not self._enabled:
            return Screen(None)
        return Screen("" if self._extra else patterns.SUSPICION)

    def text(self, value: str) -> str:
        """Return a free text (a name, message, address, path, SQL) with everything that has the form of a secret masked."""
        if not self._enabled:
            return value
        return self._short_text(value) if len(value) <= CACHED_CHARACTERS else self._mask_text(value)

    def texts(self, values: Iterable[str | None]) -> list[str | None]:
        """Return `text` of each value; None stays None."""
        return [value and self.text(value) for value in values]

    def setting(self, key: str, value: str) -> str:
        """Return the value of a configuration item: masked whole when its key says that it is a secret, else as free text."""
        if not self._enabled:
            return value
        return MASK if is_secret(self._rank(key), value) else self.text(value)

    def spark_submit_parameters(self, value: str) -> str:
        """Return the options of spark-submit masked; the rest keeps its quotes and spaces."""
        if not self._enabled:
            return value
        return self._short_options(value) if len(value) <= CACHED_CHARACTERS else self._mask_spark_submit(value)

    def tag(self, key: str, value: str) -> str:
        """Return the value of a tag masked; tags name owners, so the strict mode masks them by patterns too."""
        return Redactor.setting(self, key, value)

    def message(self, value: str) -> str:
        """Return the API's message about a failure masked."""
        return self.text(value)

    def address(self, value: str) -> str:
        """Return an address that the API generated masked."""
        return self.text(value)

    def entry_point(self, value: str) -> str:
        """Return the entry point of a job masked."""
        return self.text(value)

    def unknown_fields(self, fields: Any) -> Any:
        """Return response fields without a column, by their paths, masked."""
        return self.json(fields)

    def arguments(self, values: Sequence[str]) -> list[str]:
        """Return the arguments of the entry point masked, each by its form and by the option before it."""
        return self._mask_arguments(values) if self._enabled else list(values)

    def json(self, value: Any) -> Any:
        """Return a JSON value with every text in it masked by its field's name, by the key beside it, or by its form."""
        if not self._enabled:
            return value
        return self._json.mask(value)

    def _is_harmless(self, value: str) -> bool:
        """Return whether a value is certainly harmless, by a fast test; none is where the user has added patterns."""
        return not self._extra and not _SUSPICION.search(value)

    def _rank(self, key: str) -> Rank:
        if self._extra and self._extra.match_key(key):
            return Rank.NAMED
        return rank_of(key)

    def _mask_text(self, value: str) -> str:
        if self._is_harmless(value):
            return value
        masked = _settle(self._mask_once, value, MASK)
        if UNFOLDED.search(masked):
            folded = fold(masked)
            found = _settle(self._mask_once, folded, MASK)
            return masked if found == folded else found
        return masked

    def _mask_once(self, value: str) -> str:
        if value.lstrip()[:1] in ("{", "["):
            value = self._json.mask_document(value)
        value = mask_addresses(token_formats.PEM.sub(MASK, value))
        value = mask_commands(value)
        near_key_id = token_formats.KEY_ID.search(value) is not None
        value = token_formats.HOOK.sub(mask_rest, value)
        value = mask_named(mask_markup(value, self._is_secret), self._rank)
        # Before secrets of known lengths, which a part of a token may have.
        value = token_formats.TOKEN.sub(MASK, value)
        if near_key_id:
            value = token_formats.KEY_SECRET.sub(MASK, token_formats.KEY_ID.sub(MASK, value))
        value = token_formats.BEARER.sub(mask_rest, value)
        return self._extra.mask(value)

    def _is_secret(self, name: str, value: str) -> bool:
        return is_secret(self._rank(name), value)

    def _mask_spark_submit(self, value: str) -> str:
        return value if self._is_harmless(value) else _settle(self._mask_options, value, MASK)

    def _mask_options(self, value: str) -> str:
        words = list(SHELL_WORD.finditer(value))
        masked = self._words.mask([word[0] for word in words], bare_keys=False)
        pieces: list[str] = []
        done = 0
        for word, text in zip(words, masked, strict=True):
            pieces += value[done : word.start()], text
            done = word.end()
        # Once more as a whole, for secrets across words: `password = x`, `Authorization: Bearer x`.
        return self._mask_text("".join((*pieces, value[done:])))

    def _mask_arguments(self, values: Sequence[str]) -> list[str]:
        def mask(words: list[str]) -> list[str]:
            return self._words.mask(mask_command_arguments(words), bare_keys=True)

        return _settle(mask, list(values), [MASK] * len(values))


def _settle(mask: Callable[[_T], _T], value: _T, otherwise: _T) -> _T:
    """Mask until nothing changes, so that masking is idempotent."""
    for _ in range(_ROUNDS):
        masked = mask(value)
        if masked == value:
            return value
        value = masked
    return otherwise
