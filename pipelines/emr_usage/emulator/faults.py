"""What goes wrong on purpose: which request meets which fault. How each one looks is in `gateway.py`."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

THROTTLE_CODES: Mapping[int, str] = {400: "Throttling.User", 429: "Throttling", 503: "Throttling.Api"}
THROTTLES: Mapping[str, tuple[int, str]] = {
    f"throttle_{status}{hint}": (status, hint)
    for status in THROTTLE_CODES
    # Without a hint, with x-acs-retry-after (milliseconds), and with Retry-After (seconds).
    for hint in ("", "_retry_after", "_retry_after_seconds")
}
REFUSALS: Mapping[str, tuple[int, str]] = {
    "error_500": (500, "InternalError"),
    "error_500_service": (500, "InternalError"),  # the body is the service's, keys in lower camel case
    "error_503": (503, "ServiceUnavailable"),
    "nonce_used": (400, "SignatureNonceUsed"),
}
HTML: Mapping[str, int] = {"error_502_html": 502, "error_504_html": 504, "error_200_html": 200}
CONNECTION = frozenset({"drop", "hang", "truncate", "garbage"})
PAGES = frozenset({"repeat_token", "empty_page_with_token", "expire_token"})  # no effect where there is no page
KINDS = frozenset(THROTTLES) | frozenset(REFUSALS) | frozenset(HTML) | CONNECTION | PAGES

_END = object()
_UNIT_BYTES = 8


@dataclass
class Faults:
    """Which requests fail, and how.

    Attributes:
        seed: Moves the random faults to other requests.
        rates: Kind -> share of requests that meet it, once the script is used up. Whether a request does depends only on
            the seed, its path and query, and how often it came before: threads and time make no difference.
        script: One entry per request in the order of arrival; None is no fault.
        latency_seconds: How long every answer takes at least.
        clock_skew_seconds: How far the server's own clock is ahead of the real one.
        hang_seconds: How long a hanging request gets no answer before the connection is closed.
        retry_after_ms: What `x-acs-retry-after` says.
        retry_after_seconds: What `Retry-After` says.
        denied: A workspace id or an operation's name -> the status and code every request for it gets; the code None is
            the quirk of an error without one.
        max_in_flight: A quota: when more requests than this are in flight, the newest is throttled.
        max_per_second: A quota: requests beyond this rate are throttled; a second's worth may come at once.

    Raises:
        ValueError: A kind of fault that does not exist.
    """

    seed: int = 0
    rates: Mapping[str, float] = field(default_factory=dict)
    script: Iterable[str | None] = ()
    latency_seconds: float = 0.0
    clock_skew_seconds: float = 0.0
    hang_seconds: float = 60.0
    retry_after_ms: int = 50
    retry_after_seconds: int = 1
    denied: Mapping[str, tuple[int, str | None]] = field(default_factory=dict)
    max_in_flight: int | None = None
    max_per_second: float | None = None

    def __post_init__(self) -> None:
        self._allowance = self.max_per_second or 0.0
        self._allowed_at = time.monotonic()
        self._lock = threading.Lock()
        self._script = iter(self.script)
        self._arrivals: Counter[str] = Counter()
        for kind in self.rates:
            _check_kind(kind)

    def take(self, request_key: str) -> str | None:
        """The fault the next request meets, or None.

        Args:
            request_key: The request's path and query, the same again when it is retried.

        Raises:
            ValueError: The script names a kind of fault that does not exist.
        """
        with self._lock:
            scripted = next(self._script, _END)
            if scripted is _END and not self.rates:
                return None
            self._arrivals[request_key] += 1
            arrival = self._arrivals[request_key]
        if scripted is None or isinstance(scripted, str):
            return _check_kind(scripted)
        return self._draw(f"{self.seed}\n{request_key}\n{arrival}")

    def is_within_rate(self) -> bool:
        """Whether the rate allows another request now, which it then counts."""
        if self.max_per_second is None:
            return True
        with self._lock:
            now = time.monotonic()
            self._allowance = min(self.max_per_second, self._allowance + (now - self._allowed_at) * self.max_per_second)
            self._allowed_at = now
            if self._allowance < 1:
                return False
            self._allowance -= 1
            return True

    def _draw(self, text: str) -> str | None:
        digest = hashlib.blake2b(text.encode(), digest_size=_UNIT_BYTES).digest()
        drawn = int.from_bytes(digest, "big") / 2 ** (8 * _UNIT_BYTES)
        for kind, rate in sorted(self.rates.items()):
            drawn -= rate
            if drawn < 0:
                return kind
        return None


def _check_kind(kind: str | None) -> str | None:
    if kind is not None and kind not in KINDS:
        raise ValueError(f"no fault is called {kind!r}; there are {', '.join(sorted(KINDS))}")
    return kind
