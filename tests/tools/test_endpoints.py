from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tools.endpoints import BrokenOff, EndpointRefused, Unreachable, endpoint, post


def _all_of(peer: socket.socket) -> bytes:
    """What the client says until it falls silent: closing on unread bytes would reset it."""
    peer.settimeout(0.1)
    said = b""
    with suppress(TimeoutError):
        while more := peer.recv(65_536):
            said += more
    peer.settimeout(None)
    return said


@contextmanager
def _peer(reply: bytes, *, drip: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback that answers each connection with `reply`, and what it was sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                peer = listener.accept()[0]
            except OSError:
                return
            with peer:
                heard.append(_all_of(peer))
                try:
                    peer.sendall(reply)
                    while drip and not ended.wait(0.02):
                        peer.sendall(b"x")
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.mark.parametrize(
    "url",
    [
        "http://filings.example.org/",
        "ftp://filings.example.org/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/",
        "https://",
        "https:///path",
        "//filings.example.org/",
        "filings.example.org",
        "",
        "https://user:secret@filings.example.org/",
        "https://user@filings.example.org/",
        "https://filings.example.org/#part",
        "https://filings.example.org:99999/",
        "https://[::1/",
        "http://localhost.example.org/",
        "http://127.0.0.2/",
        "http://127.1/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_an_address_that_is_not_https_is_refused_before_any_connection(url: str) -> None:
    with pytest.raises(EndpointRefused):
        endpoint(url, may_be_loopback=True)


def test_plain_http_is_for_a_test_desk_on_this_machine_only() -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        url = f"http://{host}:8002/filings?x=1"
        found = endpoint(url, may_be_loopback=True)
        assert (found.port, found.path, found.loopback) == (8002, "/filings?x=1", True)
        with pytest.raises(EndpointRefused):
            endpoint(url, may_be_loopback=False)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "0",
        "0.0.0.0",
        "10.0.0.5",
        "172.16.9.9",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fc00::1]",
        "[ff02::1]",
    ],
)
def test_no_connection_is_made_to_an_address_inside(host: str) -> None:
    with _peer(b"HTTP/1.1 200 OK\r\n\r\n") as (port, heard):
        where = endpoint(f"https://{host}:{port}/", may_be_loopback=False)
        with pytest.raises((EndpointRefused, Unreachable)):
            post(where, body=b"{}", headers={}, timeout_s=2)
    assert heard == []


def test_a_name_that_leads_inside_is_refused_even_beside_a_public_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        for address in ("93.184.216.34", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    where = endpoint("https://filings.example.org/", may_be_loopback=False)
    with pytest.raises(EndpointRefused, match=r"leads to 127\.0\.0\.1"):
        post(where, body=b"{}", headers={}, timeout_s=2)


def test_the_address_judged_is_the_address_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that gives another answer the second time gains nothing."""
    answers = iter(["127.0.0.1", "10.9.9.9"])
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *rest: object, **more: object) -> object:
        if host != "localhost":
            return real(host, port, *rest, **more)  # type: ignore[arg-type]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    reply = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
    with _peer(reply) as (port, heard):
        where = endpoint(f"http://localhost:{port}/", may_be_loopback=True)
        assert post(where, body=b"{}", headers={}, timeout_s=2).status == 201
    assert len(heard) == 1


def test_a_request_goes_out_whole_and_the_answer_comes_back() -> None:
    reply = b"HTTP/1.1 422 No\r\nContent-Length: 4\r\nX-Why: because\r\n\r\nword"
    with _peer(reply) as (port, heard):
        where = endpoint(f"http://127.0.0.1:{port}/filings", may_be_loopback=True)
        answer = post(where, body=b'{"a":1}', headers={"Idempotency-Key": "k"}, timeout_s=2)
    assert (answer.status, answer.body, answer.headers["X-Why"]) == (422, b"word", "because")
    assert heard[0].startswith(b"POST /filings HTTP/1.1\r\n")
    assert b"Idempotency-Key: k\r\n" in heard[0]


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with _peer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (elsewhere, heard_there):
        location = f"http://127.0.0.1:{elsewhere}/".encode()
        reply = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
        with _peer(reply) as (port, _):
            where = endpoint(f"http://127.0.0.1:{port}/", may_be_loopback=True)
            assert post(where, body=b"{}", headers={}, timeout_s=2).status == 302
    assert heard_there == []


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with _peer(reply) as (proxy, heard_by_proxy), _peer(reply) as (port, heard):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        where = endpoint(f"http://127.0.0.1:{port}/", may_be_loopback=True)
        post(where, body=b"{}", headers={}, timeout_s=2)
    assert (len(heard), heard_by_proxy) == (1, [])


def test_nobody_there_means_that_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        where = endpoint(f"http://127.0.0.1:{unused.getsockname()[1]}/", may_be_loopback=True)
        with pytest.raises(Unreachable):
            post(where, body=b"{}", headers={}, timeout_s=2)


def test_a_name_nobody_knows_means_that_nothing_was_sent() -> None:
    where = endpoint("https://filings.invalid/", may_be_loopback=False)
    with pytest.raises(Unreachable, match=r"filings\.invalid"):
        post(where, body=b"{}", headers={}, timeout_s=2)


def test_a_server_that_does_not_speak_tls_gets_nothing() -> None:
    with _peer(b"220 mail.example.org ESMTP\r\n") as (port, heard):
        where = endpoint(f"https://localhost:{port}/", may_be_loopback=True)
        with pytest.raises(Unreachable):
            post(where, body=b"secret", headers={}, timeout_s=2)
    assert b"secret" not in b"".join(heard)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 2xx OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
    ],
)
def test_half_an_answer_is_no_answer(reply: bytes) -> None:
    with _peer(reply) as (port, _):
        where = endpoint(f"http://127.0.0.1:{port}/", may_be_loopback=True)
        with pytest.raises(BrokenOff):
            post(where, body=b"{}", headers={}, timeout_s=2)


@pytest.mark.parametrize(
    "beginning", [b"HTTP/1.1 200 OK\r\nX-Y: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_server_that_drips_is_left_at_the_deadline(beginning: bytes) -> None:
    with _peer(beginning, drip=True) as (port, _):
        where = endpoint(f"http://127.0.0.1:{port}/", may_be_loopback=True)
        began = time.monotonic()
        with pytest.raises(BrokenOff):
            post(where, body=b"{}", headers={}, timeout_s=0.5)
        assert time.monotonic() - began < 1.5


def test_a_huge_answer_is_read_no_further_than_it_matters() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000
    with _peer(reply) as (port, _):
        where = endpoint(f"http://127.0.0.1:{port}/", may_be_loopback=True)
        assert len(post(where, body=b"{}", headers={}, timeout_s=5).body) == 262_144
