"""Verifies ACS3-HMAC-SHA256 request signatures (api.md section 3.1), written from the vendor's text alone."""

import hashlib
import hmac
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote

from .errors import ApiError

ALGORITHM = "ACS3-HMAC-SHA256"
DATE_WINDOW_MS = 15 * 60_000
AUTHORIZATION = re.compile(
    ALGORITHM + r" Credential=(?P<id>[^,]+),SignedHeaders=(?P<signed>[^,]+),Signature=(?P<signature>[0-9a-f]{64})"
)
REQUIRED = ("host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256")


@dataclass(frozen=True)
class AccessKey:
    """A key the API accepts: a lasting one, or a temporary one with its security token and expiry (epoch ms, real time)."""

    id: str
    secret: str
    security_token: str | None = None
    expires_ms: int | None = None


DEFAULT_KEY = AccessKey("LTAI5tEmulatorDefaultKey", "emulator-default-secret")


@dataclass(frozen=True)
class SignedRequest:
    """An HTTP request as it came: the target still encoded, header names in lower case."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = b""


class Nonces:
    """The nonces of the last half hour; an older one cannot come back, because its date is too old by then."""

    KEPT_MS = 2 * DATE_WINDOW_MS
    SWEEP_EVERY = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], int] = {}

    def use(self, access_key_id: str, nonce: str, now_ms: int) -> None:
        """Take a nonce as used.

        Raises:
            ApiError: `SignatureNonceUsed`, when this key has used it before.
        """
        with self._lock:
            if (access_key_id, nonce) in self._seen:
                raise ApiError("SignatureNonceUsed")
            self._seen[access_key_id, nonce] = now_ms
            if len(self._seen) % self.SWEEP_EVERY == 0:
                self._seen = {key: at for key, at in self._seen.items() if now_ms - at <= self.KEPT_MS}

    def clear(self) -> None:
        """Forget every nonce."""
        with self._lock:
            self._seen.clear()


def verify_request(request: SignedRequest, access_keys: Sequence[AccessKey], nonces: Nonces, now_ms: int) -> None:
    """Accept the request, or refuse it as the gateway would.

    Args:
        request: The request as it came.
        access_keys: The keys that are known.
        nonces: Those seen already; this request's is added if everything else is right.
        now_ms: The server's own clock, epoch milliseconds.

    Raises:
        ApiError: With the gateway's code for what is wrong.
    """
    headers = request.headers
    parsed = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if parsed is None:
        raise ApiError("IncompleteSignature", "The Authorization header is missing or malformed.")
    signed = parsed["signed"].split(";")
    _check_signed_headers(signed, headers)
    key = next((key for key in access_keys if key.id == parsed["id"]), None)
    if key is None:
        raise ApiError("InvalidAccessKeyId.NotFound")
    _check_security_token(key, headers.get("x-acs-security-token"), now_ms)
    _check_date(headers["x-acs-date"], now_ms)
    body_hash = hashlib.sha256(request.body).hexdigest()
    if headers["x-acs-content-sha256"] != body_hash:
        raise ApiError("InvalidContentSha256")
    canonical = canonical_request(request, signed, body_hash)
    if not hmac.compare_digest(signature_of(canonical, key.secret), parsed["signature"]):
        raise ApiError("SignatureDoesNotMatch", f"server string to sign is: {canonical!r}")
    nonces.use(key.id, headers["x-acs-signature-nonce"], now_ms)


def canonical_request(request: SignedRequest, signed: Sequence[str], body_hash: str) -> str:
    """The text that is hashed and signed: six parts, one line feed between each.

    Everything is decoded before it is encoded again: the vendor's SDK sends a space as `+` and signs it as `%20`.
    """
    pairs = sorted(parse_qsl(request.query_string, keep_blank_values=True))
    return "\n".join(
        (
            request.method,
            quote(unquote(request.path), safe="/~"),
            "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs),
            "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed),
            ";".join(signed),
            body_hash,
        )
    )


def signature_of(canonical: str, secret: str) -> str:
    """The signature, lower-case hex, of a canonical request."""
    string_to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), string_to_sign.encode(), hashlib.sha256).hexdigest()


def _check_signed_headers(signed: Sequence[str], headers: Mapping[str, str]) -> None:
    if "x-acs-signature-nonce" not in headers:
        raise ApiError("MissingSignatureNonce")
    if list(signed) != sorted(signed):
        raise ApiError("IncompleteSignature", "SignedHeaders is not sorted.")
    wanted = {*REQUIRED, *(name for name in headers if name.startswith("x-acs-"))}
    if missing := sorted(name for name in wanted if name not in headers or name not in signed):
        raise ApiError("IncompleteSignature", f"Missing or not signed: {', '.join(missing)}.")


def _check_security_token(key: AccessKey, token: str | None, now_ms: int) -> None:
    if key.security_token is not None and token is None:
        raise ApiError("MissingSecurityToken")
    if token != key.security_token:
        raise ApiError("InvalidSecurityToken.MismatchWithAccessKey")
    if key.expires_ms is not None and now_ms >= key.expires_ms:
        raise ApiError("InvalidSecurityToken.Expired")


def _check_date(date: str, now_ms: int) -> None:
    try:
        sent = datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ApiError("InvalidTimeStamp.Format") from error
    if abs(sent.timestamp() * 1000 - now_ms) > DATE_WINDOW_MS:
        raise ApiError("InvalidTimeStamp.Expired")
