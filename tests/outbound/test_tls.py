"""Certificates belong to the name in the URL, and handshakes keep the deadline."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.errors import DeliveryFailed, UnusableUrl
from chalicelib.outbound import Outbound
from tests.outbound.places import PUBLIC_V4, Dialler, Names
from tests.stubs.hostile_http import DRIP_SECONDS, SOON, HostileServer

NAME = "images.example"


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this process trusts, as it would trust the system's."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


@pytest.fixture
def asked_for() -> list[str | None]:
    return []


@pytest.fixture
def server(authority: trustme.CA, asked_for: list[str | None]) -> Iterator[HostileServer]:
    context = server_context(authority, NAME)
    context.sni_callback = lambda _sock, name, _context: asked_for.append(name)
    with HostileServer(tls=context) as running:
        yield running


def outbound_to(port: int) -> Outbound:
    names = Names({NAME: [[PUBLIC_V4]], "other.example": [[PUBLIC_V4]]})
    return Outbound(allow_private=False, allowed_ports=frozenset(), resolve=names, dial=Dialler(port))


def test_the_pinned_connection_asks_for_and_checks_the_certificate_of_the_name(
    server: HostileServer, asked_for: list[str | None]
) -> None:
    assert outbound_to(server.port).get(f"https://{NAME}/ok", max_bytes=10, deadline=5).body == b"fine"
    assert asked_for == [NAME]


def test_a_post_over_tls_carries_its_body(server: HostileServer) -> None:
    body = bytes(300_000)
    reply = outbound_to(server.port).post(f"https://{NAME}/ok", body=body, headers={}, deadline=5)
    assert (reply.status, server.requests[-1].body) == (200, body)


def test_the_certificate_of_another_name_is_refused(server: HostileServer) -> None:
    outbound = outbound_to(server.port)
    with pytest.raises(UnusableUrl):
        outbound.get("https://other.example/ok", max_bytes=10, deadline=5)
    with pytest.raises(DeliveryFailed, match="certificate"):
        outbound.post("https://other.example/ok", body=b"", headers={}, deadline=5)
    assert server.requests == []


def test_a_certificate_that_only_calls_itself_by_the_name_is_refused(
    authority: trustme.CA, tmp_path: Path
) -> None:
    """Its common name is what anybody may call anything; a browser looks at alternative names alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(without_alternative_names(authority, tmp_path / "named.pem"))
    with HostileServer(tls=context) as server:
        with pytest.raises(DeliveryFailed, match="certificate"):
            outbound_to(server.port).post(f"https://{NAME}/ok", body=b"", headers={}, deadline=5)
        assert server.requests == []


def without_alternative_names(authority: trustme.CA, path: Path) -> Path:
    """The file of a key and a certificate for it, which the authority has signed."""
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    signer = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(signer, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    clear = serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, clear)
    path.write_bytes(secret + made.public_bytes(pem))
    return path


def test_the_certificate_of_an_unknown_authority_is_refused(authority: trustme.CA) -> None:
    with HostileServer(tls=server_context(trustme.CA(), NAME)) as server:
        with pytest.raises(UnusableUrl):
            outbound_to(server.port).get(f"https://{NAME}/ok", max_bytes=10, deadline=5)
        assert server.requests == []


def test_a_redirect_from_https_to_http_is_refused(server: HostileServer) -> None:
    with pytest.raises(UnusableUrl):
        outbound_to(server.port).get(f"https://{NAME}/to/http%3A%2F%2F{NAME}%2Fok", max_bytes=10, deadline=5)
    assert [request.path for request in server.requests] == [f"/to/http%3A%2F%2F{NAME}%2Fok"]


def test_a_server_that_speaks_no_tls_is_a_failed_delivery(authority: trustme.CA) -> None:
    ours, theirs = socket.socketpair()
    outbound = Outbound(allow_private=False, allowed_ports=frozenset(), dial=lambda *_: ours)
    theirs.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with theirs, pytest.raises(DeliveryFailed, match="TLS"):
        outbound.post(f"https://{PUBLIC_V4}/ok", body=b"", headers={}, deadline=5)


@pytest.mark.parametrize("path", ["/drip-headers", "/silent"])
def test_the_deadline_holds_over_tls(server: HostileServer, path: str) -> None:
    started = time.monotonic()
    with pytest.raises(DeliveryFailed):
        outbound_to(server.port).post(f"https://{NAME}{path}", body=b"", headers={}, deadline=1)
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize(
    "greeting", [b"", b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb" + bytes(500)], ids=["silent", "drip"]
)
def test_the_deadline_holds_against_a_slow_handshake(authority: trustme.CA, greeting: bytes) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        drip = threading.Thread(target=drip_to_one, args=(listener, greeting, over))
        drip.start()
        started = time.monotonic()
        with pytest.raises(DeliveryFailed, match="in time"):
            outbound_to(listener.getsockname()[1]).post(f"https://{NAME}/", body=b"", headers={}, deadline=1)
        assert time.monotonic() - started < SOON
        over.set()
        drip.join()


def drip_to_one(listener: socket.socket, data: bytes, over: threading.Event) -> None:
    sock, _ = listener.accept()
    with sock:
        for position in range(len(data)):
            if over.wait(DRIP_SECONDS):
                return
            sock.sendall(data[position : position + 1])
        over.wait(10)
