"""Sends requests to webhooks within a few seconds, whatever they do. Their addresses are secrets: only the host is ever named."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from emr_usage.failures import chain

# A step of a request (connecting, sending, waiting for the answer) takes no longer than the first; all requests together, whose
# host names are looked up and whose answers may come byte by byte, no longer than the second.
STEP_SECONDS: Final = 3.0
ALL_SECONDS: Final = 5.0
# Of an answer: those that say how it went are far shorter.
_MOST_BYTES: Final = 65_536
_FIRST_REFUSAL: Final = 300
_FIRST_ERROR: Final = 400


@dataclass(frozen=True)
class Webhook:
    """A request.

    Attributes:
        what: the word for it, such as ping.
        url: where to; a secret.
        body: sent as JSON with POST; without one it is a GET.
        code_key: where a JSON answer of status 200 has a code that is not 0 if the request was refused.
    """

    what: str
    url: str = field(repr=False)
    body: dict[str, Any] | None = field(default=None, repr=False)
    code_key: str | None = None

    @property
    def host(self) -> str:
        """Return the only part of the address that may be shown."""
        return urlsplit(self.url).hostname or "an unknown host"


def send_webhooks(webhooks: Sequence[Webhook]) -> list[str]:
    """Send requests side by side, each once, and return why some failed, one sentence each. Raises nothing.

    No redirect is followed: the address is a secret of the host it names.
    """
    # These name whole addresses.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    failures: dict[int, str | None] = {}

    def send(position: int) -> None:
        failures[position] = _failure(webhooks[position])

    # A request that does not end in time ends with the process.
    threads = [threading.Thread(target=send, args=(position,), daemon=True) for position in range(len(webhooks))]
    until = time.monotonic() + ALL_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    unanswered = f"no answer within {ALL_SECONDS:g} s"
    reasons = [failures.get(position, unanswered) for position in range(len(webhooks))]
    return [
        f"The {webhook.what} to {webhook.host} failed: {reason}."
        for webhook, reason in zip(webhooks, reasons, strict=True)
        if reason
    ]


def _failure(webhook: Webhook) -> str | None:
    """Return why a request failed, or None."""
    try:
        with httpx.Client(timeout=STEP_SECONDS, follow_redirects=False) as client:
            method = "GET" if webhook.body is None else "POST"
            with client.stream(method, webhook.url, json=webhook.body, headers={"User-Agent": "emr-usage"}) as response:
                return _refusal(response, webhook.code_key)
    except httpx.TimeoutException:
        return f"no answer within {STEP_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001  # a webhook never ends a command, and the text of an error may name the address
        return f"it cannot be reached ({type(list(chain(error))[-1]).__name__})"


def _refusal(response: httpx.Response, code_key: str | None) -> str | None:
    if response.status_code >= _FIRST_ERROR:
        return f"it answered with status {response.status_code}"
    if response.status_code >= _FIRST_REFUSAL:
        return f"it redirects elsewhere (status {response.status_code}), which is not followed"
    if code_key is None:
        return None
    content = b""
    for part in response.iter_bytes():
        content += part
        if len(content) > _MOST_BYTES:
            break
    try:
        code = json.loads(content)[code_key]
    except (ValueError, KeyError, TypeError):
        return "its answer is not the expected JSON"
    return None if code == 0 else f"it refused the message (code {code})" if isinstance(code, int) else "it refused the message"
