"""Reports every failure of a command."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .terminal import errors, fail

if TYPE_CHECKING:
    from emr_usage.target import Target


@contextmanager
def report_errors(target: Target, *, as_json: bool, verbose: bool, so_far: Mapping[str, Any] | None = None) -> Iterator[None]:
    """End the command with one sentence and an exit code for any error inside.

    Args:
        target: the database or destination.
        as_json: also print the error as JSON.
        verbose: print the traceback.
        so_far: what the command did before, for the JSON.
    """
    # Schedulers and containers end a command by SIGTERM: it is reported like Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A closed terminal sends SIGHUP, which dlt does not handle. Where it is ignored, as under nohup, it stays ignored.
    hangup = signal.getsignal(signal.SIGHUP)
    if hangup != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda _number, _frame: signal.raise_signal(signal.SIGTERM))
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # every failure is reported here
        from emr_usage.failures import STOPPED, explain

        if verbose:
            errors().print(traceback.format_exc().rstrip(), highlight=False, soft_wrap=True)
        failure = explain(error, str(target))
        if failure.code == STOPPED:
            # The process waits for a running merge; a second Ctrl-C ends it at once.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        fail(failure.sentence, failure.code, as_json=as_json, exit_code=failure.exit_code, so_far=so_far)
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGHUP, hangup)
