"""Bytes, up to the point where they go bad.

Two kinds of trouble never mix: what the machine could not read (permission, network) is a CorpusError, for the data may
be fine and a second run may read it; what was read and makes no sense is Broken, and becomes an Unreadable.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar, cast

from webscale_rl.corpus.record import CorpusError, File, UnreadableReason, printable, shown

BLOCK = 256 * 1024
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_WINDOW = 2**27  # what the zstd command takes without --long
_T = TypeVar("_T")


class Broken(Exception):
    """Data that ends early or does not decompress. All blocks before it were handed out."""

    def __init__(self, reason: UnreadableReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Stream(io.RawIOBase):
    """An open file whose every failure is a CorpusError, kept in `failure`.

    Kept, because a decoder in between may make its own exception of it: what failed while `failure` is set is no fault
    of the data.
    """

    def __init__(self, file: File) -> None:
        self.file = file
        self.failure: CorpusError | None = None
        self.taken = 0
        self._raw: IO[bytes] = self._guarded(lambda: _open(file.url))

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        data = self._guarded(lambda: self._raw.read(size))
        self.taken += len(data)
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Moves to a position."""
        return self._guarded(lambda: self._raw.seek(offset, whence))

    def tell(self) -> int:
        """The position."""
        return self._guarded(lambda: self._raw.tell())

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """As the file is."""
        return self._guarded(lambda: self._raw.seekable())

    def close(self) -> None:
        """Closes the file."""
        if hasattr(self, "_raw"):
            self._raw.close()
        super().close()

    def check(self) -> None:
        """Raises the failure, if there was one."""
        if self.failure is not None:
            raise self.failure

    def _guarded(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except Exception as error:  # every fsspec file system has exceptions of its own
            self.failure = unreachable(self.file.url, error)
            raise self.failure from error


def _open(url: str) -> IO[bytes]:
    if "://" not in url:
        return cast(IO[bytes], Path(url).open("rb", buffering=0))
    import fsspec

    return cast(IO[bytes], fsspec.open(url, "rb").open())


def unreachable(url: str, error: Exception) -> CorpusError:
    """What to tell people when the machine failed, without the secrets that the URL may hold."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    reason = printable(reason.replace(url, shown(url)))
    return CorpusError(f"{shown(url)}: cannot read it ({type(error).__name__}: {reason})")


def blocks(stream: Stream) -> Iterator[bytes]:
    """The file in blocks of at most BLOCK bytes, decompressed if it begins like gzip or zstd. Raises Broken."""
    first = stream.read(BLOCK)
    ending = stream.file.shown.lower()
    if first.startswith(_GZIP):
        yield from _gunzip(_Pushed(first, stream))
    elif first.startswith(_ZSTD) or _is_skippable(first):
        _check_window(first, stream.file)
        yield from _unzstd(_Pushed(first, stream))
    elif ending.endswith((".gz", ".zst")):
        kind = "gzip" if ending.endswith(".gz") else "zstd"
        raise Broken("corrupt_archive" if first else "truncated", f"does not begin like {kind}")
    else:
        while first:
            yield first
            first = stream.read(BLOCK)


def read_whole(stream: Stream, limit: int) -> tuple[bytes, Iterator[bytes]]:
    """Up to about `limit` bytes and what comes after: nothing, if the file was no longer. Raises Broken."""
    rest = blocks(stream)
    parts: list[bytes] = []
    size = 0
    for block in rest:
        parts.append(block)
        size += len(block)
        if size > limit:
            break
    return b"".join(parts), rest


class _Pushed:
    """A stream whose first block was read already. Feeds every byte that goes by to `watch`."""

    def __init__(self, first: bytes, stream: Stream) -> None:
        self._first = first
        self._stream = stream
        self.watch: Callable[[bytes], None] = lambda data: None

    def read(self, size: int) -> bytes:
        data, self._first = self._first[:size], self._first[size:]
        data = data or self._stream.read(size)
        self.watch(data)
        return data


def _gunzip(source: _Pushed) -> Iterator[bytes]:
    # zlib by hand, for gzip.open loses what it had decoded when the archive turns out to be cut.
    engine, whole, data = zlib.decompressobj(31), True, b""
    while True:
        data = data or source.read(BLOCK // 4)
        if not data:
            if not whole:
                raise Broken("truncated", "the gzip archive ends early")
            return
        try:
            block = engine.decompress(data, BLOCK)
        except zlib.error as error:
            raise Broken("corrupt_archive", str(error)) from error
        if block:
            yield block
        whole, data = engine.eof, engine.unconsumed_tail
        if engine.eof:
            data = engine.unused_data.lstrip(b"\0")  # tapes pad with zeros
            engine = zlib.decompressobj(31)


def _unzstd(source: _Pushed) -> Iterator[bytes]:
    import zstandard

    frames = _ZstdFrames()
    source.watch = frames.feed
    engine = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    with engine.stream_reader(cast(IO[bytes], source), read_size=BLOCK // 4, read_across_frames=True) as reader:
        while True:
            try:
                block = reader.read(BLOCK)
            except zstandard.ZstdError as error:
                raise Broken("corrupt_archive", str(error)) from error
            if not block:
                break
            yield block
    if not frames.at_boundary:
        raise Broken("truncated", "the zstd archive ends early")


def _check_window(first: bytes, file: File) -> None:
    """Raises CorpusError for an archive that is sound but made to be unpacked with gigabytes of memory."""
    import zstandard

    try:
        window = zstandard.get_frame_parameters(first).window_size
    except zstandard.ZstdError:
        return
    if window > _WINDOW:
        raise CorpusError(f"{file.shown}: needs {window} bytes of memory to unpack (zstd --long); compress it without")


def _is_skippable(data: bytes) -> bool:
    return len(data) >= 4 and data[0] & 0xF0 == 0x50 and data[1:4] == b"\x2a\x4d\x18"


class _ZstdFrames:
    """Knows whether the bytes so far end where a frame ends: zstandard takes a cut archive for a whole one.

    Reads only the lengths of frames and blocks (RFC 8878); whether what is in them is sound is for zstandard to say.
    """

    def __init__(self) -> None:
        self._state = "magic"
        self._header = b""
        self._skip = 0
        self._checksum = False

    @property
    def at_boundary(self) -> bool:
        return self._state == "magic" and not self._header and not self._skip

    def feed(self, data: bytes) -> None:
        position = 0
        while position < len(data):
            if self._skip:
                step = min(self._skip, len(data) - position)
                self._skip -= step
                position += step
                continue
            wanted = {"magic": 4, "size": 4, "descriptor": 1, "block": 3}[self._state] - len(self._header)
            self._header += data[position : position + wanted]
            position += wanted
            if position <= len(data):
                header, self._header = self._header, b""
                self._enter(header)

    def _enter(self, header: bytes) -> None:
        number = int.from_bytes(header, "little")
        if self._state == "magic":
            self._state = "size" if _is_skippable(header) else "descriptor"
        elif self._state == "size":
            self._skip, self._state = number, "magic"
        elif self._state == "descriptor":
            single = number >> 5 & 1
            self._checksum = bool(number >> 2 & 1)
            self._skip = (1 - single) + (0, 1, 2, 4)[number & 3] + (single, 2, 4, 8)[number >> 6]
            self._state = "block"
        else:
            last, run_length = number & 1, number >> 1 & 3 == 1
            self._skip = (1 if run_length else number >> 3) + (4 if last and self._checksum else 0)
            self._state = "magic" if last else "block"
