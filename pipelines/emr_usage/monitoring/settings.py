"""Whom to notify and ping, as options or settings say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NoReturn
from urllib.parse import urlsplit

from emr_serverless import CheckSettingsError, shown
from emr_usage.command_settings import environment_name, given_setting
from emr_usage.defaults import NOTIFY_FORMATS

from .notification import SIGNED, Recipient, format_of

_OPTIONS: Final = {"notify_url": "--notify", "notify_format": "--notify-format", "ping_url": "--ping"}


@dataclass(frozen=True)
class Recipients:
    """Whom to tell how a command went; None for nobody.

    Attributes:
        notified: gets a message where something is wrong.
        ping_url: is called at the start and at the end.
    """

    notified: Recipient | None = None
    ping_url: str | None = field(default=None, repr=False)


def read_recipients(notify: str | None, notify_format: str | None, ping: str | None, *, can_ping: bool) -> Recipients:
    """Return whom to notify and ping: options override settings.

    Args:
        notify: the option, as the next two; None where it is not given.
        notify_format: one of `NOTIFY_FORMATS`.
        ping: the address without `/start` and `/fail`.
        can_ping: whether the command pings.

    Raises:
        CheckSettingsError: a value cannot be used; addresses and secrets are not quoted.
    """
    notify_url = notify or given_setting("notify_url") or None
    message_format = notify_format or given_setting("notify_format") or None
    secret = given_setting("notify_secret") or None
    ping_url = (ping or given_setting("ping_url") or None) if can_ping else None
    _check_url("notify_url", notify_url)
    _check_url("ping_url", ping_url)
    if message_format is not None and message_format not in NOTIFY_FORMATS:
        _refuse("notify_format", f"one of {', '.join(NOTIFY_FORMATS)}", f" = {shown(message_format)}", ".dlt/config.toml")
    if notify_url is None:
        return Recipients(ping_url=ping_url)
    used_format = message_format or format_of(notify_url)
    if secret is not None and used_format not in SIGNED:
        raise CheckSettingsError(
            f"The setting notify_secret is for {' and '.join(SIGNED)} only, and the format is {used_format}",
            advice="Remove the secret, or set notify_format.",
        )
    return Recipients(Recipient(notify_url, used_format, secret), ping_url)


def ping_address(url: str, suffix: str = "") -> str:
    """Return the address of a ping; `/start` and `/fail` are added to its path."""
    parts = urlsplit(url)
    return parts._replace(path=parts.path.rstrip("/") + suffix).geturl() if suffix else url


def _check_url(name: str, url: str | None) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or not url.isprintable() or " " in url:
        _refuse(name, "an http or https address")


def _refuse(name: str, kind: str, given: str = "", file: str = ".dlt/secrets.toml") -> NoReturn:
    raise CheckSettingsError(
        f"The setting {name}{given} cannot be used. It must be {kind}",
        advice=f"Correct it in {file}, {environment_name(name)} or {_OPTIONS[name]}.",
    )
