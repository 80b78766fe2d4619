"""Text in, text without secrets out. Pure: no clock, no network, no files.

A secret is known by its name (`fs.oss.accessKeySecret`, `--password`) or by its form (`scheme://user:pass@host`, `LTAI...`):
see secret_patterns.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from json import dumps, loads
from typing import Any, Final, TypeVar

from . import secret_patterns as patterns
from .commands import mask_command_arguments, mask_commands
from .literals import MASK, NEXT_OPTION, PAIR, SHELL_WORD, WORD, hide, quote_around, quote_before, value_end

# Names, queues and configuration values repeat from run to run; SQL texts do not, and would fill the memory.
_CACHED_CHARACTERS: Final = 512
_CACHED_VALUES: Final = 16_384

# Masking one secret may bring another to light. Who needs more rounds than this means harm, and is masked whole.
_ROUNDS: Final = 4

_T = TypeVar("_T", str, list[str])


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
        self._short_key = lru_cache(_CACHED_VALUES)(self._rank)
        self._short_word = lru_cache(_CACHED_VALUES)(self._read_word)

    @property
    def suspicion(self) -> str | None:
        """A pattern, also for RE2, without which nothing is masked; None where nothing ever is."""
        if not self._enabled:
            return None
        return "" if self._extra else patterns.SUSPICION

    def text(self, value: str) -> str:
        """Return any free text (a name, message, address, path, SQL) without what has the form of a secret."""
        if not self._enabled:
            return value
        return self._short_text(value) if len(value) <= _CACHED_CHARACTERS else self._mask_text(value)

    def texts(self, values: Iterable[str | None]) -> list[str | None]:
        """Return `text` of each value; None stays None."""
        return [value and self.text(value) for value in values]

    def setting(self, key: str, value: str) -> str:
        """Return the value of a configuration item or tag: masked whole when the key looks secret, else as free text."""
        if not self._enabled:
            return value
        return MASK if value and self._key_rank(key) else self.text(value)

    def spark_submit_parameters(self, value: str) -> str:
        """Return the options of spark-submit; whatever is not masked keeps its quotes and spaces."""
        if not self._enabled:
            return value
        return self._short_options(value) if len(value) <= _CACHED_CHARACTERS else self._mask_spark_submit(value)

    def arguments(self, values: Sequence[str]) -> list[str]:
        """Return the entry point's arguments, each by its form and by the option before it."""
        return self._mask_arguments(values) if self._enabled else list(values)

    def json(self, value: Any) -> Any:
        """Return a JSON value with every text in it masked by its field's name, by the key beside it, or by its form."""
        if not self._enabled:
            return value
        try:
            return self._mask_json(value)
        except RecursionError:
            return MASK  # nested too deep to be looked at, so not shown

    def _is_harmless(self, value: str) -> bool:
        """Tell most harmless values from the rest at a fraction of the price. A key pattern of the user may be anchored."""
        if self._extra:
            return False
        if patterns.FORMS.search(value):
            return False
        if value.isascii():
            return not (patterns.SIGNS.search(value) and patterns.NAMES.search(value.lower()))
        return not (patterns.NAMES.search(value.lower()) or patterns.CHINESE_NAMES.search(value))

    def _key_rank(self, key: str) -> int:
        """Return 2 for the name of a secret, 1 for an abbreviation that may be one, 0 for any other."""
        return self._short_key(key) if len(key) <= _CACHED_CHARACTERS else self._rank(key)

    def _rank(self, key: str) -> int:
        if patterns.SECRET_KEY.search(key) or any(pattern.search(key.lstrip("-")) for pattern in self._extra):
            return 2
        return 1 if patterns.SHORT_KEY.search(key) else 0

    def _mask_text(self, value: str) -> str:
        return value if self._is_harmless(value) else _settle(self._mask_once, value, MASK)

    def _mask_once(self, value: str) -> str:
        if value.lstrip()[:1] in ("{", "["):
            value = self._mask_document(value)
        value = patterns.PEM.sub(MASK, value)
        for address in (patterns.URI, patterns.ENCODED_URI, patterns.ORACLE):
            value = address.sub(_mask_rest, value)
        value = mask_commands(value)
        near_key_id = patterns.KEY_ID.search(value) is not None
        value = self._mask_named(value)
        # Before secrets of known lengths, which a part of a token may have.
        value = patterns.TOKEN.sub(MASK, value)
        if near_key_id:
            value = patterns.KEY_SECRET.sub(MASK, patterns.KEY_ID.sub(MASK, value))
        value = patterns.HOOK.sub(_mask_rest, patterns.BEARER.sub(_mask_rest, value))
        for pattern in self._extra:
            value = pattern.sub(_mask_match, value)
        return value

    def _mask_named(self, text: str) -> str:
        """Mask what stands behind a secret name."""
        pieces: list[str] = []
        done = position = 0
        while name := patterns.NAME.search(text, position):
            # What follows a harmless name may be a name itself.
            position = name.end("key")
            if not self._is_secret_in_text(name):
                continue
            start, end = name.end(), value_end(text, name)
            if end > start and not patterns.NO_SECRET.match(text, start):
                pieces += text[done:start], hide(text[start:end])
                done = end
                position = start if _is_quoted_name(text, start, end) else end
        return "".join((*pieces, text[done:]))

    def _is_secret_in_text(self, name: re.Match[str]) -> bool:
        rank = self._key_rank(name["key"])
        if rank == 1:  # `date_sk = d.date_sk` in a query is no secret
            return patterns.KEY_MATERIAL.match(name.string, name.end()) is not None
        if rank == 0 and name["key"].lower() in patterns.LAST_WORDS:
            start, end = name.span("key")
            return patterns.SPACED_KEY.search(name.string, max(0, start - 32), end) is not None
        return rank > 0

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
        awaited = False
        for before, word in zip(("", *words), words, strict=False):
            text, is_option, is_bare_key = self._short_word(word) if len(word) <= _CACHED_CHARACTERS else self._read_word(word)
            masked.append(_mask_awaited(word) or text if awaited else text)
            # `password = x` and `Authorization: Basic x` are three words.
            goes_on = (awaited and word in ("=", ":")) or _is_scheme(before, word)
            awaited = is_option or (bare_keys and is_bare_key) or goes_on
        if masked != words and any(patterns.KEY_ID.search(word) for word in words):
            return [patterns.KEY_SECRET.sub(MASK, word) for word in masked]
        return masked

    def _read_word(self, word: str) -> tuple[str, bool, bool]:
        """Return an argument or shell word masked; whether it is an option, or a bare name, whose value is the next word."""
        pair = PAIR.fullmatch(word)
        if pair and self._key_rank(pair["key"]):
            return f"{pair['head']}{hide(pair['value'])}{pair['quote']}", False, False
        quote = quote_around(word)
        text = f"{quote}{self.text(word[len(quote) : -len(quote)])}{quote}" if quote else self.text(word)
        name = word.removesuffix(":")
        is_secret = WORD.fullmatch(name) is not None and self._key_rank(name) > 0
        is_option = word.startswith("-")
        return text, is_secret and is_option, is_secret and not is_option and patterns.BARE_KEY.match(name) is not None

    def _mask_document(self, text: str) -> str:
        """Mask a text that is a JSON document as one; what it is not stays as it was."""
        try:
            document = loads(text)
            masked = self._mask_json(document)
            if masked == document:
                return text
            return dumps(masked, ensure_ascii=False, separators=None if '": ' in text else (",", ":"))
        except ValueError:
            return text
        except RecursionError:
            return MASK

    def _mask_json(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            if all(isinstance(item, str) for item in value):
                return self._mask_arguments(value)
            return [self._mask_json(item) for item in value]
        return self._mask_fields(value) if isinstance(value, dict) else value

    def _mask_fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        # `{"key": .., "value": ..}`, `{"configItemKey": .., "configItemValue": ..}`, `{"name": .., "value": ..}`.
        named = {field[:-5].lower(): field for field in fields if field[-5:].lower() == "value"}
        keys = {}
        for field, key in fields.items() if named else ():
            for ending in ("key", "name"):
                stem = field.lower().removesuffix(ending)
                if isinstance(key, str) and stem in named and stem != field.lower():
                    keys[named[stem]] = key
        masked = {}
        for field, value in fields.items():
            name, beside = self.text(field), keys.get(field, "")
            # Masked, a name may be that of a secret where it was none before.
            if any(map(self._key_rank, (field, name, beside, self.text(beside)))):
                masked[name] = value if value is None or value == "" or isinstance(value, bool) else MASK
            elif field == "sparkSubmitParameters" and isinstance(value, str):
                masked[name] = self.spark_submit_parameters(value)
            else:
                masked[name] = self._mask_json(value)
        return masked


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"The extra redaction pattern {pattern!r} is not a regular expression: {error}.") from error
    if compiled.search(""):
        raise ValueError(f"The extra redaction pattern {pattern!r} matches the empty text and would mask everything.")
    return compiled


def _mask_rest(match: re.Match[str]) -> str:
    """Mask what follows the part to keep, up to the `@` that ends a password."""
    keep: str = match["keep"]
    return f"{keep}{MASK}{'@' if match[0].endswith('@') else '%40' if match[0].endswith('%40') else ''}"


def _mask_match(match: re.Match[str]) -> str:
    """Mask what a pattern of the user matches, unless it lies inside a mask."""
    start, end = match.span()
    is_masked = match.string.find(MASK, max(0, end - len(MASK)), start + len(MASK)) >= 0
    return match[0] if start == end or is_masked else MASK


def _is_quoted_name(text: str, start: int, end: int) -> bool:
    """Tell whether a value in quotes may itself be the name of a value that follows, as in `token "password": "x"`."""
    quote = quote_before(text, start)
    name = patterns.NAME.match(text, start + len(quote)) if quote else None
    return name is not None and name["sign"] is not None and name.end("key") + len(quote) == end


def _is_scheme(before: str, word: str) -> bool:
    """Tell whether a word is the scheme in front of a header's credentials. Most words are not, as their end tells."""
    return word[-6:].lower().endswith(patterns.SCHEMES) and patterns.SCHEME.search(f"{before} {word}") is not None


def _mask_awaited(word: str) -> str:
    """Mask the word behind a secret option, but for quotes around it. Return nothing for an option, which is no value."""
    quote = quote_around(word)
    inner = word[len(quote) : len(word) - len(quote)]
    return f"{quote}{MASK}{quote}" if inner and not NEXT_OPTION.match(inner) else ""


def _settle(mask: Callable[[_T], _T], value: _T, otherwise: _T) -> _T:
    """Mask until nothing changes any more, so that masking again changes nothing either."""
    for _ in range(_ROUNDS):
        masked = mask(value)
        if masked == value:
            return value
        value = masked
    return otherwise
