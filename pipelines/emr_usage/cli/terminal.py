"""What the commands share at the terminal: output, failures, the time."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from emr_usage.exit_codes import FAILED

if TYPE_CHECKING:
    from emr_usage.lock import Wait

    from .console import SafeConsole


class CommandFailed(SystemExit):
    """The end of a command that failed, whose sentence is printed already."""

    def __init__(self, exit_code: int, sentence: str) -> None:
        super().__init__(exit_code)
        self.sentence = sentence


@cache
def output() -> SafeConsole:
    """Return standard output."""
    from .console import SafeConsole

    return SafeConsole()


@cache
def errors() -> SafeConsole:
    """Return standard error."""
    from .console import SafeConsole

    return SafeConsole(stderr=True)


def now() -> datetime:
    """Return the real time, UTC."""
    return datetime.now(UTC)


def wait_at_most(seconds: int) -> Wait:
    """Return a wait that says on standard error for whom it waits."""
    from emr_usage.lock import Wait

    def say(user: str) -> None:
        errors().print(f"The database is in use by {user}. Waiting for up to {seconds:,} s.", highlight=False, soft_wrap=True)

    return Wait(seconds, say)


def echo(*lines: str) -> None:
    """Print lines as they are: no part of them is coloured, and the terminal wraps them; a line feed in a name begins none."""
    for line in lines:
        output().print(line.replace("\n", "\\n"), highlight=False, soft_wrap=True)


def print_json(facts: object) -> None:
    """Print facts as one line of JSON."""
    echo(json.dumps(facts, default=str))


def fail(
    sentence: str, code: str, *, as_json: bool, exit_code: int = FAILED, so_far: Mapping[str, Any] | None = None
) -> NoReturn:
    """Say what went wrong, for people and where asked for machines, and end the command by CommandFailed."""
    errors().print(f"Error: {sentence}", highlight=False, soft_wrap=True)
    if as_json:
        failed = {"status": "failed", "exit_code": exit_code, "error": {"code": code, "sentence": sentence}}
        print_json({**(so_far or {}), **failed})
    raise CommandFailed(exit_code, sentence)


def log_to(console: SafeConsole) -> None:
    """Send the source's warnings to the console that also draws the progress, so that neither garbles the other."""
    logger = logging.getLogger("emr_serverless")
    logger.handlers = [_ConsoleHandler(console)]
    logger.propagate = False


class _ConsoleHandler(logging.Handler):
    def __init__(self, console: SafeConsole) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(f"{record.levelname.lower()}: {record.getMessage()}", highlight=False, soft_wrap=True)
