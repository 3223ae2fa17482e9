"""The lines of batch files: requests as OpenAI's Batch API and `vllm run-batch` take them, results as they give them.

    {"custom_id": "KEY-ATTEMPT", "method": "POST", "url": "/v1/chat/completions", "body": {...}}
    {"id": ..., "custom_id": "KEY-ATTEMPT", "response": {"status_code": 200, "body": {...}}, "error": null}

KEY is the content of the request, ATTEMPT counts the useless answers before: the two name one answer that is paid for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson

from webscale_rl.backend import BackendError, Reply, Request
from webscale_rl.backends.answers import Answer, completion, refusal

ENDPOINT = "/v1/chat/completions"
_NEVER_RUN = re.compile(r"batch_(expired|cancelled|canceled)")
_SERVER_ERROR = 500


class _Response(msgspec.Struct):
    status_code: int = 200
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Result(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Result).decode


def custom_id(request: Request) -> str:
    """The name of the answer that this request would pay for."""
    return f"{request.key.hex()}-{request.attempt}"


def request_line(name: str, body: bytes) -> bytes:
    """One line of a file of requests, with its end."""
    return b'{"custom_id":"%s","method":"POST","url":"%s","body":%s}\n' % (name.encode(), ENDPOINT.encode(), body)


def read_result(line: bytes, *, where: str, model: str, secret: str = "") -> Reply | BackendError | None:
    """What a line says: an answer, an error, or None: the request never ran, or the line is torn."""
    row = _row(line)
    if row is None or (row.response is None and row.error is None):
        return None
    if row.response is not None and row.response.status_code == 200:
        return completion(bytes(row.response.body))
    error = orjson.dumps(row.error)
    if _NEVER_RUN.search(error.decode()):
        return None
    if row.response is None:
        answer = Answer(_SERVER_ERROR, {}, orjson.dumps({"error": row.error}))
    else:
        body = bytes(row.response.body)
        answer = Answer(row.response.status_code, {}, error if body == b"null" else body)
    return refusal(answer, url=where, model=model, secret=secret)


class Results:
    """The results in files, found by custom_id. In memory are their places alone; a line is read when it is asked for.

    Only `wanted` lines count. Of several for one request the first that is an answer does. A torn line is no line.
    """

    def __init__(self, paths: Iterable[Path], wanted: Collection[str]) -> None:
        self._places: dict[str, tuple[Path, int, int]] = {}
        answered: set[str] = set()
        for path in paths:
            for place, line in _lines(path):
                row = _row(line)
                if row is None or row.custom_id not in wanted or row.custom_id in answered:
                    continue
                self._places[row.custom_id] = (path, place, len(line))
                if row.response is not None and row.response.status_code == 200:
                    answered.add(row.custom_id)

    def get(self, name: str) -> bytes | None:
        """The line of a request; None if there is none. Raises OSError."""
        if name not in self._places:
            return None
        path, place, size = self._places[name]
        with path.open("rb") as file:
            file.seek(place)
            return file.read(size)


def _row(line: bytes) -> _Result | None:
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    place = 0
    with path.open("rb") as file:
        for line in file:
            yield place, line
            place += len(line)
