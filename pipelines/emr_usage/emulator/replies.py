"""HTTP responses, and how each fault changes them."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from .errors import ApiError
from .faults import HTML, REFUSALS, THROTTLE_CODES, THROTTLES, Faults

JSON = "application/json;charset=utf-8"
HTML_PAGE = b"<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center><hr>Tengine</body>\r\n</html>\r\n"
GARBAGE = b'\x1f\x8b\x08\x00{"jobRuns":[\xff\xfe'


@dataclass
class Reply:
    """An HTTP answer.

    Attributes:
        status: The HTTP status; 0 closes the connection without an answer.
        body: The whole body, as in Content-Length.
        headers: Its headers, without Content-Length.
        sent: How much of the body is sent before the connection is closed; None is all, and it stays open.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None


def json_reply(status: int, body: dict[str, Any], fault: str | None = None) -> Reply:
    """A JSON answer, cut in half by the fault `truncate`.

    Args:
        status: The HTTP status.
        body: What orjson can write.
        fault: The fault the request has met.
    """
    content = orjson.dumps(body)
    return Reply(status, content, {"Content-Type": JSON}, len(content) // 2 if fault == "truncate" else None)


def broken_reply(fault: str | None) -> Reply | None:
    """What a fault answers in the operation's place; None where the operation answers.

    Args:
        fault: The fault the request has met.
    """
    if fault in {"drop", "hang"}:
        return Reply(0)
    if fault == "garbage":
        return Reply(200, GARBAGE, {"Content-Type": JSON})
    if (status := HTML.get(fault or "")) is not None:
        return Reply(status, HTML_PAGE % (status, status), {"Content-Type": "text/html"})
    return None


def raise_fault(fault: str | None, faults: Faults) -> None:
    """Refuse the request if that is what the fault does.

    Args:
        fault: The fault the request has met.
        faults: Where the hints of throttling come from.

    Raises:
        ApiError: The refusal.
    """
    name = fault or ""
    if name in THROTTLES:
        status, hint = THROTTLES[name]
        hints = {
            "_retry_after": {"x-acs-retry-after": str(faults.retry_after_ms)},
            "_retry_after_seconds": {"Retry-After": str(faults.retry_after_seconds)},
        }
        raise ApiError(THROTTLE_CODES[status], status=status, headers=hints.get(hint))
    if name in REFUSALS:
        status, code = REFUSALS[name]
        raise ApiError(code, status=status, by_service=name == "error_500_service")
