"""The metrics file, the notification and the pings of a command: if one of them fails, that is a warning and nothing more."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from emr_usage.defaults import NOTIFY_FORMATS
from emr_usage.exit_codes import FAILED

from .report_errors import report_errors
from .terminal import CommandFailed, errors, now

if TYPE_CHECKING:
    from emr_usage.monitoring.settings import Recipients
    from emr_usage.monitoring.webhooks import Webhook
    from emr_usage.status import Status
    from emr_usage.target import Target

UNEXPECTED: Final = "This failed in an unexpected way; its output has the traceback."

metrics_option = click.option(
    "--metrics",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write metrics as OpenMetrics text, also after a failure.",
)
notify_option = click.option(
    "--notify",
    metavar="URL",
    help="Webhook for a message on failures, incomplete loads and findings.  [default: the setting emr_usage.notify_url]",
)
notify_format_option = click.option(
    "--notify-format",
    type=click.Choice(NOTIFY_FORMATS),
    help="Form of the message.  [default: by the host of the URL, else json]",
)
ping_option = click.option(
    "--ping",
    metavar="URL",
    help="Call URL/start at the start, URL after success, URL/fail after failure.  [default: the setting emr_usage.ping_url]",
)


@dataclass(frozen=True)
class MonitoringOptions:
    """The options of a command; `can_ping` says whether the setting of the ping is for it too."""

    metrics: Path | None
    notify: str | None = None
    notify_format: str | None = None
    ping: str | None = None
    can_ping: bool = False


@dataclass
class Monitor:
    """What a command tells of itself while it runs.

    Attributes:
        steps: seconds of each step that was begun.
        problems: why it is not complete, one sentence each; that of a failure is added by itself.
        findings: what it found out for the first time.
        status: of the database, where the command has read it.
    """

    steps: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    status: Status | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step, also one that fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.steps[name] = time.monotonic() - began


def monitoring_options(*, can_ping: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options of the commands that write; they arrive as one argument, `monitoring`."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_monitoring(
            *, metrics: Path | None, notify: str | None, notify_format: str | None, ping: str | None = None, **options: Any
        ) -> None:
            command(monitoring=MonitoringOptions(metrics, notify, notify_format, ping, can_ping), **options)

        decorated: Callable[..., None] = with_monitoring
        for option in (*([ping_option] if can_ping else []), notify_format_option, notify_option, metrics_option):
            decorated = option(decorated)
        return decorated

    return add


@contextmanager
def monitored(command: str, target: Target, options: MonitoringOptions, *, as_json: bool, verbose: bool) -> Iterator[Monitor]:
    """Run a command inside: ping its start, and whatever its end, write its metrics, notify and ping.

    The exit code is the command's own. Ends with exit code 2 before anything was done where a setting cannot be used.
    """
    from emr_usage.monitoring.settings import ping_address, read_recipients
    from emr_usage.monitoring.webhooks import Webhook

    with report_errors(target, as_json=as_json, verbose=verbose):
        recipients = read_recipients(options.notify, options.notify_format, options.ping, can_ping=options.can_ping)
    began, monitor = time.monotonic(), Monitor()
    failures = _send([Webhook("ping", ping_address(recipients.ping_url, "/start"))] if recipients.ping_url else [])
    exit_code = 0
    try:
        yield monitor
    except CommandFailed as end:
        exit_code = int(str(end.code))
        monitor.problems.insert(0, end.sentence)
        raise
    except SystemExit as end:
        exit_code = int(end.code or 0)
        raise
    except click.ClickException as error:
        exit_code = error.exit_code
        monitor.problems.insert(0, error.format_message())
        raise
    except BaseException:
        exit_code = FAILED
        monitor.problems.insert(0, UNEXPECTED)
        raise
    finally:
        _tell(command, target, options.metrics, recipients, monitor, exit_code, time.monotonic() - began, failures)


def _tell(
    command: str,
    target: Target,
    metrics: Path | None,
    recipients: Recipients,
    monitor: Monitor,
    exit_code: int,
    seconds: float,
    failures: list[str],
) -> None:
    from emr_usage.monitoring.command_result import CommandResult
    from emr_usage.monitoring.metrics import write_metrics
    from emr_usage.monitoring.notification import notification
    from emr_usage.monitoring.settings import ping_address
    from emr_usage.monitoring.webhooks import Webhook

    result = CommandResult(command, str(target), exit_code, now(), seconds, monitor.steps, monitor.problems, monitor.findings)
    if metrics:
        try:
            write_metrics(metrics, _label(target), monitor.status or _read_status(target), result)
        except OSError as error:
            _warn(f"The metrics file {metrics} cannot be written ({error.strerror or type(error).__name__}).")
    webhooks = []
    if recipients.notified and result.is_worth_a_message:
        webhooks.append(notification(recipients.notified, result, platform.node()))
    if recipients.ping_url:
        webhooks.append(Webhook("ping", ping_address(recipients.ping_url, "/fail" if exit_code else "")))
    # That of the start and that of the end usually fail for the same reason.
    if all_failures := dict.fromkeys([*failures, *_send(webhooks)]):
        _warn(" ".join(all_failures))


def _label(target: Target) -> str:
    """Return the name of the database in the metrics, or that of its destination where its settings cannot be used."""
    try:
        return target.place.label()
    except Exception:  # noqa: BLE001  # metrics never change how a command ends
        return str(target)


def _read_status(target: Target) -> Status | None:
    """Return what the database holds, or None where it cannot be read: why is in the command's own output."""
    from emr_usage.pipeline import open_reader
    from emr_usage.status import read_status

    if target.place.is_missing():
        return None
    try:
        with open_reader(target) as pipeline:
            return read_status(pipeline, now())
    except Exception:  # noqa: BLE001  # metrics never change how a command ends
        return None


def _send(webhooks: list[Webhook]) -> list[str]:
    from emr_usage.monitoring.webhooks import send_webhooks

    return send_webhooks(webhooks) if webhooks else []


def _warn(sentence: str) -> None:
    errors().print(f"warning: {sentence}", highlight=False, soft_wrap=True)
