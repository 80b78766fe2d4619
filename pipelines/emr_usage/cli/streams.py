"""Standard output and standard error of the command: unencodable text is escaped, and a failed write does not stop the work."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, Final, NoReturn

import click

from emr_usage.exit_codes import FAILED

# The error of the first failed write, by stream; set by the consoles.
failed_writes: Final[dict[str, OSError]] = {}


class SafeGroup(click.Group):
    """A command group that reports output that could not be written."""

    def main(self, *arguments: Any, **options: Any) -> NoReturn:
        """Run a command. Exits with 1 if it succeeded but its output could not be written, unless the reader closed the pipe."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            code = super().main(*arguments, **options)
        except OSError as error:  # in the output of click itself
            if error.filename:
                raise
            failed_writes["stdout"] = error
            raise SystemExit(_exit_code(0)) from None
        except SystemExit as end:
            raise SystemExit(_exit_code(end.code)) from None
        else:
            raise SystemExit(code)
        finally:
            for name in failed_writes:
                _discard_what_is_left(name)


def _exit_code(code: str | int | None) -> str | int | None:
    error = failed_writes.get("stdout")
    if error is None or error.errno == errno.EPIPE:
        return code
    try:
        click.echo(f"Error: The output could not be written ({error.strerror}).", err=True)
    except OSError as also:
        failed_writes["stderr"] = also
    return code or FAILED


def _discard_what_is_left(name: str) -> None:
    """Discard the rest of a stream, which the interpreter would otherwise try to write at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, getattr(sys, name).fileno())
    os.close(null)
