"""Sends one signed request and decodes its response.

Nothing here has state that a later request needs, so that this can happen in another process; see processes.py.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from ..arrow.decode import Answer, read_answer
from ..resources import RESOURCES
from ..settings import CONNECT_TIMEOUT_SECONDS
from .errors import CheckSettingsError

_RESOURCES = {resource.table: resource for resource in RESOURCES}


@dataclass(frozen=True)
class Request:
    """A signed GET request of a list operation.

    Attributes:
        url: with its query.
        headers: all that are signed, and the signature.
        table: of the resource that is listed.
        asked: what is asked, by the name under which rows may repeat it.
    """

    url: str
    headers: Mapping[str, str]
    table: str
    asked: Mapping[str, str]


@dataclass(frozen=True)
class Response:
    """The response to a request.

    Attributes:
        status: of HTTP.
        answer: of a success; None where the body is not a complete JSON object.
        reason_phrase: of HTTP.
        headers: of a failure, names in lower case.
        content: the body of a failure.
    """

    status: int
    answer: Answer | None = None
    reason_phrase: str = ""
    headers: Mapping[str, str] | None = None
    content: bytes = b""


class NoResponseError(Exception):
    """A request without a response.

    Args:
        kind: name of the HTTP library's exception.
        message: its text.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True)
class ConnectionSettings:
    """How connections are made.

    Attributes:
        connections: maximum number.
        timeout_seconds: of one attempt.
        uses_proxy: whether the proxies of the environment are used.
    """

    connections: int
    timeout_seconds: float
    uses_proxy: bool


class Exchange:
    """Sends requests and decodes the responses; safe to share between threads.

    Args:
        settings: of the connections.
        authorities: the certificate authorities to trust.
        transport: replaces the network; injected by tests.
    """

    def __init__(
        self, settings: ConnectionSettings, authorities: ssl.SSLContext, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = httpx.Client(
            timeout=httpx.Timeout(settings.timeout_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, settings.timeout_seconds)),
            limits=httpx.Limits(max_connections=settings.connections, max_keepalive_connections=settings.connections),
            trust_env=settings.uses_proxy,
            verify=authorities,
            headers={"accept": "application/json", "user-agent": "emr-usage"},
            transport=transport,
        )

    def __call__(self, request: Request) -> Response:
        """Return the response.

        Raises:
            NoResponseError: there is none, or it cannot be decompressed.
        """
        try:
            response = self._http.get(request.url, headers=request.headers)
        except httpx.RequestError as error:
            raise NoResponseError(type(error).__name__, str(error)) from None
        if response.is_success:
            return Response(response.status_code, read_answer(response.content, _RESOURCES[request.table], request.asked))
        return Response(
            response.status_code,
            reason_phrase=response.reason_phrase,
            headers={name.lower(): value for name, value in response.headers.items()},
            content=response.content,
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()


def trusted_authorities() -> ssl.SSLContext:
    """Return the certificate authorities to trust: those of SSL_CERT_FILE or SSL_CERT_DIR where they are set.

    Raises:
        CheckSettingsError: they cannot be read.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise CheckSettingsError(
            f"The certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be read ({error.strerror or error})",
            advice="Set it to a PEM file, or unset it.",
        ) from None
