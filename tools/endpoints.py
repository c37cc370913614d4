"""Speaking HTTP to an address from our own table: pinned, direct, and never redirected."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from tools.deadline import cut_after

MAX_ANSWER_BYTES = 262_144


class EndpointRefused(Exception):
    """The address itself is not one we speak to; nothing was sent."""


class Unreachable(Exception):
    """No connection came about, so nothing was sent."""


class BrokenOff(Exception):
    """The conversation broke after it began: the other side may have acted on the request."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A checked address. `loopback` only for a test desk on this machine, over plain HTTP."""

    host: str
    port: int
    path: str
    secure: bool
    loopback: bool


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def endpoint(url: str, *, may_be_loopback: bool) -> Endpoint:
    """Return the parts of `url`, or raise EndpointRefused.

    https always; only with `may_be_loopback` also http, and then to this machine alone.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EndpointRefused(f"its address cannot be read ({error})") from None
    host = parts.hostname or ""
    loopback = may_be_loopback and host in ("127.0.0.1", "::1", "localhost")
    if not host or parts.username or parts.password or parts.fragment:
        raise EndpointRefused("its address has no host, or holds a name or password")
    if parts.scheme != "https" and not (loopback and parts.scheme == "http"):
        raise EndpointRefused("its address is not an https one")
    secure = parts.scheme == "https"
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return Endpoint(
        host=host,
        port=port or (443 if secure else 80),
        path=path,
        secure=secure,
        loopback=loopback,
    )


def post(to: Endpoint, *, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
    """POST once and return the answer, whatever its status, within `timeout_s` in all.

    Raises EndpointRefused, Unreachable, or BrokenOff. No proxy is asked, no redirect followed.
    """
    return _exchange(to, "POST", to.path, body=body, headers=headers, timeout_s=timeout_s)


def get(to: Endpoint, *, below: str, headers: Mapping[str, str], timeout_s: float) -> Answer:
    """GET what lies at `below` under the endpoint's path; the rest is as for `post`."""
    path = f"{to.path.partition('?')[0].rstrip('/')}/{quote(below, safe='')}"
    return _exchange(to, "GET", path, body=None, headers=headers, timeout_s=timeout_s)


def _exchange(
    to: Endpoint,
    method: str,
    path: str,
    *,
    body: bytes | None,
    headers: Mapping[str, str],
    timeout_s: float,
) -> Answer:
    connection = _connection(to, timeout_s=timeout_s)
    try:
        connection.connect()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise Unreachable(str(error) or type(error).__name__) from error
    try:
        with cut_after(timeout_s, connection.sock) as cut:
            connection.request(method, path, body=body, headers=dict(headers))
            answer = _answer(connection.getresponse())
        if cut.is_set():
            raise TimeoutError(f"no whole answer within {timeout_s:.1f} s")
        return answer
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise BrokenOff(str(error) or type(error).__name__) from error
    finally:
        connection.close()


def _answer(response: http.client.HTTPResponse) -> Answer:
    body = response.read(MAX_ANSWER_BYTES)
    if response.length and len(body) < MAX_ANSWER_BYTES:  # read() takes a break for the end
        raise http.client.IncompleteRead(body, response.length)
    return Answer(status=response.status, headers=dict(response.headers.items()), body=body)


def _connection(to: Endpoint, *, timeout_s: float) -> http.client.HTTPConnection:
    address = _pinned(to)
    if not to.secure:
        plain = http.client.HTTPConnection(to.host, to.port, timeout=timeout_s)
        plain._create_connection = _to(address)  # type: ignore[attr-defined]
        return plain
    secured = http.client.HTTPSConnection(
        to.host, to.port, timeout=timeout_s, context=ssl.create_default_context()
    )
    secured._create_connection = _to(address)  # type: ignore[attr-defined]
    return secured


def _to(address: str):  # type: ignore[no-untyped-def]
    """Return a connector that ignores the name: it was looked up, and judged, once."""

    def connect(named: tuple[str, int], timeout: float, source: object = None) -> socket.socket:
        return socket.create_connection((address, named[1]), timeout)

    return connect


def _pinned(to: Endpoint) -> str:
    """Return the one address to connect to; every address behind the name must be acceptable."""
    try:
        found = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {to.host} is not known ({error})") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        plain = getattr(address, "ipv4_mapped", None) or address
        if not (plain.is_loopback if to.loopback else plain.is_global and not plain.is_multicast):
            raise EndpointRefused(f"{to.host} leads to {address}, which is not a public address")
    return str(addresses[0])
