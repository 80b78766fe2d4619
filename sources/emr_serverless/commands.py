"""Masks the secrets that only a command gives a meaning: `curl -u user:password`, `mysql -psecret`; see secret_patterns.py."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .literals import MASK, hide, literal_end
from .secret_patterns import COMMAND_OPTIONS, COMMANDS, NETRC


def mask_commands(text: str) -> str:
    """Return a text without the secrets in the options of commands that stand before them, and in the words of a .netrc file."""
    if any(name in text for name in COMMANDS):
        for command, option in COMMAND_OPTIONS:
            if found := command.search(text):
                text = _mask_behind(option, text, found.end())
    return _mask_behind(NETRC, text, 0) if "login" in text else text


def mask_command_arguments(words: Sequence[str]) -> list[str]:
    """Return arguments without the secrets in the options of a command that is one of the arguments before them."""
    masked = list(words)
    text = " ".join(words)
    if not any(name in text for name in COMMANDS):
        return masked
    for command, option in COMMAND_OPTIONS:
        known = False
        for index, word in enumerate(words):
            before = words[index - 1] if index else ""
            start = _secret_start(option, before, word) if known else None
            if start is not None:
                masked[index] = f"{word[:start]}{MASK}"
            # What stands behind an option is its value and no command.
            known = known or (not before.startswith("-") and _is_command(command, word))
    return masked


def _is_command(command: re.Pattern[str], word: str) -> bool:
    found = command.match(word, word.rfind("/") + 1)
    return found is not None and found.end() == len(word)


def _secret_start(option: re.Pattern[str], before: str, word: str) -> int | None:
    """Return where in a word the secret of an option begins that is this word's beginning, or the whole word before."""
    for skipped, text in ((0, word), (len(before) + 1, f"{before} {word}")):
        found = option.match(text)
        if found and skipped <= found.end() < len(text):
            return found.end() - skipped
    return None


def _mask_behind(option: re.Pattern[str], text: str, position: int) -> str:
    """Mask the literal behind each find; where a quote opened before the secret, up to its end."""
    pieces: list[str] = []
    done = 0
    while found := option.search(text, max(position, done)):
        start = found.end()
        quote = found.groupdict().get("quote")
        end = text.find(quote, start) if quote else literal_end(text, start)
        end = len(text) if end < 0 else end
        pieces += text[done:start], hide(text[start:end])
        done = end
    return "".join((*pieces, text[done:]))
