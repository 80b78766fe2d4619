"""ACS3-HMAC-SHA256, the vendor's request signature, version 3.

Rule: "Request syntax and signature method V3" in the vendor's SDK documentation. The tests compare it with the vendor's
published example and with the vendor's SDK.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import httpx

from ..settings import API_VERSION, EMPTY_BODY_SHA256, SIGNATURE_ALGORITHM
from .credentials import AccessKey, AccessKeyProvider

_UNRESERVED: Final = "-_.~"


def canonical_query(query: Mapping[str, str]) -> str:
    """Return the query as the API signs it: sorted by name, RFC 3986 encoded, an empty value as `name=`."""
    return "&".join(f"{quote(name, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}" for name, value in sorted(query.items()))


def canonical_path(path: str) -> str:
    """Return the path RFC 3986 encoded, slashes kept."""
    return quote(path, safe=_UNRESERVED + "/")


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


class Acs3Auth(httpx.Auth):
    """Signs each request with a new nonce, the current date and the current key.

    The request must have its operation in the extension `acs_action` and its decoded query in `acs_query`. A retry must be a
    new request: the API refuses a nonce that it has seen.
    """

    def __init__(self, provide_key: AccessKeyProvider, clock: Callable[[], datetime]) -> None:
        self._provide_key = provide_key
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature headers to a request."""
        key = self._provide_key()
        headers = {
            "host": request.headers["host"],
            "x-acs-action": request.extensions["acs_action"],
            "x-acs-version": API_VERSION,
            "x-acs-date": self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-content-sha256": EMPTY_BODY_SHA256,
        }
        if key.security_token:
            headers["x-acs-security-token"] = key.security_token
        headers["authorization"] = sign_request(
            key, request.method, request.extensions["acs_path"], request.extensions["acs_query"], headers
        )
        request.headers.update(headers)
        yield request
