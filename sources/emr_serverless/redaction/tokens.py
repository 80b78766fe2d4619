"""How a text writes a value: bare, in quotes, as a list, a line or a word of a shell; where that ends, and how it is hidden.

Every pattern is linear in its text: every repetition is possessive, bounded, or consumed by the match. A group
that repeats is atomic, `(?>(?:...)+)`, and not possessive: Python before 3.11.5, Debian's among them, matches those wrongly
(CPython gh-106052).
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "**redacted**"
# Names, queues and configuration values repeat from run to run; SQL texts do not, and would fill the memory.
CACHED_CHARACTERS: Final = 512
CACHED_VALUES: Final = 16_384

# Characters that look like another or like nothing: of full width, of no width.
UNFOLDED: Final = re.compile("[\uff10-\uff19\uff1d\uff21-\uff3a\uff41-\uff5a\u200b-\u200f\u2060\ufeff\u00ad]")
_FOLDED: Final[dict[int, str | None]] = {
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys((*range(0x200B, 0x2010), 0x2060, 0xFEFF, 0x00AD)),
}

QUOTE: Final = r"\\{0,8}[\"'`]"
CLOSING_QUOTE: Final = rf"{QUOTE}(?=[\s,;:)\]}}>&\\]|\Z)"
# `,` `;` and `&` may be part of a password: they end it only where a next pair or nothing follows. `\u0026` is `&` inside JSON.
_NEXT_PAIR: Final = r"(?=\s|\Z|[\"'(\[{\\]{0,8}[\w.\-%]++[\"'\\]{0,8}\s*+(?:[=:]|\\u003d))"
_STOP: Final = rf"[\uff0c\u3002\uff1b\u3001\uff09]|{CLOSING_QUOTE}|(?:[&;,](?:amp;)?|\\u0026){_NEXT_PAIR}|</[\w.:\-]++>"
# Without quotes, up to white space or to what ends a pair.
_BARE: Final = re.compile(rf"(?i)(?>(?:[^\s\"'`&;,\\<\uff0c\u3002\uff1b\u3001\uff09]++|(?!{_STOP})\S)+)")
# Backslashes, doubled quotes and quotes escaped as a whole, as in JSON inside JSON. An unclosed quote extends to the end.
_QUOTED: Final = re.compile(
    r"""(?xs) "(?>(?:[^"\\]++|\\.?+|"")*)(?:"|\Z) | '(?>(?:[^'\\]++|\\.?+|'')*)(?:'|\Z) | `[^`]*+`?
    | \\(?P<inner>["'])(?>(?:[^\\]++|\\{4}|\\{3}(?P=inner)|\\{2}(?!\\)|\\(?!\\|(?P=inner)))*)\\(?P=inner)
    | (?P<quote>\\{1,8}["'`]).*?(?:(?<!\\)(?P=quote)|\Z)"""
)
# What may follow a closing quote; anything else is taken for more of the value, as in `'it's'`.
_AFTER_QUOTE: Final = ",;:.)]}>&|+\\"
_OPENING_QUOTE: Final = re.compile(rf"(?:{QUOTE})?")
# A list is one value, and so are a scheme of authorization and what it carries.
_PREFIX: Final = re.compile(
    r"[\[({](?=\s*+\\{0,8}[\"']|[^\s&;,\])}]*+,\s)[^\])}]*+[\])}]?|(?i:bearer|basic|digest|token)\s++(?=\w)"
)
# The value of a header.
_LINE: Final = re.compile(rf"(?>(?:[^\r\n\"'`\\]++|(?<==)\"[^\"\r\n]*+\"|(?!{CLOSING_QUOTE})[^\r\n])+)")

# Words as a shell splits them: quotes and what is escaped belong to a word.
SHELL_WORD: Final = re.compile(r"(?s)(?>(?:[^\s\"'\\]++|\\.?+|\"(?>(?:[^\"\\]++|\\.?+)*)(?:\"|\Z)|'[^']*+(?:'|\Z))+)")
WORD: Final = re.compile(r"[\w.\-]+")
PAIR: Final = re.compile(r"(?s)(?P<head>(?P<open>[\"']?)(?:--conf=)?(?P<key>[\w.\-]++)=)(?P<value>.*?)(?P<quote>(?P=open)?)")
NEXT_OPTION: Final = re.compile(r"--[A-Za-z]")


def fold(text: str) -> str:
    """Return a text with characters of full width as ASCII has them, and without those of no width."""
    return text.translate(_FOLDED)


def quote_around(word: str) -> str:
    """Return the quote on both sides of a word, or nothing."""
    return word[0] if len(word) > 1 and word[0] in "\"'" and word[0] == word[-1] else ""


def quote_before(text: str, position: int) -> str:
    """Return the quote that opens at a position, with what escapes it, or nothing."""
    opening = _OPENING_QUOTE.match(text, position)
    return opening[0] if opening else ""


def value_end(text: str, name: re.Match[str]) -> int:
    """Return where the value ends that begins where `name` ends."""
    start = name.end()
    sign = name["sign"] or ""
    if _QUOTED.match(text, start):
        return literal_end(text, start)
    if sign.startswith("%"):
        # Inside an encoded URL the pair ends at a `&` encoded as often as its `=` is.
        encoded = re.compile(rf"(?>(?:[^\s\"'`&%]++|%(?!{sign[1:-2]}26))+)").match(text, start)
        return encoded.end() if encoded else start
    if sign in (":", "\uff1a") and name["key"].lower().endswith(("authorization", "cookie")):
        line = _LINE.match(text, start)
        return line.end() if line else start
    if prefix := _PREFIX.match(text, start):
        start = prefix.end()
    return _bare_end(text, start)


def literal_end(text: str, start: int) -> int:
    """Return where the quoted or bare literal ends that begins at `start`; the same where none does."""
    quoted = _QUOTED.match(text, start)
    if quoted is None:
        return _bare_end(text, start)
    end = quoted.end()
    if text[end : end + 1] in _AFTER_QUOTE:
        return end
    rest = _bare_end(text, end)
    return rest + (rest > end and text.startswith(text[start], rest))


def _bare_end(text: str, start: int) -> int:
    bare = _BARE.match(text, start)
    return bare.end() if bare else start


def hide(literal: str) -> str:
    """Mask a value but for the quotes around it; an empty one hides nothing."""
    quote = quote_before(literal, 0)
    if len(literal) < 2 * len(quote) or not literal.endswith(quote):
        return MASK
    return f"{quote}{MASK}{quote}" if len(literal) > 2 * len(quote) else literal
