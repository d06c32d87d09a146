"""The request to a receiver, on real sockets: receivers that answer, hang, drip, redirect, lie."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from porewatch.adapters.webhooks import request
from porewatch.adapters.webhooks.request import post
from porewatch.domain.webhooks.addresses import Target
from porewatch.domain.webhooks.deliveries import DeliveryCode, Reply

BODY, HEADERS = b'{"a":1}', {"content-type": "application/json", "webhook-id": "msg_1"}
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
Serve = Callable[[socket.socket], None]


def answers(data: bytes) -> Serve:
    def serve(peer: socket.socket) -> None:
        read_all(peer)
        peer.sendall(data)

    return serve


def read_all(peer: socket.socket) -> bytes:
    got = b""
    while not got.endswith(BODY):
        more = peer.recv(65_536)
        if not more:
            break
        got += more
    return got


class Receiver:
    """A server of one thread; `port`, how often it was called, and what it was sent."""

    def __init__(self, serve: Serve, context: ssl.SSLContext | None = None) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.calls, self.sent = self.listener.getsockname()[1], 0, b""
        self.names: list[str | None] = []
        if context is not None:
            context.sni_callback = lambda _s, name, _c: self.names.append(name)
        self._serve, self._context = serve, context
        Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.calls += 1
            try:
                if self._context:
                    peer = self._context.wrap_socket(peer, server_side=True)
                self._serve(peer)
            except OSError:
                pass
            finally:
                peer.close()


@contextmanager
def receiver(serve: Serve, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    made = Receiver(serve, context)
    try:
        yield made
    finally:
        made.listener.close()


def asked(serve: Serve, *, seconds: float = 2.0) -> tuple[Reply, Receiver]:
    with receiver(serve) as made:
        reply = post(
            Target("127.0.0.1", made.port, "/x?y=1", loopback=True), BODY, HEADERS, seconds=seconds
        )
        return reply, made


def test_a_receiver_gets_the_body_and_the_headers() -> None:
    got: list[bytes] = []

    def serve(peer: socket.socket) -> None:
        got.append(read_all(peer))
        peer.sendall(OK)

    reply, made = asked(serve)
    assert reply == Reply(DeliveryCode.ACCEPTED, 200, "ok")
    head, _, body = got[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /x?y=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{made.port}".encode() in head
    assert b"webhook-id: msg_1" in head
    assert body == BODY


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (200, DeliveryCode.ACCEPTED), (204, DeliveryCode.ACCEPTED), (299, DeliveryCode.ACCEPTED),
        (300, DeliveryCode.REFUSED), (304, DeliveryCode.REFUSED), (400, DeliveryCode.REFUSED),
        (410, DeliveryCode.GONE), (500, DeliveryCode.REFUSED), (199, DeliveryCode.REFUSED),
    ],
)  # fmt: skip
def test_only_2xx_is_success(status: int, code: DeliveryCode) -> None:
    reply, _ = asked(answers(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n".encode()))
    assert (reply.code, reply.status) == (code, status)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with receiver(answers(OK)) as inside:
        place = f"http://127.0.0.1:{inside.port}/latest/meta-data"
        text = f"HTTP/1.1 {status} x\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n"
        reply, made = asked(answers(text.encode()))
        assert (reply.code, reply.status) == (DeliveryCode.REDIRECTED, status)
        assert (made.calls, inside.calls) == (1, 0)


def hangs(peer: socket.socket) -> None:
    read_all(peer)
    time.sleep(5)


def drips_a_header(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    for _ in range(100):
        peer.sendall(b"a")
        time.sleep(0.05)


def drips_statuses(peer: socket.socket) -> None:
    for _ in range(100):
        peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize("serve", [hangs, drips_a_header, drips_statuses])
def test_a_slow_receiver_is_given_up_in_time(serve: Serve) -> None:
    began = time.monotonic()
    reply, _ = asked(serve, seconds=0.4)
    assert reply == Reply(DeliveryCode.TIMED_OUT)
    assert time.monotonic() - began < 1.5


def test_a_body_without_end_is_not_waited_for() -> None:
    def drips(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        for _ in range(100):
            peer.sendall(b"a")
            time.sleep(0.05)

    began = time.monotonic()
    reply, _ = asked(drips, seconds=0.4)
    assert (reply.code, reply.status) == (DeliveryCode.ACCEPTED, 200)
    assert time.monotonic() - began < 1.5


def test_of_a_long_answer_the_beginning_is_kept() -> None:
    long = b"HTTP/1.1 500 x\r\ncontent-length: 1000000\r\n\r\n" + b"a" * 1_000_000
    reply, _ = asked(answers(long))
    assert (reply.code, reply.text) == (DeliveryCode.REFUSED, "a" * 200)


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    def floods(peer: socket.socket) -> None:
        read_all(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            peer.sendall(b"a" * 65_536)

    began = time.monotonic()
    assert asked(floods, seconds=5)[0].text == "a" * 200
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no http\r\n\r\n", DeliveryCode.NOT_HTTP),
        (b"HTTP/1.1 abc x\r\n\r\n", DeliveryCode.NOT_HTTP),
        (b"HTTP/1.1 200 x\r\n" + b"a" * 70_000, DeliveryCode.NOT_HTTP),
        (b"", DeliveryCode.NOT_CONNECTED),
    ],
)
def test_what_is_no_http_is_no_success(data: bytes, code: DeliveryCode) -> None:
    assert asked(answers(data))[0].code is code


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    reply = post(Target("127.0.0.1", port, "/", loopback=True), BODY, HEADERS)
    assert reply == Reply(DeliveryCode.NOT_CONNECTED)


def named(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: addresses


@pytest.mark.parametrize(
    "addresses",
    [
        ("169.254.169.254",), ("127.0.0.1",), ("10.0.0.7",), ("::1",), ("fd00:ec2::254",),
        ("93.184.215.14", "127.0.0.1"), ("127.0.0.1", "93.184.215.14"), ("::ffff:127.0.0.1",),
    ],
)  # fmt: skip
def test_a_name_with_an_inner_address_is_not_connected_to(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", connect)
    reply = post(Target("lab.example", 443, "/"), BODY, HEADERS, resolve=named(*addresses))
    assert reply == Reply(DeliveryCode.ADDRESS_REFUSED)


def test_a_name_without_an_address() -> None:
    at = Target("no-such-name.invalid", 443, "/")
    assert post(at, BODY, HEADERS) == Reply(DeliveryCode.NOT_FOUND)
    assert post(at, BODY, HEADERS, resolve=named()) == Reply(DeliveryCode.NOT_FOUND)


def test_a_name_is_looked_up_once_and_the_checked_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that means this machine at the second look (DNS rebinding) is of no use."""
    looks: list[str] = []
    connected: list[str] = []

    def resolve(host: str, _port: int) -> Sequence[str]:
        looks.append(host)
        return ("93.184.215.14",) if len(looks) == 1 else ("127.0.0.1",)

    def connect(address: tuple[str, int], _seconds: float) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    reply = post(Target("lab.example", 443, "/"), BODY, HEADERS, resolve=resolve)
    assert reply == Reply(DeliveryCode.NOT_CONNECTED)
    assert (looks, connected) == (["lab.example"], ["93.184.215.14"])


def test_plain_http_is_for_this_machine_alone() -> None:
    at = Target("lab.example", 9000, "/", loopback=True)
    reply = post(at, BODY, HEADERS, resolve=named("93.184.215.14"))
    assert reply == Reply(DeliveryCode.ADDRESS_REFUSED)


class Certificate:
    """Of an authority of its own for a host name, and who trusts it."""

    def __init__(self, folder: Path, name: str) -> None:
        key, today = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = made.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / "both.pem").write_bytes(private + pem)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(folder / "both.pem")
        self.trust = ssl.create_default_context(cadata=pem.decode())


@pytest.fixture
def lab(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path, "lab.example")


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """For these tests alone, this machine's address counts as one of the public internet."""
    monkeypatch.setattr(request, "is_refused", lambda *_: False)


@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize(
    ("name", "trusted", "code"),
    [
        ("lab.example", True, DeliveryCode.ACCEPTED),
        ("other.example", True, DeliveryCode.NOT_TRUSTED),
        ("lab.example", False, DeliveryCode.NOT_TRUSTED),
    ],
)
def test_the_certificate_must_hold_for_the_name(
    lab: Certificate, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool, code: DeliveryCode
) -> None:
    if trusted:
        monkeypatch.setattr(request, "_trust", lambda: lab.trust)
    with receiver(answers(OK), lab.server) as made:
        reply = post(
            Target(name, made.port, "/"), BODY, HEADERS, resolve=named("127.0.0.1"), seconds=5
        )
        assert reply.code is code
        assert made.names == [name]


def drips_a_handshake(peer: socket.socket) -> None:
    peer.sendall(b"\x16\x03\x03\x3f\x00\x02")
    for _ in range(100):
        peer.sendall(b"\x00")
        time.sleep(0.05)


@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize("serve", [lambda _peer: time.sleep(3), drips_a_handshake])
def test_a_receiver_that_never_shakes_hands_is_given_up(serve: Serve) -> None:
    with receiver(serve) as made:
        began = time.monotonic()
        at = Target("lab.example", made.port, "/")
        reply = post(at, BODY, HEADERS, resolve=named("127.0.0.1"), seconds=0.4)
    assert reply == Reply(DeliveryCode.TIMED_OUT)
    assert time.monotonic() - began < 1.5


@pytest.mark.usefixtures("reachable")
def test_the_second_address_is_tried_when_the_first_does_not_answer(
    lab: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "_trust", lambda: lab.trust)
    with receiver(answers(OK), lab.server) as made:
        reply = post(
            Target("lab.example", made.port, "/"), BODY, HEADERS,
            resolve=named("127.0.0.2", "127.0.0.1", "127.0.0.3"), seconds=5,
        )  # fmt: skip
    assert reply.code is DeliveryCode.ACCEPTED


@pytest.mark.usefixtures("reachable")
def test_time_that_connecting_took_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    create = socket.create_connection

    def slowly(address: tuple[str, int], seconds: float) -> socket.socket:
        time.sleep(pause)
        return create(address, seconds)

    monkeypatch.setattr(socket, "create_connection", slowly)
    for pause in (0.3, 0.6):  # noqa: B007 - `slowly` reads it
        with receiver(drips_a_handshake) as made:
            began = time.monotonic()
            at = Target("lab.example", made.port, "/")
            reply = post(at, BODY, HEADERS, resolve=named("127.0.0.1"), seconds=0.5)
        assert reply == Reply(DeliveryCode.TIMED_OUT)
        assert time.monotonic() - began < 0.7


def test_certificates_are_those_that_the_system_trusts() -> None:
    trust = request._trust()
    assert trust.verify_mode is ssl.CERT_REQUIRED
    assert trust.check_hostname
    assert trust.minimum_version >= ssl.TLSVersion.TLSv1_2
