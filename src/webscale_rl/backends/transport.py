"""The network, behind the seam of `answers.Transport`: aiohttp with keep-alive, one session for all calls.

Imported when a backend opens, not before: aiohttp takes a quarter of a second to import.
"""

from __future__ import annotations

import base64
import errno
import io
import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

from webscale_rl.backend import BackendError, TimedOut, Unreachable
from webscale_rl.backends.answers import Answer, NotConnected, origin, plain
from webscale_rl.engine.files import replace_whole

MAX_BODY_BYTES = 32 * 1024 * 1024
# uvicorn, under vLLM and SGLang, closes a connection that was idle for 5 s; ours must be gone before that, or a call
# that is just being written is lost.
KEEP_ALIVE_S = 4.0
_LARGE = 1 << 20

_Route = tuple[URL, dict[str, Any], dict[str, str]]
"""A parsed URL, the options of its proxy, and the headers that its proxy wants to see."""


class Aiohttp:
    """A Transport. `timeout_s` bounds a whole call, `connect_timeout_s` the time until there is a connection."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_timeout_s)
        self._routes: dict[str, _Route] = {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            skip_auto_headers=("Accept", "Accept-Encoding"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """The answer, whatever its status. Raises Unreachable or TimedOut."""
        target, proxy, more = self._routes.get(url) or self._route(url)
        if more:
            headers = {**headers, **more}
        data: Any = body if len(body) < _LARGE else io.BytesIO(body)
        try:
            async with self._session.request(
                method, target, data=data or None, headers=headers, allow_redirects=False, **proxy
            ) as response:
                return Answer(response.status, response.headers, await _read(response.content))
        except (aiohttp.ClientError, OSError) as error:
            failure = self._failure(error, url)
        # Raised out here so that aiohttp's error, which can hold the request's headers, is no part of ours.
        raise failure

    async def download(self, url: str, headers: Mapping[str, str], path: Path) -> Answer:
        """Fetch a file of any size, whole or not at all: it has its name only when it is whole.

        An answer other than 200 is given with its body. Raises Unreachable, TimedOut, or OSError if the disk does.
        """
        target, proxy, more = self._routes.get(url) or self._route(url)
        # what was begun may take as long as it moves
        timeout = aiohttp.ClientTimeout(connect=self._timeout.connect, sock_read=self._timeout.total)
        try:
            async with self._session.get(
                target, headers={**headers, **more}, allow_redirects=False, timeout=timeout, **proxy
            ) as response:
                if response.status != 200:
                    return Answer(response.status, response.headers, await _read(response.content))
                with replace_whole(path) as temporary:
                    await _save(response.content, temporary)
                return Answer(200, response.headers, b"")
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            failure = self._failure(error, url)
        raise failure

    def _route(self, url: str) -> _Route:
        """The parsed URL and its proxy, looked up once: aiohttp's trust_env asks a thread for both on every call."""
        parts = urlsplit(url)
        options: dict[str, Any] = {}
        more: dict[str, str] = {}
        proxy = urllib.request.getproxies().get(parts.scheme)
        if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
            gate = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            options["proxy"] = origin(gate.geturl())
            if gate.username is not None:
                login = f"{unquote(gate.username)}:{unquote(gate.password or '')}".encode()
                word = {"Proxy-Authorization": f"Basic {base64.b64encode(login).decode()}"}
                # Under TLS it is for the CONNECT alone; without, the proxy reads it off the request itself.
                options["proxy_headers"], more = (word, {}) if parts.scheme == "https" else (None, word)
        self._routes[url] = URL(url), options, more
        return self._routes[url]

    def _failure(self, error: BaseException, url: str) -> BackendError:
        where = origin(url)
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return NotConnected(f"cannot reach {where}: no connection within {self._timeout.connect:g} s")
        if isinstance(error, aiohttp.ClientConnectorError):
            return NotConnected(f"cannot reach {where}: {_reason(error)}")
        if isinstance(error, TimeoutError):
            return TimedOut(f"no whole answer from {where} within {self._timeout.total:g} s")
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return Unreachable(f"cannot reach {where}: its proxy answered {error.status}")
        if isinstance(error, aiohttp.ClientResponseError):
            return Unreachable(f"{where} does not answer in HTTP: {plain(error.message)}")
        return Unreachable(f"the connection to {where} was lost: {_reason(error)}")


async def _read(content: aiohttp.StreamReader) -> bytes:
    """The body, cut at the cap: a server cannot fill the memory."""
    chunk = await content.readany()
    if content.at_eof():
        return chunk
    chunks, size = [chunk], len(chunk)
    while size <= MAX_BODY_BYTES and (chunk := await content.readany()):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)[:MAX_BODY_BYTES]


async def _save(content: aiohttp.StreamReader, path: Path) -> None:
    with path.open("wb") as file:
        while chunk := await content.readany():
            file.write(chunk)


def _reason(error: BaseException) -> str:
    """Why a connection failed, in a few words. Never the error's own repr: it can quote headers."""
    cause = getattr(error, "os_error", error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return plain(str(error.certificate_error))
    if isinstance(cause, ssl.SSLError):
        return plain(cause.reason or "TLS failed")
    if isinstance(cause, ConnectionRefusedError) or getattr(cause, "errno", None) == errno.ECONNREFUSED:
        return "connection refused"
    if isinstance(cause, OSError) and cause.errno is not None:
        return plain(cause.strerror or type(cause).__name__)
    if isinstance(cause, aiohttp.ServerDisconnectedError):
        return "the server closed it without an answer"
    if isinstance(cause, aiohttp.ClientPayloadError):
        return "the answer broke off"
    return type(cause).__name__
