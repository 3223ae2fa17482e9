"""The network, behind the seam of `answers.Transport`: HTTP/1.1 with keep-alive, a connection for each call under way.

Written for one kind of call, many at a time: the same few URLs and headers over and over, a body that is known, an
answer that fits into memory. What does not change between calls (URL, headers, proxy) is worked out once. Redirects
are not followed. Certificates are checked against the system's authorities, or those that $SSL_CERT_FILE names.

A call is written once. If a kept connection breaks before a byte of the answer has come, nobody knows whether the
server has begun: that is Unreachable, and whether to pay again is the caller's decision. A kept connection that is
seen to be closed before the call is written is no loss: the call goes to a new one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import math
import re
import socket
import ssl
import urllib.request
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, quote, unquote, urlsplit

import aiohappyeyeballs

from webscale_rl.backend import BackendError, NotConnected, Unreachable
from webscale_rl.backends import connection as wire
from webscale_rl.backends.answers import Answer, Body, origin
from webscale_rl.backends.connection import Connection, Gate, Pool, Sink, reason
from webscale_rl.files import replace_whole

ADDRESSES_S = 10.0
"""How long the addresses of a host are remembered: a thousand calls that begin together ask once."""
HAPPY_EYEBALLS_S = 0.25
"""When the next address is tried beside one that does not answer (RFC 8305, section 5)."""

_PORTS = {"http": 80, "https": 443}
_MOST_ROUTES = 256
_FIELD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SAFE = "/:?#[]@!$&'()*+,;=%~"

_Address = tuple[Any, ...]


class _Route:
    """What is the same for all requests to a URL: the head up to the body's length, and the head of one without body.

    It has no repr that could show a key.
    """

    __slots__ = ("bare", "head", "headers", "pool")

    def __init__(self, head: bytes, bare: bytes, headers: dict[str, str], pool: Pool) -> None:
        self.head = head
        self.bare = bare
        self.headers = headers
        self.pool = pool


class _NoFile(Exception):
    """What was answered is not the file."""


class Http:
    """A Transport. `timeout_s` bounds a whole call, `connect_timeout_s` the time until there is a connection."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._connect_timeout_s = min(connect_timeout_s, timeout_s)
        self._routes: dict[tuple[str, str], _Route] = {}
        self._pools: dict[tuple[str, str, int, Gate | None], Pool] = {}
        self._addresses: dict[tuple[str, int], tuple[float, asyncio.Task[list[_Address]]]] = {}
        self._context: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools.values():
            pool.close()
        for _, task in self._addresses.values():
            task.cancel()
        await asyncio.sleep(0)  # the loop closes the sockets

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: Body = b"", sink: Sink | None = None
    ) -> Answer:
        """The answer, whatever its status. A sink takes the body of a 200 in pieces. Raises Unreachable or TimedOut."""
        route = self._routes.get((method, url))
        if route is None or route.headers != headers:
            route = self._route(method, url, headers)
        begun = self._loop.time()
        connection = route.pool.take(begun) or await self._connect(route.pool)
        pieces = [body] if isinstance(body, bytes) else body
        answered = connection.ask(
            route.head if body else route.bare, pieces if body else (), begun + self._timeout_s, sink
        )
        try:
            outcome = await answered
        except asyncio.CancelledError:
            connection.abandon(answered)
            raise
        if isinstance(outcome, BackendError):
            raise outcome
        return outcome if "content-encoding" not in outcome.headers else _decoded(outcome)

    async def download(self, url: str, headers: Mapping[str, str], path: Path) -> Answer:
        """Fetch a file of any size, whole or not at all: it has its name only when it is whole.

        It may take as long as it moves. An answer other than 200 is given with its body. Raises Unreachable, TimedOut,
        or OSError if the disk does.
        """
        failed: list[OSError] = []

        def save(piece: bytes) -> None:
            try:
                file.write(piece)
            except OSError as error:
                failed.append(error)
                raise  # through the parser, which ends the call

        with contextlib.suppress(_NoFile), replace_whole(path) as temporary:
            with temporary.open("wb") as file:
                try:
                    answer = await self.send("GET", url, headers, sink=save)
                except Unreachable:
                    if failed:
                        raise failed[0] from None
                    raise
            if answer.status != 200:
                raise _NoFile
        return answer

    # where a request goes

    def _route(self, method: str, url: str, headers: Mapping[str, str]) -> _Route:
        parts = urlsplit(url)
        host = _ascii(parts.hostname or "")
        port = parts.port or _PORTS[parts.scheme]
        gate = _gate(parts)
        pool = self._pools.setdefault(
            (parts.scheme, host, port, gate), Pool(parts.scheme, host, port, gate, origin(url), self._timeout_s)
        )
        if len(self._routes) >= _MOST_ROUTES:
            self._routes.clear()
        head = _head(method, parts, headers, pool)
        bare = head + (b"\r\n" if method in ("GET", "DELETE") else b"Content-Length: 0\r\n\r\n")
        route = self._routes[method, url] = _Route(head, bare, dict(headers), pool)
        return route

    # how it gets there

    async def _connect(self, pool: Pool) -> Connection:
        """A new connection. Raises NotConnected."""
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                if pool.gate is None:
                    return await self._open(pool, pool.scheme, pool.host, pool.port)
                if pool.gate.scheme not in _PORTS:
                    raise NotConnected(f"cannot reach {pool.where}: its proxy is {pool.gate.scheme}, and not HTTP")
                if pool.scheme == "http":
                    return await self._open(pool, pool.gate.scheme, pool.gate.host, pool.gate.port)
                return await self._through(pool, pool.gate)
        except socket.gaierror:
            why = "no such host"
        except TimeoutError as error:
            why = reason(error) if error.errno else f"no connection within {self._connect_timeout_s:g} s"
        except OSError as error:
            why = reason(error)
        raise NotConnected(f"cannot reach {pool.where}: {why}")

    async def _open(self, pool: Pool, scheme: str, host: str, port: int, *, tunnel: bool = False) -> Connection:
        addresses = await self._resolve(host, port)
        try:
            opened = await aiohappyeyeballs.start_connection(
                addresses, happy_eyeballs_delay=HAPPY_EYEBALLS_S, interleave=1
            )
        except OSError:
            self._forget(host, port)
            raise
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = self._tls() if scheme == "https" else None
        _, connection = await self._loop.create_connection(
            lambda: Connection(pool, tunnel=tunnel), sock=opened, ssl=context, server_hostname=host if context else None
        )
        return connection

    async def _through(self, pool: Pool, gate: Gate) -> Connection:
        """A connection to a TLS server through its proxy."""
        tunnel = await self._open(pool, gate.scheme, gate.host, gate.port, tunnel=True)
        try:
            outcome = await tunnel.ask(_connect_head(pool, gate), (), math.inf)
            if isinstance(outcome, BackendError):
                raise ConnectionAbortedError(errno.ECONNABORTED, "its proxy hung up")
            if not 200 <= outcome.status < 300:
                raise NotConnected(f"cannot reach {pool.where}: its proxy answered {outcome.status}")
            connection = Connection(pool)
            transport = await self._loop.start_tls(tunnel.transport, connection, self._tls(), server_hostname=pool.host)
            if transport is None:
                raise ConnectionAbortedError(errno.ECONNABORTED, "its proxy hung up")
        except BaseException:
            tunnel.abort()
            raise
        pool.open.discard(tunnel)
        connection.connection_made(transport)
        return connection

    async def _resolve(self, host: str, port: int) -> list[_Address]:
        """The addresses of a host, looked up once for all who ask at the same time."""
        until, task = self._addresses.get((host, port), (0.0, None))
        if task is None or self._loop.time() > until:
            task = self._loop.create_task(self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            self._addresses[host, port] = self._loop.time() + ADDRESSES_S, task
        try:
            return await asyncio.shield(task)
        except OSError:
            self._forget(host, port)
            raise

    def _forget(self, host: str, port: int) -> None:
        """What is known of a host's addresses did not serve: look again next time."""
        self._addresses.pop((host, port), None)

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context


def _head(method: str, parts: SplitResult, headers: Mapping[str, str], pool: Pool) -> bytes:
    """The request line and the headers, without the empty line that ends them."""
    target = quote(parts._replace(scheme="", netloc="", fragment="").geturl() or "/", safe=_SAFE)
    host = _authority(pool, default=_PORTS[pool.scheme])
    lines = {"Host": host, "Accept-Encoding": "identity", **headers}
    if pool.gate is not None and pool.scheme == "http":
        target = f"http://{host}{target}"
        if pool.gate.login:  # under TLS it is for the CONNECT alone; here the proxy reads it off the request
            lines["Proxy-Authorization"] = pool.gate.login
    for name, value in lines.items():
        if not _FIELD.fullmatch(name) or not value.isprintable():
            raise ValueError(f"the header {name!r} holds characters that no header can hold")
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{text}".encode("latin-1")


def _connect_head(pool: Pool, gate: Gate) -> bytes:
    target = _authority(pool)
    login = f"Proxy-Authorization: {gate.login}\r\n" if gate.login else ""
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n".encode("latin-1")


def _authority(pool: Pool, default: int = 0) -> str:
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    return host if pool.port == default else f"{host}:{pool.port}"


def _ascii(host: str) -> str:
    """The host's name as DNS knows it. Raises NotConnected for one that cannot be."""
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        raise NotConnected(f"cannot reach {host}: no such host") from None


def _gate(parts: SplitResult) -> Gate | None:
    """The proxy that the environment names for a server: none for one on this machine, as the loopback of a proxy is
    another one."""
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        return None
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    found = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = ""
    if found.username is not None:
        pair = f"{unquote(found.username)}:{unquote(found.password or '')}".encode()
        login = f"Basic {base64.b64encode(pair).decode()}"
    return Gate(found.scheme, _ascii(found.hostname or ""), found.port or _PORTS.get(found.scheme, 0), login)


def _decoded(answer: Answer) -> Answer:
    """The answer of a server that compresses though it was asked not to: it was paid for."""
    if answer.headers["content-encoding"].strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return answer
    try:
        body = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS).decompress(answer.body, wire.MAX_BODY_BYTES)
    except zlib.error:
        return answer
    return answer._replace(body=body)
