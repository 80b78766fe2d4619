"""Printed text contains no terminal control characters and can be encoded everywhere."""

from __future__ import annotations

import io
import unicodedata

import pytest
from rich.table import Table

from emr_usage.cli.console import SafeConsole, printable

HOSTILE = (
    "\x1b[2J\x1b]0;title\x07",  # clears the screen, names the window
    "\x9b31m",  # the same in one character of C1
    "a\rb\bc\x7f",
    "\u202egpj.exe\u2066",  # reversed
    "zero\u200bwidth\ufeff",
    "\u2028line",
    "half \ud83d of a pair",
)
SAFE = "风控 🚀 naïve [bold]:rocket:[/bold] e\u0301"


@pytest.mark.parametrize("text", HOSTILE)
def test_terminal_control_characters_are_shown_escaped(text: str) -> None:
    shown = printable(text)
    assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in shown)
    assert "\\" in shown


def test_other_characters_are_unchanged() -> None:
    assert printable(SAFE) == SAFE


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "gbk"])
@pytest.mark.parametrize("text", [*HOSTILE, SAFE])
def test_lines_and_tables_are_printed_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str, text: str) -> None:
    written = io.BytesIO()
    stdout = io.TextIOWrapper(written, encoding=encoding, errors="backslashreplace")
    monkeypatch.setattr("sys.stdout", stdout)
    console = SafeConsole()
    table = Table(text, title=text, caption=text)
    table.add_row(text)
    console.print(text)
    console.print(table)
    shown = written.getvalue().decode(encoding)
    assert not set("\x1b\x9b\x07\x08\r\x7f") & set(shown)
    if encoding == "utf-8" and text == SAFE:
        assert shown.splitlines()[0] == SAFE
