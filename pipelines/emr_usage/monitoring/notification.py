"""A message about how a command ended, in the form that a chat or another program takes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

from .command_result import CommandResult
from .webhooks import Webhook

# Those that can be signed.
SIGNED: Final = ("dingtalk", "feishu")
FORMAT_OF_HOST: Final = {
    "hooks.slack.com": "slack",
    "oapi.dingtalk.com": "dingtalk",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "feishu",
}
# Feishu and DingTalk take 20 KB; a message is for reading, the rest is in `emr-usage status`.
_MOST_LINES: Final = 10
_MOST_CHARACTERS: Final = 500


@dataclass(frozen=True)
class Recipient:
    """Who is told.

    Attributes:
        url: the address of the webhook, a secret.
        message_format: one of `NOTIFY_FORMATS`.
        secret: DingTalk's or Feishu's key for signatures, where the robot demands them.
    """

    url: str = field(repr=False)
    message_format: str
    secret: str | None = field(default=None, repr=False)


def format_of(url: str) -> str:
    """Return the format that the host of an address takes; json where it is no chat that is known."""
    return FORMAT_OF_HOST.get(urlsplit(url).hostname or "", "json")


def notification(recipient: Recipient, result: CommandResult, host: str) -> Webhook:
    """Return the request that tells how a command ended.

    Args:
        recipient: who is told.
        result: how it ended.
        host: on which the command ran.
    """
    text = message_text(result, host)
    match recipient.message_format:
        case "slack":
            # Otherwise Slack takes them for links and mentions.
            escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            return Webhook("notification", recipient.url, {"text": escaped})
        case "dingtalk":
            body: dict[str, Any] = {"msgtype": "text", "text": {"content": text}}
            return Webhook("notification", _signed_for_dingtalk(recipient, result.ended_at), body, "errcode")
        case "feishu":
            body = {"msg_type": "text", "content": {"text": text}}
            return Webhook("notification", recipient.url, _signature_for_feishu(recipient, result.ended_at) | body, "code")
        case _:
            return Webhook("notification", recipient.url, message_facts(result, host))


def message_text(result: CommandResult, host: str) -> str:
    """Return the message for people; it begins with the name of the command, by which a robot can filter."""
    state = "complete, with findings" if result.exit_code == 0 else f"{result.status} (exit code {result.exit_code})"
    first = f"emr-usage {result.command}: {state}, {result.target} on {host}, after {result.seconds:,.0f} s"
    lines = [*result.problems, *result.findings]
    shown = [" ".join(line.split())[:_MOST_CHARACTERS] for line in lines[:_MOST_LINES]]
    more = [f"and {len(lines) - _MOST_LINES:,} more: emr-usage status"] if len(lines) > _MOST_LINES else []
    return "\n".join([first, *shown, *more])


def message_facts(result: CommandResult, host: str) -> dict[str, Any]:
    """Return the message for programs."""
    return {
        "text": message_text(result, host),
        "command": result.command,
        "status": result.status,
        "exit_code": result.exit_code,
        "target": result.target,
        "host": host,
        "ended_at": result.ended_at.isoformat(timespec="seconds"),
        "seconds": round(result.seconds, 3),
        "problems": list(result.problems),
        "findings": list(result.findings),
    }


def _signed_for_dingtalk(recipient: Recipient, now: datetime) -> str:
    """Return the address with DingTalk's signature of the time, in milliseconds."""
    if recipient.secret is None:
        return recipient.url
    timestamp = round(now.timestamp() * 1000)
    digest = hmac.digest(recipient.secret.encode(), f"{timestamp}\n{recipient.secret}".encode(), hashlib.sha256)
    separator = "&" if urlsplit(recipient.url).query else "?"
    return f"{recipient.url}{separator}timestamp={timestamp}&sign={quote_plus(base64.b64encode(digest))}"


def _signature_for_feishu(recipient: Recipient, now: datetime) -> dict[str, str]:
    """Return Feishu's signature of the time, in seconds: of no text, by a key that has the time in it."""
    if recipient.secret is None:
        return {}
    timestamp = round(now.timestamp())
    digest = hmac.digest(f"{timestamp}\n{recipient.secret}".encode(), b"", hashlib.sha256)
    return {"timestamp": str(timestamp), "sign": base64.b64encode(digest).decode()}
