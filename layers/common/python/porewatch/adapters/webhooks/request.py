"""One signed request to a receiver that a user named: to an address that was checked, in little
time, without following it anywhere.

The name is looked up once, every address of it is checked, and the connection goes to one of those
very addresses: a name that means something else a moment later changes nothing. The certificate
must hold for the name.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Timer

from porewatch.domain.webhooks.addresses import Target, is_refused
from porewatch.domain.webhooks.deliveries import LONGEST_ANSWER, DeliveryCode, Reply

CONNECT_SECONDS = 3.0
SECONDS = 10.0
"""For the whole exchange, however slowly its parts come."""
MOST_ADDRESSES = 2
"""That are tried, of those that a name has."""
ANSWER_BYTES = 4 * LONGEST_ANSWER
_ELSEWHERE = {301, 302, 303, 307, 308}

Resolve = Callable[[str, int], Sequence[str]]


def addresses_of(host: str, port: int) -> tuple[str, ...]:
    """The IP addresses of a name, IPv4 first: functions have no IPv6. OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ordered = sorted(found, key=lambda one: one[0] != socket.AF_INET)
    return tuple(dict.fromkeys(str(one[4][0]) for one in ordered))


def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    *,
    resolve: Resolve = addresses_of,
    seconds: float = SECONDS,
) -> Reply:
    """What the receiver answered, or why there is no answer. Raises nothing."""
    try:
        addresses = resolve(target.host, target.port)
    except (OSError, UnicodeError):
        return Reply(DeliveryCode.NOT_FOUND)
    if not addresses:
        return Reply(DeliveryCode.NOT_FOUND)
    if any(is_refused(address, target) for address in addresses):
        return Reply(DeliveryCode.ADDRESS_REFUSED)
    exchange = _Exchange(target, addresses[:MOST_ADDRESSES], seconds)
    return exchange.reply(body, headers)


@cache
def _trust() -> ssl.SSLContext:
    """Certificates that this system trusts, names checked, TLS 1.2 at least."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Exchange(HTTPConnection):
    """A connection to one of the addresses, ended by a timer when it takes too long."""

    def __init__(self, target: Target, addresses: Sequence[str], seconds: float) -> None:
        super().__init__(target.host, target.port)
        self.default_port = 80 if target.loopback else 443
        self._target, self._addresses, self._seconds = target, addresses, seconds
        self._late = False
        self._socket: socket.socket | None = None
        """Kept, because the connection forgets its own while an answer is still read."""

    def reply(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        timer = Timer(self._seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            self.request("POST", self._target.path, body, dict(headers))
            answer = self.getresponse()
            if self._late:  # what came is no whole answer
                return Reply(DeliveryCode.TIMED_OUT)
            return _judged(answer.status, _beginning(answer))
        except (OSError, HTTPException, ValueError) as error:
            return Reply(DeliveryCode.TIMED_OUT if self._late else _why(error))
        finally:
            timer.cancel()
            self.close()

    def connect(self) -> None:
        """To an address, not to the name."""
        for place, address in enumerate(self._addresses, 1):
            try:
                self.sock = socket.create_connection((address, self.port), CONNECT_SECONDS)
                self._socket = self.sock
                break
            except OSError:
                if place == len(self._addresses) or self._late:
                    raise
        if self._late:  # the timer came before there was anything to end
            raise TimeoutError
        self.sock.settimeout(self._seconds)
        if not self._target.loopback:
            # The shake of hands comes last, so that the timer can end it.
            self.sock = _trust().wrap_socket(
                self.sock, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self._socket = self.sock
            self.sock.do_handshake()

    def _end(self) -> None:
        self._late = True
        if self._socket is not None:
            with suppress(OSError):  # it is closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _beginning(answer: HTTPResponse) -> bytes:
    """Of its body. The status decides; a body that does not come changes nothing."""
    try:
        return answer.read(ANSWER_BYTES)
    except (OSError, HTTPException, ValueError):
        return b""


def _judged(status: int, body: bytes) -> Reply:
    text = body.decode("utf-8", "replace")[:LONGEST_ANSWER]
    if 200 <= status < 300:
        return Reply(DeliveryCode.ACCEPTED, status, text)
    if status in _ELSEWHERE:
        return Reply(DeliveryCode.REDIRECTED, status, text)
    if status == 410:
        return Reply(DeliveryCode.GONE, status, text)
    return Reply(DeliveryCode.REFUSED, status, text)


def _why(error: Exception) -> DeliveryCode:
    if isinstance(error, ssl.SSLCertVerificationError):
        return DeliveryCode.NOT_TRUSTED
    if isinstance(error, TimeoutError):
        return DeliveryCode.TIMED_OUT
    return DeliveryCode.NOT_CONNECTED if isinstance(error, OSError) else DeliveryCode.NOT_HTTP
