"""The one place where every failure of a command ends."""

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
    """Turn whatever goes wrong inside into one sentence and an exit code, which end the command.

    Args:
        target: the database or destination.
        as_json: tell machines too.
        verbose: print the traceback.
        so_far: what the command did before, for machines.
    """
    # Schedulers and containers end a command by SIGTERM: it is reported like Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    # So does a terminal that is closed, by SIGHUP, which dlt does not know; nohup has it ignored, and it stays so.
    hangup = signal.getsignal(signal.SIGHUP)
    if hangup != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda _number, _frame: signal.raise_signal(signal.SIGTERM))
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the one place where every failure ends
        from emr_usage.failures import STOPPED, explain

        if verbose:
            errors().print(traceback.format_exc().rstrip(), highlight=False, soft_wrap=True)
        failure = explain(error, str(target))
        if failure.code == STOPPED:
            # The process waits for a merge that is under way; a second Ctrl-C does not.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        fail(failure.sentence, failure.code, as_json=as_json, exit_code=failure.exit_code, so_far=so_far)
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGHUP, hangup)
