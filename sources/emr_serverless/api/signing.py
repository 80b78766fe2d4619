"""ACS3-HMAC-SHA256, the vendor's request signature, version 3.

Rule: "Request syntax and signature method V3" in the vendor's SDK documentation. The tests compare it with the vendor's
published example and with the vendor's SDK.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from ..settings import API_VERSION, EMPTY_BODY_SHA256, SIGNATURE_ALGORITHM
from .credentials import AccessKey

_UNRESERVED: Final = "-_.~"


# A request repeats most of the one before, and is encoded for its signature and for its URL.
@lru_cache(maxsize=1_024)
def _encode(text: str, kept: str = "") -> str:
    return quote(text, safe=_UNRESERVED + kept)


def canonical_query(query: Mapping[str, str]) -> str:
    """Return the query as the API signs it: sorted by name, RFC 3986 encoded, an empty value as `name=`."""
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(query.items()))


def canonical_path(path: str) -> str:
    """Return the path RFC 3986 encoded, slashes kept."""
    return _encode(path, "/")


def sign_request(
    key: AccessKey,
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body_sha256: str = EMPTY_BODY_SHA256,
) -> str:
    """Return the `Authorization` header of a request.

    Args:
        key: signs; its token, if any, must be among the headers already.
        method: upper case.
        path: decoded, beginning with a slash.
        query: decoded names and values.
        headers: every header to sign: `host` and all `x-acs-*`; names in any case.
        body_sha256: lower-case hex of the body's SHA-256.
    """
    signed = sorted((name.lower(), value.strip()) for name, value in headers.items())
    names = ";".join(name for name, _ in signed)
    canonical = "\n".join(
        (
            method,
            canonical_path(path),
            canonical_query(query),
            "".join(f"{name}:{value}\n" for name, value in signed),
            names,
            body_sha256,
        )
    )
    to_sign = f"{SIGNATURE_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key.access_key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{SIGNATURE_ALGORITHM} Credential={key.access_key_id},SignedHeaders={names},Signature={signature}"


def request_headers(
    key: AccessKey, now: datetime, operation: str, host: str, path: str, query: Mapping[str, str]
) -> dict[str, str]:
    """Return the headers of a signed GET request, with a nonce of its own.

    A retry must be signed again: the API refuses a nonce that it has seen.

    Args:
        key: signs.
        now: the real time.
        operation: the API's name of the call.
        host: as the request names it, with its port.
        path: decoded.
        query: decoded names and values.
    """
    headers = {
        "host": host,
        "x-acs-action": operation,
        "x-acs-version": API_VERSION,
        "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-content-sha256": EMPTY_BODY_SHA256,
    }
    if key.security_token:
        headers["x-acs-security-token"] = key.security_token
    return headers | {"authorization": sign_request(key, "GET", path, query, headers)}
