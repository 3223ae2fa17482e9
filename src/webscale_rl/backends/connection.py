"""One HTTP/1.1 connection, and the pool of those to one server.

A request goes out in one write, its answer comes in through llhttp, and the connection is free for the next call.

Not covered: pipelining, HTTP/2, upgrades, and bodies that are sent before they are known.
"""

from __future__ import annotations

import asyncio
import errno
import math
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httptools

from webscale_rl.backend import BackendError, NotConnected, TimedOut, Unreachable
from webscale_rl.backends.answers import Answer, plain

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 32 * 1024 * 1024
# uvicorn, under vLLM and SGLang, closes a connection that was idle for 5 s; ours must be gone before that, or a call
# that is just being written is lost.
KEEP_ALIVE_S = 4.0

Sink = Callable[[bytes], None]

Outcome = Answer | BackendError
"""What a call comes to. Errors are handed over as values: one that nobody awaits any more is no warning."""


@dataclass(frozen=True)
class Gate:
    """A proxy. `login` is the header that it wants to see, or nothing; it holds a password."""

    scheme: str
    host: str
    port: int
    login: str = field(repr=False)


@dataclass(eq=False)
class Pool:
    """The connections to one server: all that are open, and the idle ones, youngest last.

    A server behind another proxy is another one. `where` is its origin, for people. One alarm serves the deadlines of
    all calls: a timer for each would cost a tenth of a call.
    """

    scheme: str
    host: str
    port: int
    gate: Gate | None
    where: str
    timeout_s: float
    open: set[Connection] = field(default_factory=set)
    idle: deque[Connection] = field(default_factory=deque)
    alarm_at: float = math.inf
    alarm: asyncio.TimerHandle | None = None

    def take(self, now: float) -> Connection | None:
        """The connection that was used last: the longer one is idle, the likelier its server is to close it."""
        idle = self.idle
        while idle and now - idle[0].idle_since > KEEP_ALIVE_S:
            idle.popleft().close()
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    def close(self) -> None:
        """Drop all connections; calls that are under way are lost."""
        self.idle.clear()
        if self.alarm is not None:
            self.alarm.cancel()
        for connection in list(self.open):
            connection.abort()

    def wake_at(self, deadline: float) -> None:
        """Look at the deadlines then, or sooner. In the loop's time."""
        if deadline < self.alarm_at:
            if self.alarm is not None:
                self.alarm.cancel()
            self.alarm_at = deadline
            self.alarm = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        # a loop's clock may tick in milliseconds
        now = max(asyncio.get_running_loop().time(), self.alarm_at)
        self.alarm_at, self.alarm = math.inf, None
        for connection in [one for one in self.open if one.deadline <= now]:
            connection.expire()
        self.wake_at(min((one.deadline for one in self.open), default=math.inf))


class Connection(asyncio.Protocol):
    """Takes one call at a time, and lies in its pool between calls.

    A `tunnel` is a connection to a proxy for the sake of a server behind it: its answer ends with the head.
    """

    def __init__(self, pool: Pool, *, tunnel: bool = False) -> None:
        self.idle_since = 0.0
        self.deadline = math.inf
        self._pool = pool
        self._where = pool.where
        self._tunnel = tunnel
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._outcome: asyncio.Future[Outcome] | None = None
        self._parser: Any = httptools.HttpResponseParser(self)
        self._forget()

    def _forget(self) -> None:
        self._received = 0
        self._status = 0
        self._keep = False
        self._answer: Answer | None = None
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._sink: Sink | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """What carries it. Raises ConnectionAbortedError if it is lost."""
        if self._transport is None:
            raise ConnectionAbortedError(errno.ECONNABORTED, "the other side hung up")
        return self._transport

    @property
    def usable(self) -> bool:
        """Whether a call can be written to it, as far as is known."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(
        self, head: bytes, body: Sequence[bytes], deadline: float, sink: Sink | None = None
    ) -> asyncio.Future[Outcome]:
        """Write a request; the future comes to its answer or, by the deadline in the loop's time, to an error.

        `head` is whole if there is no body; else it lacks the last header, which is the body's length, and its end.
        A sink takes the body of a 200 in pieces, however long that is; each piece puts the deadline off.
        """
        assert self._outcome is None, "one call at a time"
        self._outcome = outcome = self._loop.create_future()
        if self._transport is None:  # gone as soon as it stood: nothing was asked
            self._end(NotConnected(f"cannot reach {self._where}: it closes connections at once"))
            return outcome
        self._sink = sink
        self.deadline = deadline
        if deadline < self._pool.alarm_at:
            self._pool.wake_at(deadline)
        if body:
            self._transport.writelines([b"%sContent-Length: %d\r\n\r\n" % (head, sum(map(len, body))), *body])
        else:
            self._transport.write(head)
        return outcome

    def abandon(self, outcome: asyncio.Future[Outcome]) -> None:
        """Nobody waits for this call any more: hang up, so that the server stops working on it."""
        if self._outcome is outcome:
            self.abort()

    def close(self) -> None:
        """Close it in order. For a connection without a call."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop it. A call that is under way is lost."""
        if self._transport is not None:
            self._transport.abort()

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast(asyncio.Transport, transport)
        self._pool.open.add(self)

    def data_received(self, data: bytes) -> None:
        """A piece of the answer."""
        if self._outcome is None:  # speaks without being asked: what it says next could be taken for an answer
            self.abort()
            return
        self._received += len(data)
        wrong = ""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            wrong = "it changes the protocol"
        except httptools.HttpParserError as error:
            wrong = plain(str(error))
        if self._answer is not None:
            self._end(self._answer, keep=self._keep and not wrong)
        elif wrong:
            self._end(self._not_http(wrong))
        elif not self._status and self._received > MAX_HEAD_BYTES:
            self._end(self._not_http(f"its headers are longer than {MAX_HEAD_BYTES // 1024} KiB"))
        elif self._sink is not None and self._status == 200:
            self.deadline = self._loop.time() + self._pool.timeout_s
        elif self._received > MAX_BODY_BYTES:
            self._end(Answer(self._status, self._headers, b"".join(self._chunks)[:MAX_BODY_BYTES]))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._transport = None
        self._pool.open.discard(self)
        if self._outcome is not None:
            if exc is None and self._status and self._ends_with_connection():
                self._end(Answer(self._status, self._headers, b"".join(self._chunks)))
            elif exc is not None:
                self._end(self._lost(reason(exc)))
            else:
                self._end(self._lost("the answer broke off" if self._received else "closed without an answer"))
        self._parser = None  # it holds our methods: a circle

    # what llhttp tells

    def on_message_begin(self) -> None:
        """A message; more than one means that this connection cannot be trusted with another call."""
        if self._answer is not None:
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        if not self._status:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is whole. Heads below 200 announce another one."""
        if self._status:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._headers = {}
            return
        self._status = status
        self._keep = self._parser.should_keep_alive()
        if self._tunnel:
            self._answer = Answer(status, self._headers, b"")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._answer is None:
            if self._sink is not None and self._status == 200:
                self._sink(body)
            else:
                self._chunks.append(body)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._status and self._answer is None:
            chunks = self._chunks
            self._answer = Answer(self._status, self._headers, chunks[0] if len(chunks) == 1 else b"".join(chunks))

    # how calls end

    def expire(self) -> None:
        """The deadline of its call has come."""
        self._end(TimedOut(f"no whole answer from {self._where} within {self._pool.timeout_s:g} s"))

    def _end(self, outcome: Outcome, *, keep: bool = False) -> None:
        """Hand the outcome over. The connection is free for the next call, or closed: what was not read is unknown."""
        future = self._outcome
        assert future is not None
        self._outcome = None
        self.deadline = math.inf
        if not future.done():
            future.set_result(outcome)
        if self._tunnel and isinstance(outcome, Answer):
            return
        self._forget()
        transport = self._transport
        if transport is None:
            return
        if not keep or transport.get_write_buffer_size():  # answered before it was asked: the rest would follow
            transport.abort()
        elif not transport.is_closing():
            self.idle_since = self._loop.time()
            self._pool.idle.append(self)

    def _ends_with_connection(self) -> bool:
        coding = self._headers.get("transfer-encoding", "")
        return "content-length" not in self._headers and "chunked" not in coding.lower()

    def _not_http(self, why: str) -> BackendError:
        return Unreachable(f"{self._where} does not answer in HTTP: {why}")

    def _lost(self, why: str) -> BackendError:
        return Unreachable(f"the connection to {self._where} was lost: {why}")


def reason(error: BaseException) -> str:
    """Why a connection failed, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return plain(
            f"its certificate is not valid here ({error.verify_message}); an authority of your own goes into a file"
            " that $SSL_CERT_FILE names"
        )
    if isinstance(error, ssl.SSLError):
        return plain(error.reason or "TLS failed")
    if isinstance(error, ConnectionRefusedError) or getattr(error, "errno", None) == errno.ECONNREFUSED:
        return "connection refused"
    if isinstance(error, OSError) and error.errno is not None:
        return plain(error.strerror or type(error).__name__)
    return type(error).__name__
