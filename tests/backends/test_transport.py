"""Laws of the HTTP client, against servers that write what they like, on both event loops."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import itertools
import socket
import ssl
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.backend import NotConnected, TimedOut, Unreachable
from webscale_rl.backends import connection
from webscale_rl.backends.answers import Answer
from webscale_rl.backends.transport import Http

KEY = "sk-test-0123456789abcdef"
HEADERS = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
FAR = "far-away.test"
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


def on_each_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs a test on asyncio's own loop and on uvloop."""

    def run(new_loop: Callable[[], asyncio.AbstractEventLoop], **fixtures: Any) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(asyncio.wait_for(test(**fixtures), 60))

    mine = inspect.Parameter("new_loop", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = inspect.Signature([mine, *inspect.signature(test).parameters.values()])  # type: ignore[attr-defined]
    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return pytest.mark.parametrize("new_loop", LOOPS.values(), ids=LOOPS)(run)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@dataclass
class Heard:
    """A server's books: its URL, and of each request the number of its connection, its head and its body."""

    url: str = ""
    port: int = 0
    connections: int = 0
    hung_up: int = 0
    over: bool = False
    requests: list[tuple[int, str, bytes]] = field(default_factory=list)


@asynccontextmanager
async def server(
    play: Play | bytes, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Heard]:
    """Reads whole requests; each is answered by these bytes, or by `play(reader, writer, number of the request)`."""
    heard = Heard()
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())  # type: ignore[arg-type]
        heard.connections += 1
        number = heard.connections
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = head.lower().partition("content-length: ")[2].partition("\r")[0]
                heard.requests.append((number, head, await reader.readexactly(int(length or 0))))
                if isinstance(play, bytes):
                    writer.write(play)
                    await writer.drain()
                else:
                    await play(reader, writer, len(heard.requests))
        except (asyncio.IncompleteReadError, OSError):
            heard.hung_up += 1
        except asyncio.CancelledError:
            return
        finally:
            writer.transport.abort() if heard.over else writer.close()

    async with await asyncio.start_server(talk, host, 0, ssl=tls) as listening:
        heard.port = listening.sockets[0].getsockname()[1]
        place = f"[{host}]" if ":" in host else host
        heard.url = f"{'https' if tls else 'http'}://{place}:{heard.port}/v1/x?y=z"
        yield heard
        heard.over = True
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks)
        await asyncio.sleep(0.01)


async def until(true: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def client(timeout_s: float = 20.0, connect_timeout_s: float = 20.0) -> Http:
    return Http(timeout_s, connect_timeout_s)


async def post(http: Http, heard: Heard, body: bytes = b"{}") -> Answer:
    return await http.send("POST", heard.url, HEADERS, body)


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def answer(body: bytes, *headers: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    lines = [f"HTTP/{version} {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def without_key(error: BaseException) -> str:
    """The error's message, after a look for the key in all that it carries along."""
    shown = "".join(traceback.format_exception(error))
    chain: BaseException | None = error
    while chain is not None:
        shown += repr(chain) + repr(vars(chain))
        chain = chain.__cause__ or chain.__context__
    assert KEY not in shown
    assert "\n" not in str(error)
    return str(error)


CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: no\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nX-One: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;name=value\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nX-Late: 2\r\n\r\n"
)


class _Sink(asyncio.Transport):
    """Takes what is written, and says when it was dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.dropped

    def abort(self) -> None:
        self.dropped = True

    close = abort


@given(st.lists(st.integers(0, len(CHUNKED))), st.sampled_from([b"", b"x", b"HTTP/1.1 200 OK\r\n", answer(b"forged")]))
def test_an_answer_is_the_same_however_it_is_cut(cuts: list[int], excess: bytes) -> None:
    async def feed() -> None:
        pool = connection.Pool("http", "h", 80, None, "http://h", 60.0)
        one, sink = connection.Connection(pool), _Sink()
        one.connection_made(sink)
        places = [0, *sorted(cuts), len(CHUNKED)]
        pieces = [CHUNKED[start:end] for start, end in itertools.pairwise(places)]
        answered = one.ask(b"GET / HTTP/1.1\r\n\r\n", (), 1e9)
        for piece in [*pieces[:-1], pieces[-1] + excess]:
            if piece:
                one.data_received(piece)
        assert await answered == Answer(200, {"x-one": "1", "transfer-encoding": "chunked"}, b"hello 0123456789")
        assert sink.dropped == bool(excess)
        assert pool.take(asyncio.get_running_loop().time()) is (None if excess else one)
        pool.close()

    asyncio.run(feed())


async def test_a_connection_that_is_gone_before_it_is_asked_is_none() -> None:
    one = connection.Connection(connection.Pool("http", "h", 80, None, "http://h", 60.0))
    one.connection_made(_Sink())
    one.connection_lost(None)
    assert not one.usable
    assert isinstance(await one.ask(b"GET / HTTP/1.1\r\n\r\n", (), 1e9), NotConnected)


@on_each_loop
async def test_a_request_is_written_as_http_wants_it() -> None:
    async with server(answer(b"ok", "X-Some: Thing")) as heard, client() as http:
        got = await post(http, heard, "[1, 2, 'ü']".encode())
        await http.send("GET", heard.url, HEADERS)
        await http.send("POST", heard.url.replace("y=z", "y=ü b"), {})
    assert got == Answer(200, {"content-length": "2", "x-some": "Thing"}, b"ok")
    lines = f"Host: 127.0.0.1:{heard.port}\r\nAccept-Encoding: identity\r\n"
    mine = f"{lines}Content-Type: application/json\r\nAuthorization: Bearer {KEY}\r\n"
    assert heard.requests == [
        (1, f"POST /v1/x?y=z HTTP/1.1\r\n{mine}Content-Length: 12\r\n\r\n", "[1, 2, 'ü']".encode()),
        (1, f"GET /v1/x?y=z HTTP/1.1\r\n{mine}\r\n", b""),
        (1, f"POST /v1/x?y=%C3%BC%20b HTTP/1.1\r\n{lines}Content-Length: 0\r\n\r\n", b""),
    ]


@on_each_loop
async def test_many_calls_at_once_get_each_its_own_answer() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(answer(heard.requests[-1][2]))

    async with server(echo) as heard, client() as http:
        for _ in range(2):
            bodies = [b"%d" % number * (1 + 97 * number) for number in range(100)]
            got = await asyncio.gather(*(post(http, heard, body) for body in bodies))
            assert [one.body for one in got] == bodies
        assert heard.connections <= 100
        large = b"x" * 8_000_000
        assert (await post(http, heard, large)).body == large


@on_each_loop
async def test_headers_may_change_between_calls() -> None:
    async with server(answer(b"ok")) as heard, client() as http:
        headers = {"X-One": "1"}
        await http.send("GET", heard.url, headers)
        headers["X-One"] = "2"
        await http.send("GET", heard.url, headers)
    assert ["X-One: 1" in head for _, head, _ in heard.requests] == [True, False]
    assert "X-One: 2" in heard.requests[1][1]


async def test_a_header_that_would_add_another_is_refused_without_being_shown() -> None:
    async with client() as http:
        for name, value in {"X": f"{KEY}\r\nX-Injected: 1", "X: 1\r\nY": KEY, "": KEY}.items():
            with pytest.raises(ValueError, match="no header can hold") as raised:
                await http.send("GET", "http://127.0.0.1:1/", {name: value})
            without_key(raised.value)


BROKEN = {
    b"": "closed without an answer",
    b"HTTP/1.1 200 OK\r\nContent-Le": "the answer broke off",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf": "the answer broke off",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n": "the answer broke off",
    b"SSH-2.0-OpenSSH_9.6\r\n\r\n": "does not answer in HTTP",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n": "does not answer in HTTP",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": "does not answer in HTTP",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n": "does not answer in HTTP",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n": "does not answer in HTTP",
}


@on_each_loop
async def test_an_answer_that_breaks_off_is_unreachable_and_asked_for_once() -> None:
    for sent, why in BROKEN.items():

        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
            writer.write(answer(b"ok") if number == 1 else sent)  # noqa: B023
            if number > 1:
                writer.close()

        async with server(play) as heard, client() as http:
            assert (await post(http, heard)).status == 200
            with pytest.raises(Unreachable, match=why) as raised:
                await post(http, heard)
        assert not isinstance(raised.value, NotConnected), sent
        assert f"http://127.0.0.1:{heard.port}" in without_key(raised.value)
        assert [number for number, _, _ in heard.requests] == [1, 1], sent


@on_each_loop
async def test_a_body_that_ends_with_its_connection_is_whole_unless_that_was_reset() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall of it")
        await writer.drain()
        if number > 1:
            await asyncio.sleep(0.05)  # what was sent is read before the reset throws it away
            end = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, end)
            writer.transport.abort()
        writer.close()

    async with server(play) as heard, client() as http:
        assert (await post(http, heard)).body == b"all of it"
        with pytest.raises(Unreachable, match="was lost: Connection reset"):
            await post(http, heard)
    assert [number for number, _, _ in heard.requests] == [1, 2]


@on_each_loop
async def test_a_connection_is_kept_and_used_again() -> None:
    async with server(answer(b"ok")) as heard:
        async with client() as http:
            for _ in range(3):
                assert (await post(http, heard)).body == b"ok"
            assert heard.connections == 1
        await until(lambda: heard.hung_up == 1)  # the client has closed what it kept


NOT_KEPT = [
    answer(b"ok", "Connection: close"),
    answer(b"ok", version="1.0"),
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\x00\x01\x02",
]


@on_each_loop
async def test_a_connection_that_cannot_be_trusted_is_not_used_again() -> None:
    for sent in NOT_KEPT:
        async with server(sent) as heard, client() as http:
            for _ in range(2):
                assert (await post(http, heard)).body == b"ok"
            assert heard.connections == 2, sent


@on_each_loop
async def test_what_a_server_says_unasked_is_no_answer() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(answer(b"ok"))
        if number == 1:
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(answer(b"forged"))

    async with server(play) as heard, client() as http:
        assert (await post(http, heard)).body == b"ok"
        await until(lambda: heard.hung_up == 1)
        assert (await post(http, heard)).body == b"ok"


@on_each_loop
async def test_an_old_connection_is_closed_and_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(answer(b"ok")) as heard, client() as http:
        await post(http, heard)
        monkeypatch.setattr(connection, "KEEP_ALIVE_S", -1.0)
        await post(http, heard)
        assert heard.connections == 2
        await until(lambda: heard.hung_up == 1)


@on_each_loop
async def test_a_kept_connection_that_was_closed_meanwhile_loses_no_call() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(answer(b"ok"))
        writer.close()

    async with server(play) as heard, client() as http:
        for _ in range(3):
            assert (await post(http, heard)).body == b"ok"
            await until(lambda: not next(iter(http._pools.values())).open)
        assert [number for number, _, _ in heard.requests] == [1, 2, 3]


@on_each_loop
async def test_a_body_longer_than_the_cap_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_BODY_BYTES", 1000)
    async with server(answer(b"x" * 500_000)) as heard, client() as http:
        for _ in range(2):
            assert (await post(http, heard)).body == b"x" * 1000
        assert heard.connections == 2


@pytest.mark.parametrize("line", [b"X: " + b"y" * 65_530 + b"\r\n", b"y" * 65_536], ids=["many", "endless"])
@on_each_loop
async def test_headers_without_end_do_not_fill_the_memory(line: bytes) -> None:
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while written < 100_000_000:
            writer.write(line)
            written += len(line)
            await writer.drain()

    async with server(flood) as heard, client() as http:
        with pytest.raises(Unreachable, match="headers are longer than 64 KiB"):
            await post(http, heard)
        await until(lambda: heard.hung_up == 1)
    assert written < 30_000_000


@on_each_loop
async def test_no_whole_answer_in_time_is_a_timeout_and_the_connection_is_dropped() -> None:
    for sent in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno"):
        async with server(sent) as heard, client(timeout_s=0.1) as http:
            with pytest.raises(TimedOut, match=r"no whole answer from http://127.0.0.1:\d+ within 0.1 s") as raised:
                await post(http, heard)
            without_key(raised.value)
            await until(lambda: heard.hung_up == 1)


@on_each_loop
async def test_every_call_has_its_own_deadline() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        if heard.requests[-1][2] == b"slow":
            await reader.read(1)
        await asyncio.sleep(0.2)
        writer.write(answer(b"ok"))

    async with server(play) as heard, client(timeout_s=0.5) as http:
        slow = asyncio.create_task(post(http, heard, b"slow"))
        for _ in range(4):  # answers that come before and after the slow one's deadline
            assert (await post(http, heard)).body == b"ok"
        assert isinstance(slow.exception(), TimedOut)


@on_each_loop
async def test_a_cancelled_call_hangs_up_and_leaves_the_others_alone() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        if heard.requests[-1][2] == b"ask":
            writer.write(answer(b"ok"))

    async with server(play) as heard, client() as http:
        waiting = [asyncio.create_task(post(http, heard, b"wait")) for _ in range(3)]
        await until(lambda: len(heard.requests) == 3)
        for task in waiting[:2]:
            task.cancel()
        assert (await post(http, heard, b"ask")).body == b"ok"
        await until(lambda: heard.hung_up == 2)
        assert not waiting[2].done()
    assert isinstance((await asyncio.gather(waiting[2], return_exceptions=True))[0], Unreachable)


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[int, list[asyncio.Future[bytes]]]]:
    """A server that takes connections, says nothing, and knows all that it was sent when a connection has ended."""
    accepted: list[asyncio.Future[bytes]] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(asyncio.get_running_loop().create_future())
        accepted[-1].set_result(await reader.read())
        writer.close()

    async with await asyncio.start_server(keep, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1], accepted
        await asyncio.wait_for(asyncio.gather(*accepted), 20)


@on_each_loop
async def test_a_cancelled_connect_leaves_nothing_behind() -> None:
    async with silent() as (port, accepted), client() as http:
        task = asyncio.create_task(http.send("GET", f"https://127.0.0.1:{port}/", HEADERS))
        await until(lambda: len(accepted) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        sent = await asyncio.wait_for(accepted[0], 20)
        assert sent  # TLS's first message, and then the end
        assert KEY.encode() not in sent


@on_each_loop
async def test_without_a_connection_nothing_was_asked() -> None:
    async with silent() as (port, _), client(connect_timeout_s=0.1) as http:
        with pytest.raises(NotConnected, match=r"no connection within 0.1 s"):
            await http.send("GET", f"https://127.0.0.1:{port}/", HEADERS)
    async with client() as http:
        with pytest.raises(NotConnected, match="connection refused") as raised:
            await http.send("GET", f"http://127.0.0.1:{port}/", HEADERS)
        without_key(raised.value)
        with pytest.raises(NotConnected, match="no such host"):
            await http.send("GET", "http://no-such-host.invalid/", HEADERS)
        with pytest.raises(NotConnected, match="no such host"):
            await http.send("GET", f"http://{'ü' * 80}.invalid/", HEADERS)


@on_each_loop
async def test_an_answer_may_come_before_the_request_is_read() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"" if b"GET" in head else b"too large", status="413 Content Too Large"))
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0, limit=1024) as listening, client() as http:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        got = await http.send("POST", url, {}, b"x" * 30_000_000)
        assert (got.status, got.body) == (413, b"too large")
        assert (await http.send("GET", url, {})).status == 413  # over a new connection: the rest was not sent


@on_each_loop
async def test_an_answer_without_a_body_is_whole_at_once() -> None:
    for sent in (b"HTTP/1.1 204 No Content\r\n\r\n", answer(b""), b"HTTP/1.1 304 Not Modified\r\n\r\n"):
        async with server(sent) as heard, client() as http:
            for _ in range(2):
                assert (await post(http, heard)).body == b""
            assert heard.connections == 1


@on_each_loop
async def test_an_answer_that_is_compressed_against_our_wish_is_not_lost() -> None:
    packed = answer(gzip.compress(b"paid for"), "Content-Encoding: gzip")
    odd = answer(b"as it is", "Content-Encoding: gzip")
    async with server(packed) as heard, server(odd) as other, client() as http:
        assert (await post(http, heard)).body == b"paid for"
        assert (await post(http, other)).body == b"as it is"


@on_each_loop
async def test_a_compressed_body_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_BODY_BYTES", 1_000_000)
    async with server(answer(gzip.compress(b"0" * 50_000_000), "Content-Encoding: gzip")) as heard, client() as http:
        assert len((await post(http, heard)).body) == 1_000_000


@on_each_loop
async def test_a_file_is_fetched_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_BODY_BYTES", 1000)
    content = b"0123456789" * 500_000
    path = tmp_path / "file.jsonl"
    async with server(answer(content)) as heard, client() as http:
        for _ in range(2):
            got = await http.download(heard.url, HEADERS, path)
            assert got == Answer(200, {"content-length": str(len(content))}, b"")
            assert path.read_bytes() == content
        assert heard.connections == 1
    path.unlink()
    broken = answer(content)[:-1]
    for sent in (broken, answer(b"no", status="404 Not Found")):

        async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
            writer.write(sent)  # noqa: B023
            writer.close()

        async with server(play) as heard, client() as http:
            if sent is broken:
                with pytest.raises(Unreachable, match="broke off"):
                    await http.download(heard.url, HEADERS, path)
            else:
                assert await http.download(heard.url, HEADERS, path) == Answer(404, {"content-length": "2"}, b"no")
        assert files(tmp_path) == []


@on_each_loop
async def test_a_file_may_take_longer_than_a_call_as_long_as_it_moves(tmp_path: Path) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
        for _ in range(6 if number == 1 else 3):
            writer.write(b"ab")
            await asyncio.sleep(0.2)

    async with server(drip) as heard, client(timeout_s=0.8) as http:
        await http.download(heard.url, HEADERS, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == b"ab" * 6
        with pytest.raises(TimedOut):
            await http.download(heard.url, HEADERS, tmp_path / "file")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no device that is full")
@on_each_loop
async def test_a_full_disk_is_no_fault_of_the_server(tmp_path: Path) -> None:
    (tmp_path / ".file.tmp").symlink_to("/dev/full")
    async with server(answer(b"x" * 1_000_000)) as heard, client() as http:
        with pytest.raises(OSError, match="No space left"):
            await http.download(heard.url, HEADERS, tmp_path / "file")
    assert files(tmp_path) == []


def _has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")
@on_each_loop
async def test_a_server_may_have_an_address_of_either_family(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(answer(b"ok"), "::1") as six, server(answer(b"ok")) as four, client() as http:
        assert (await post(http, six)).body == b"ok"
        assert f"Host: [::1]:{six.port}\r\n" in six.requests[0][1]

        async def both(host: str, port: int) -> list[Any]:
            loop = asyncio.get_running_loop()
            found = [await loop.getaddrinfo(one, port, type=socket.SOCK_STREAM) for one in ("::1", "127.0.0.1")]
            return [*found[0], *found[1]]

        monkeypatch.setattr(http, "_resolve", both)
        for heard in (six, four):
            assert (await http.send("GET", f"http://localhost:{heard.port}/", {})).body == b"ok"


# TLS and proxies


def certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's authority is one of the system's."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@on_each_loop
async def test_tls_is_checked_against_ssl_cert_file(authority: trustme.CA, trusted: None) -> None:
    tls = certified(authority, "127.0.0.1")
    async with server(answer(b"ok"), tls=tls) as heard, client() as http:
        for _ in range(3):
            assert (await post(http, heard, b"x" * 200_000)).body == b"ok"
        assert heard.connections == 1
        assert f"Host: 127.0.0.1:{heard.port}\r\n" in heard.requests[0][1]
    async with server(answer(b"ok"), tls=certified(authority, "elsewhere.test")) as heard, client() as http:
        with pytest.raises(NotConnected, match=r"its certificate is not valid here \(.*mismatch"):
            await post(http, heard)


@on_each_loop
async def test_a_certificate_that_nobody_vouches_for_is_refused(authority: trustme.CA) -> None:
    async with server(answer(b"ok"), tls=certified(authority, "127.0.0.1")) as heard, client() as http:
        with pytest.raises(NotConnected, match=r"certificate is not valid here .*\$SSL_CERT_FILE") as raised:
            await post(http, heard)
        without_key(raised.value)
    assert heard.requests == []


def tunnel(target: Heard) -> Play:
    """A proxy that takes every CONNECT to the same server."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                sink.write(data)
            sink.close()

        there, back = await asyncio.open_connection("127.0.0.1", target.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
        try:
            await asyncio.gather(pump(reader, back), pump(there, writer))
        finally:
            back.transport.abort()

    return play


@pytest.mark.parametrize("gate", ["http", "https"])
@on_each_loop
async def test_a_tls_server_is_reached_through_a_proxy(
    gate: str, authority: trustme.CA, trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = certified(authority, "localhost") if gate == "https" else None
    async with (
        server(answer(b"ok"), tls=certified(authority, FAR)) as target,
        server(tunnel(target), tls=tls) as proxy,
        client() as http,
    ):
        monkeypatch.setenv("https_proxy", f"{gate}://user:p%40ss@localhost:{proxy.port}")
        for body in (b"one", b"two" * 100_000):
            assert (await http.send("POST", f"https://{FAR}/v1/x", HEADERS, body)).body == b"ok"
        assert len(proxy.requests) == 1
        asked = proxy.requests[0][1]
        assert asked.startswith(f"CONNECT {FAR}:443 HTTP/1.1\r\nHost: {FAR}:443\r\n")
        assert "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in asked
        assert KEY not in asked
        assert not any(secret in repr(http._pools) for secret in ("dXNlcjpwQHNz", "p@ss", "p%40ss"))
        assert [head.split("\r\n")[0] for _, head, _ in target.requests] == ["POST /v1/x HTTP/1.1"] * 2
        assert all(f"Host: {FAR}\r\n" in head and "Proxy-" not in head for _, head, _ in target.requests)


@on_each_loop
async def test_a_request_without_tls_names_its_server_to_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(answer(b"ok")) as proxy, server(answer(b"here")) as here, client() as http:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        assert (await http.send("POST", f"http://{FAR}:8000/v1/x?y=z", HEADERS, b"{}")).body == b"ok"
        assert (await http.send("POST", "http://other.test/", HEADERS, b"{}")).body == b"ok"
        assert (await post(http, here)).body == b"here"  # never what is on this machine
        monkeypatch.setenv("no_proxy", "third.invalid")
        with pytest.raises(NotConnected, match="no such host"):
            await http.send("GET", "http://third.invalid/", {})
    lines = [head.split("\r\n")[:2] for _, head, _ in proxy.requests]
    assert lines == [
        [f"POST http://{FAR}:8000/v1/x?y=z HTTP/1.1", f"Host: {FAR}:8000"],
        ["POST http://other.test/ HTTP/1.1", "Host: other.test"],
    ]


@on_each_loop
async def test_a_proxy_that_lets_nobody_through_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        writer.close()

    async with (
        server(answer(b"", status="407 Proxy Authentication Required")) as refuses,
        server(hang_up) as breaks,
        server(b"") as hangs,
    ):
        said = {
            f"http://127.0.0.1:{refuses.port}": "its proxy answered 407",
            f"http://127.0.0.1:{breaks.port}": "its proxy hung up",
            f"http://127.0.0.1:{hangs.port}": "no connection within 0.2 s",
            "socks5://127.0.0.1:1080": "its proxy is socks5, and not HTTP",
            "http://127.0.0.1:1": "connection refused",
        }
        for proxy, why in said.items():
            monkeypatch.setenv("https_proxy", proxy)
            async with client(connect_timeout_s=0.2 if "0.2" in why else 20.0) as http:
                with pytest.raises(NotConnected, match=f"cannot reach https://{FAR}: {why}") as raised:
                    await http.send("GET", f"https://{FAR}/", HEADERS)
                without_key(raised.value)
                if str(hangs.port) in proxy:
                    await until(lambda: hangs.hung_up == 1)
