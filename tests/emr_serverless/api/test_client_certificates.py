"""Untrusted certificates are rejected with advice; SSL_CERT_FILE adds a certificate authority."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emr_serverless.api.client import Client, RequestStats
from emr_serverless.api.credentials import AccessKey
from emr_serverless.api.errors import CheckSettingsError, ReachEndpointError
from emr_serverless.resources.workspaces import WORKSPACES


def now() -> datetime:
    return datetime.now(UTC)


def self_signed(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 and its key into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a company's proxy")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now() - timedelta(days=1), now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "certificate.pem").write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return folder / "certificate.pem"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"workspaces": [{"workspaceId": "w-1"}], "totalCount": 1}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path)


@pytest.fixture
def endpoint(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that refuses breaks off
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


def names(endpoint: str) -> list[object]:
    client = Client(provide_key=lambda: AccessKey("id", "secret"), clock=now, endpoint=endpoint, max_connections=1)
    try:
        return list(client.fetch_page(WORKSPACES, "cn-hangzhou", "*", RequestStats()).records.column("workspaceId"))
    finally:
        client.close()


def test_a_self_signed_certificate_is_rejected_with_advice(endpoint: str) -> None:
    with pytest.raises(ReachEndpointError) as caught:
        names(endpoint)
    said = str(caught.value)
    assert said.startswith(f"The certificate of {endpoint.removeprefix('https://')} was refused: self-signed certificate")
    assert "Set SSL_CERT_FILE to a PEM file" in said


def test_ssl_cert_file_makes_a_certificate_trusted(endpoint: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert names(endpoint) == ["w-1"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_certificate_file_is_reported_as_an_invalid_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content:
        (tmp_path / "authorities.pem").write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    with pytest.raises(CheckSettingsError, match="The certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be read"):
        names("https://127.0.0.1:9")
