"""Text in, text without secrets out. Pure: no clock, no network, no files.

A secret is known by its name (`fs.oss.accessKeySecret`, `--password`) or by its form (`scheme://user:pass@host`, `LTAI...`):
see names.py, values.py and token_formats.py. Names in texts are found by named.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json import dumps, loads
from typing import Any, Final, TypeVar

from . import patterns, token_formats
from .addresses import mask_addresses, mask_rest
from .markup import mask_markup
from .named import mask_named
from .names import Rank, rank_of
from .shell import mask_command_arguments, mask_commands
from .tokens import MASK, NEXT_OPTION, PAIR, SHELL_WORD, UNFOLDED, WORD, fold, hide, quote_around
from .values import is_secret

# Names, queues and configuration values repeat from run to run; SQL texts do not, and would fill the memory.
_CACHED_CHARACTERS: Final = 512
_CACHED_VALUES: Final = 16_384

# Masking one secret may bring another to light. Who needs more rounds than this means harm, and is masked whole.
_ROUNDS: Final = 4
_SUSPICION: Final = re.compile(patterns.SUSPICION)

_T = TypeVar("_T", str, list[str])


@dataclass(frozen=True)
class Screen:
    """Patterns of RE2 and of Python alike.

    Attributes:
        suspicion: a text without it is left as it is; None where every text is.
        harmless: a text without it is looked at all the same; None where there is no such form.
    """

    suspicion: str | None
    harmless: str | None = None


class Redactor:
    """Masks secrets, each as `**redacted**`. Masked text stays as it is when masked again.

    Args:
        enabled: when false everything passes unchanged.
        extra_patterns: regular expressions of the user, blind to case. Where one is found in a key the whole value is
            masked, where it is found in a text what it matches. They switch the quick test for harmless values off.

    Raises:
        ValueError: one of the patterns is no regular expression, or matches the empty text.
    """

    def __init__(self, *, enabled: bool = True, extra_patterns: Sequence[str] = ()) -> None:
        self._enabled = enabled
        self._extra = tuple(_compile(pattern) for pattern in extra_patterns)
        self._short_text = lru_cache(_CACHED_VALUES)(self._mask_text)
        self._short_options = lru_cache(_CACHED_VALUES)(self._mask_spark_submit)
        self._short_word = lru_cache(_CACHED_VALUES)(self._read_word)

    def screen(self, method: str) -> Screen:  # noqa: ARG002  # a stricter redactor looks at some columns more closely
        """Return how to screen whole columns for the texts that a method of this redactor may change."""
        if not self._enabled:
            return Screen(None)
        return Screen("" if self._extra else patterns.SUSPICION)

    def text(self, value: str) -> str:
        """Return any free text (a name, message, address, path, SQL) without what has the form of a secret."""
        if not self._enabled:
            return value
        return self._short_text(value) if len(value) <= _CACHED_CHARACTERS else self._mask_text(value)

    def texts(self, values: Iterable[str | None]) -> list[str | None]:
        """Return `text` of each value; None stays None."""
        return [value and self.text(value) for value in values]

    def setting(self, key: str, value: str) -> str:
        """Return the value of a configuration item: masked whole when its key says that it is a secret, else as free text."""
        if not self._enabled:
            return value
        return MASK if is_secret(self._rank(key), value) else self.text(value)

    def spark_submit_parameters(self, value: str) -> str:
        """Return the options of spark-submit; whatever is not masked keeps its quotes and spaces."""
        if not self._enabled:
            return value
        return self._short_options(value) if len(value) <= _CACHED_CHARACTERS else self._mask_spark_submit(value)

    def tag(self, key: str, value: str) -> str:
        """Return the value of a tag, by which owners are named: masked by patterns in the strict mode too."""
        return Redactor.setting(self, key, value)

    def message(self, value: str) -> str:
        """Return what the API says of a failure."""
        return self.text(value)

    def address(self, value: str) -> str:
        """Return an address that the API made."""
        return self.text(value)

    def entry_point(self, value: str) -> str:
        """Return what a job runs."""
        return self.text(value)

    def unknown_fields(self, fields: Any) -> Any:
        """Return response fields that have no column, by their paths."""
        return self.json(fields)

    def arguments(self, values: Sequence[str]) -> list[str]:
        """Return the entry point's arguments, each by its form and by the option before it."""
        return self._mask_arguments(values) if self._enabled else list(values)

    def json(self, value: Any) -> Any:
        """Return a JSON value with every text in it masked by its field's name, by the key beside it, or by its form."""
        if not self._enabled:
            return value
        try:
            return self._mask_json(value, "")
        except RecursionError:
            return MASK  # nested too deep to be looked at, so not shown

    def _is_harmless(self, value: str) -> bool:
        """Tell most harmless values from the rest at a fraction of the price. A key pattern of the user may be anchored."""
        return not self._extra and not _SUSPICION.search(value)

    def _rank(self, key: str) -> Rank:
        if self._extra and any(pattern.search(key.lstrip("-")) for pattern in self._extra):
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
            value = self._mask_document(value)
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
        for pattern in self._extra:
            value = pattern.sub(_mask_match, value)
        return value

    def _is_secret(self, name: str, value: str) -> bool:
        return is_secret(self._rank(name), value)

    def _mask_spark_submit(self, value: str) -> str:
        return value if self._is_harmless(value) else _settle(self._mask_options, value, MASK)

    def _mask_options(self, value: str) -> str:
        words = list(SHELL_WORD.finditer(value))
        masked = self._mask_words([word[0] for word in words], bare_keys=False)
        pieces: list[str] = []
        done = 0
        for word, text in zip(words, masked, strict=True):
            pieces += value[done : word.start()], text
            done = word.end()
        # Once more as a whole, for what goes across words: `password = x`, `Authorization: Bearer x`.
        return self._mask_text("".join((*pieces, value[done:])))

    def _mask_arguments(self, values: Sequence[str]) -> list[str]:
        def mask(words: list[str]) -> list[str]:
            return self._mask_words(mask_command_arguments(words), bare_keys=True)

        return _settle(mask, list(values), [MASK] * len(values))

    def _mask_words(self, words: Sequence[str], *, bare_keys: bool) -> list[str]:
        masked: list[str] = []
        awaited = Rank.NONE
        for before, word in zip(("", *words), words, strict=False):
            if awaited and word in ("=", ":"):  # `password = x` are three words
                masked.append(word)
                continue
            text, of_option, of_bare_key = self._short_word(word) if len(word) <= _CACHED_CHARACTERS else self._read_word(word)
            is_scheme = _is_scheme(before, word)
            masked.append(_mask_awaited(word, awaited) or text if awaited and not (is_scheme and awaited < Rank.SECRET) else text)
            # `Authorization: Basic x` are three words.
            awaited = Rank.SECRET if is_scheme else max(of_option, of_bare_key if bare_keys else Rank.NONE)
        if masked != words and any(token_formats.KEY_ID.search(word) for word in words):
            return [token_formats.KEY_SECRET.sub(MASK, word) for word in masked]
        return masked

    def _read_word(self, word: str) -> tuple[str, Rank, Rank]:
        """Return an argument or shell word masked; how secret the next word is by this one as an option, and as a bare name."""
        pair = PAIR.fullmatch(word)
        if pair and (rank := self._rank_of_option(pair["key"])):
            value = pair["value"]
            if not value:
                return word, rank if word.startswith("-") else Rank.NONE, Rank.NONE
            if is_secret(rank, value.strip("\"'")):
                return f"{pair['head']}{hide(value)}{pair['quote']}", Rank.NONE, Rank.NONE
        quote = quote_around(word)
        text = f"{quote}{self.text(word[len(quote) : -len(quote)])}{quote}" if quote else self.text(word)
        name = word.removesuffix(":")
        rank = self._rank_of_option(name) if WORD.fullmatch(name) else Rank.NONE
        if word.startswith("-"):
            return text, rank, Rank.NONE
        is_bare = rank >= Rank.TOKEN and (rank == Rank.NAMED or patterns.BARE_KEY.match(name) is not None)
        return text, Rank.NONE, rank if is_bare else Rank.NONE

    def _rank_of_option(self, name: str) -> Rank:
        rank = self._rank(name)
        return Rank.SECRET if rank == Rank.CHOSEN and name.startswith("-") else rank

    def _mask_document(self, text: str) -> str:
        """Mask a text that is a JSON document as one; what it is not stays as it was."""
        try:
            document = loads(text)
            masked = self._mask_json(document, "")
            if masked == document:
                return text
            return dumps(masked, ensure_ascii=False, separators=None if '": ' in text else (",", ":"))
        except ValueError:
            return text
        except RecursionError:
            return MASK

    def _mask_json(self, value: Any, name: str) -> Any:
        """Return a JSON value masked by the names of the fields that it is in."""
        if isinstance(value, dict):
            return self._mask_fields(value, name)
        if isinstance(value, list):
            if all(isinstance(item, str) for item in value):
                value = self._mask_arguments(value)
            return [self._mask_json(item, name) for item in value]
        if value is None or isinstance(value, bool):
            return value
        rank = self._rank(name) if name else Rank.NONE
        if rank and is_secret(rank, str(value)):
            return MASK
        return self.text(value) if isinstance(value, str) else value

    def _mask_fields(self, fields: dict[str, Any], parent: str) -> dict[str, Any]:
        beside = _names_beside(fields)
        masked = {}
        for field, value in fields.items():
            # Masked, a name may be that of a secret where it was none before.
            name = self.text(field)
            if field == "sparkSubmitParameters" and isinstance(value, str):
                masked[name] = self.spark_submit_parameters(value)
            else:
                named = max(beside.get(field) or field, name, key=self._rank)
                masked[name] = self._mask_json(value, f"{parent}.{named}" if parent else named)
        return masked


def _names_beside(fields: dict[str, Any]) -> dict[str, str]:
    """Return the name of each field's value that stands in another field.

    `{"key": .., "value": ..}`, `{"configItemKey": .., "configItemValue": ..}`, `{"name": .., "value": ..}`, `{"k": .., "v": ..}`.
    """
    named = {field[:-5].lower(): field for field in fields if field[-5:].lower() == "value"}
    names = {}
    for field, key in fields.items() if named else ():
        for ending in ("key", "name"):
            stem = field.lower().removesuffix(ending)
            if isinstance(key, str) and stem in named and stem != field.lower():
                names[named[stem]] = key
    short = {field.lower(): field for field in fields if field in ("k", "v", "K", "V")}
    if len(short) > 1 and isinstance(fields[short["k"]], str):
        names[short["v"]] = fields[short["k"]]
    return names


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"The extra redaction pattern {pattern!r} is not a regular expression: {error}.") from error
    if compiled.search(""):
        raise ValueError(f"The extra redaction pattern {pattern!r} matches the empty text and would mask everything.")
    return compiled


def _mask_match(match: re.Match[str]) -> str:
    """Mask what a pattern of the user matches, unless it lies inside a mask."""
    start, end = match.span()
    is_masked = match.string.find(MASK, max(0, end - len(MASK)), start + len(MASK)) >= 0
    return match[0] if start == end or is_masked else MASK


def _is_scheme(before: str, word: str) -> bool:
    """Tell whether a word is the scheme in front of a header's credentials. Most words are not, as their end tells."""
    return word[-6:].lower().endswith(patterns.SCHEMES) and patterns.SCHEME.search(f"{before} {word}") is not None


def _mask_awaited(word: str, rank: Rank) -> str:
    """Mask the word behind a secret option, but for quotes around it. Return nothing where it is no secret."""
    quote = quote_around(word)
    inner = word[len(quote) : len(word) - len(quote)]
    return f"{quote}{MASK}{quote}" if not NEXT_OPTION.match(inner) and is_secret(rank, inner) else ""


def _settle(mask: Callable[[_T], _T], value: _T, otherwise: _T) -> _T:
    """Mask until nothing changes any more, so that masking again changes nothing either."""
    for _ in range(_ROUNDS):
        masked = mask(value)
        if masked == value:
            return value
        value = masked
    return otherwise
