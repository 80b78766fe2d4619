"""The endpoint of the API, checked before anything is sent to it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from ..settings import DEFAULT_ENDPOINT
from .errors import CheckSettingsError

# Names, IPv4 and IPv6 addresses.
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")


def endpoint_of(region_id: str, endpoint: str | None) -> str:
    """Return the base URL for a region.

    Args:
        region_id: replaces `{region_id}` in the endpoint.
        endpoint: a host or URL, or None for the vendor's public endpoint.

    Raises:
        CheckSettingsError: not a host or address, or plain HTTP to another machine, which would expose tokens.
    """
    base = (endpoint or DEFAULT_ENDPOINT).replace("{region_id}", region_id)
    base = (base if "://" in base else f"https://{base}").rstrip("/")
    try:
        parts = urlsplit(base)
        _ = parts.port
    except ValueError:  # an incomplete IPv6 address, or an invalid port
        parts = urlsplit("")
    if parts.username is not None:
        raise CheckSettingsError(
            "The endpoint contains a user name or a password, which the API does not accept", advice="Leave it out."
        )
    # Anything beyond a host, such as a query, would become part of what is signed.
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.hostname or "") or parts.query or parts.fragment:
        raise CheckSettingsError(f"The endpoint {base!r} is not a host or an https address")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise CheckSettingsError(
            f"The endpoint {base!r} uses plain HTTP, which is allowed for this machine only", advice="Use https."
        )
    return base


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
