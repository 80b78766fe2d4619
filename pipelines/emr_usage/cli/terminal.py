"""Output, failures and the time, for all commands."""

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
    """Return a wait that names the other process on standard error."""
    from emr_usage.lock import Wait

    def say(user: str) -> None:
        errors().print(f"The database is in use by {user}. Waiting for up to {seconds:,} s.", highlight=False, soft_wrap=True)

    return Wait(seconds, say)


def echo(*lines: str) -> None:
    """Print lines literally: without colours, wrapped by the terminal; line feeds inside a line are escaped."""
    for line in lines:
        output().print(line.replace("\n", "\\n"), highlight=False, soft_wrap=True)


def print_json(facts: object) -> None:
    """Print facts as one line of JSON."""
    echo(json.dumps(facts, default=str))


def fail(
    sentence: str, code: str, *, as_json: bool, exit_code: int = FAILED, so_far: Mapping[str, Any] | None = None
) -> NoReturn:
    """Print an error, on request also as JSON, and end the command by CommandFailed."""
    errors().print(f"Error: {sentence}", highlight=False, soft_wrap=True)
    if as_json:
        failed = {"status": "failed", "exit_code": exit_code, "error": {"code": code, "sentence": sentence}}
        print_json({**(so_far or {}), **failed})
    raise CommandFailed(exit_code, sentence)


def log_to(console: SafeConsole) -> None:
    """Send the source's warnings to the console that draws the progress, so that they do not overlap."""
    logger = logging.getLogger("emr_serverless")
    logger.handlers = [_ConsoleHandler(console)]
    logger.propagate = False


class _ConsoleHandler(logging.Handler):
    def __init__(self, console: SafeConsole) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(f"{record.levelname.lower()}: {record.getMessage()}", highlight=False, soft_wrap=True)
