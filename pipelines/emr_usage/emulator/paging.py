"""Pages and their tokens, as `Variants.tokens` reads them."""

import base64
import binascii
import threading
import zlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from .errors import ApiError
from .variants import Variants

Item = TypeVar("Item")
Key = tuple[int, str]


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items in the order they are served; `next_token` is None on the last page."""

    items: list[Item]
    next_token: str | None


@dataclass(frozen=True)
class PageRequest:
    """Which page of which listing.

    Attributes:
        token: The `nextToken` of the request, None for a first page.
        limit: The most items on the page, at least 1.
        listing: What is listed (operation, workspace and filter); a cursor of another listing is refused.
        requests: How many requests the workspace has had, this one included; what an expiring token's age is counted in.
        fault: `repeat_token` or `empty_page_with_token`, to answer a broken page.
    """

    token: str | None
    limit: int
    listing: str
    requests: int
    fault: str | None = None


class RequestCounter:
    """Counts requests per listing's scope, across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, scope: str) -> int:
        """One more request; returns how many there were, this one included."""
        with self._lock:
            self._counts[scope] += 1
            return self._counts[scope]


@dataclass(frozen=True)
class _Position:
    """Where a page starts, and the request number from which its token's age counts."""

    start: int
    since: int


def take_page(items: Sequence[Item], key: Callable[[Item], Key], asked: PageRequest, variants: Variants) -> Page[Item]:
    """Cut one page out of a list as it is at this moment.

    Args:
        items: The whole list, ascending by `key`; the page is in the order of `variants.order`.
        key: What an item is ordered by; no two items share one.
        asked: Which page.
        variants: What tokens are, and whether pages may be short.

    Raises:
        ApiError: `InvalidParameter`, for a token that is malformed, of another listing, or expired.
    """
    position = _read_token(items, key, asked, variants)
    size = asked.limit
    if variants.short_pages:
        size -= zlib.crc32(f"{asked.listing}{position.start}".encode()) % asked.limit
    served = _slice(items, position.start, size, variants)
    stop = position.start + len(served)
    since = asked.requests if variants.expiry_counts_from == "issue" else position.since
    following = _write_token(items, key, _Position(stop, since), asked, variants)
    if asked.fault == "repeat_token":
        again = asked.token or _write_token(items, key, _Position(0, since), asked, variants)
        return Page(served, again)
    if asked.fault == "empty_page_with_token":
        return Page([], following)
    return Page(served, following if stop < len(items) else None)


def _slice(items: Sequence[Item], start: int, size: int, variants: Variants) -> list[Item]:
    if variants.order == "oldest":
        return list(items[start : start + size])
    stop = max(0, len(items) - start)
    return list(items[max(0, stop - size) : stop])[::-1]


def _write_token(
    items: Sequence[Item], key: Callable[[Item], Key], position: _Position, asked: PageRequest, variants: Variants
) -> str:
    if variants.tokens == "offset":
        return str(position.start)
    last = _slice(items, position.start - 1, 1, variants) if position.start else []
    content = orjson.dumps([list(key(last[0])) if last else None, position.since, _digest(asked.listing)])
    return base64.urlsafe_b64encode(content).decode()


def _read_token(items: Sequence[Item], key: Callable[[Item], Key], asked: PageRequest, variants: Variants) -> _Position:
    if not asked.token:
        return _Position(0, asked.requests)
    if variants.tokens == "offset":
        if not (asked.token.isascii() and asked.token.isdigit()):
            raise ApiError("InvalidParameter", "nextToken is not valid.")
        return _Position(int(asked.token), asked.requests)
    try:
        last, since, digest = orjson.loads(base64.urlsafe_b64decode(asked.token.encode()))
    except (binascii.Error, orjson.JSONDecodeError, ValueError, TypeError) as error:
        raise ApiError("InvalidParameter", "nextToken is not valid.") from error
    if digest != _digest(asked.listing):
        raise ApiError("InvalidParameter", "nextToken is of another query.")
    if variants.tokens == "expiring" and not 0 <= asked.requests - since <= variants.token_uses:
        raise ApiError("InvalidParameter", "nextToken is expired.")
    return _Position(_start_after(items, key, last, variants), since)


def _start_after(items: Sequence[Item], key: Callable[[Item], Key], last: list[int | str] | None, variants: Variants) -> int:
    if last is None:
        return 0
    after = (int(last[0]), str(last[1]))
    if variants.order == "oldest":
        return bisect_right(items, after, key=key)
    return len(items) - bisect_left(items, after, key=key)


def _digest(listing: str) -> int:
    return zlib.crc32(listing.encode())
