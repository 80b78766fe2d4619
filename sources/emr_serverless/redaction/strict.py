"""Strict redaction: no value that a user gave a job is loaded, except Spark settings that cannot contain a secret.

Other values become keyed digests: equal values have equal digests, so reruns still match, and values cannot be guessed without
the key. The key is never in the destination; see `kept_key`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..arrow.coerce import json_text
from ..settings import SHORTEST_REDACT_KEY
from .redactor import Redactor, Screen
from .spark_settings import MESSAGE_WORDS, SUBMIT_FLAGS, SUBMIT_OPTIONS, is_harmless
from .tokens import SHELL_WORD, quote_around

KEY_FILE: Final = "redact_key"
_PREFIX: Final = "hmac:"
# 128 bits: two values of a history never share a digest.
_HEX_DIGITS: Final = 32
_NUMBER: Final = re.compile(r"[0-9]+")
# Without what could be a login, a query, or anything but a path.
_PLACE: Final = r"^(?:[a-zA-Z][a-zA-Z0-9+.\-]{1,15}://)?[A-Za-z0-9_.\-/~\[\]:]+$"
_PATH: Final = re.compile(r"(?P<place>(?:[a-zA-Z][a-zA-Z0-9+.\-]{1,15}://)?[A-Za-z0-9_.\-/~\[\]:]*)(?P<rest>.*)", re.DOTALL)
_CONFIGURATION: Final = re.compile(r"(?P<key>[\w.\-]+)=(?P<value>.*)", re.DOTALL)


class StrictRedactor(Redactor):
    """Replaces the values that a user gave a job with digests, and masks names, tags, keys and codes by patterns.

    Args:
        key: of the digests; at least 16 characters.
        extra_patterns: as for `Redactor`.

    Raises:
        ValueError: a pattern or the key cannot be used.
    """

    def __init__(self, key: str, extra_patterns: Sequence[str] = ()) -> None:
        super().__init__(extra_patterns=extra_patterns)
        if len(key) < SHORTEST_REDACT_KEY:
            raise ValueError(f"The redact_key is shorter than {SHORTEST_REDACT_KEY} characters.")
        self._key = key.encode()

    def screen(self, method: str) -> Screen:
        """Return the screen of a method: values that a user gave a job are examined, and addresses that are not plain ones."""
        screen = super().screen(method)
        if method in ("text", "tag"):
            return screen
        return replace(screen, harmless=_PLACE) if method in ("address", "entry_point") else Screen("")

    def digest(self, value: str) -> str:
        """Return the keyed digest of a value; an empty value is returned as it is."""
        if not value:
            return value
        return _PREFIX + hmac.new(self._key, value.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:_HEX_DIGITS]

    def setting(self, key: str, value: str) -> str:
        """Return the value of a harmless Spark setting, and the digest of any other."""
        # A key that looks like an option of spark-submit is not a Spark setting, and its value may be anything.
        return value if not key.startswith("-") and is_harmless(key, value) else self.digest(value)

    def arguments(self, values: Sequence[str]) -> list[str]:
        """Return the digest of each argument."""
        return [self.digest(value) for value in values]

    def spark_submit_parameters(self, value: str) -> str:
        """Return the options of spark-submit by name, their values as in `setting`, and the digest of anything else."""
        shown: list[str] = []
        option = ""
        for found in SHELL_WORD.finditer(value):
            quote = quote_around(found[0])
            word = found[0][1:-1] if quote else found[0]
            name, sign, rest = word.partition("=")
            if option:
                shown.append(self._value_of(option, word))
                option = ""
            elif word in SUBMIT_OPTIONS:
                shown.append(word)
                option = "" if word in SUBMIT_FLAGS else word
            elif sign and name in SUBMIT_OPTIONS:
                shown.append(f"{name}={self._value_of(name, rest)}")
            else:
                shown.append(self.digest(word))
        return " ".join(shown)

    def _value_of(self, option: str, value: str) -> str:
        pair = _CONFIGURATION.fullmatch(value) if option in ("--conf", "-c") else None
        if pair:
            return f"{self.text(pair['key'])}={self.setting(pair['key'], pair['value'])}"
        return value if is_harmless(option, value) else self.digest(value)

    def unknown_fields(self, fields: Any) -> Any:
        """Return the fields by their paths, each value as one digest: users may have named the fields inside it."""
        if not isinstance(fields, dict):
            return self.digest(json_text(fields))
        return {self.text(path): self.digest(json_text(value)) for path, value in fields.items()}

    def message(self, value: str) -> str:
        """Return the known class names in a failure's message, and the digest of the message, which may quote any value."""
        words = dict.fromkeys(MESSAGE_WORDS.findall(value))
        # Messages that differ only in numbers are one reason.
        return " ".join((*words, self.digest(_NUMBER.sub("#", value))))

    def address(self, value: str) -> str:
        """Return an address with everything after its path as a digest."""
        found = _PATH.match(value)
        if found is None or "@" in found["rest"].partition("?")[0]:
            return self.digest(value)
        return f"{self.text(found['place'])}{self.digest(found['rest'])}"

    def entry_point(self, value: str) -> str:
        """Return the path of the entry point, and the digest of anything else."""
        found = _PATH.match(value)
        return self.text(value) if found and not found["rest"] else self.digest(value)


def kept_key(folder: Path) -> str:
    """Return the key that is kept in a folder; it is generated if there is none, and readable by its owner only.

    Raises:
        OSError: the folder cannot be written to.
        ValueError: the file contains no key.
    """
    path = folder / KEY_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_text(encoding="ascii").strip()
        if len(key) < SHORTEST_REDACT_KEY:
            raise ValueError(f"The file {path} does not contain a key of at least {SHORTEST_REDACT_KEY} characters.") from None
        return key
    with os.fdopen(handle, "w", encoding="ascii") as file:
        key = secrets.token_hex(32)
        file.write(key)
    return key
