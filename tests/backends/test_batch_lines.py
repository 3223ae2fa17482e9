"""What lines of results mean, however they were broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from webscale_rl.backend import BackendError, BadRequest, ContextTooLong, NoSuchModel, Overloaded, RateLimited, Reply
from webscale_rl.backends.batch_lines import Results, read_result


def row(name: str = "k-0", text: str = "yes", **changes: Any) -> bytes:
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 7}}
    response = {"status_code": 200, "request_id": "r", "body": body}
    line = {"id": "x", "custom_id": name, "response": response, "error": None} | changes
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def read(line: bytes) -> Reply | BackendError | None:
    return read_result(line, where="http://server/v1", model="m")


def test_an_answer_is_a_reply_with_its_usage() -> None:
    reply = read(row())
    assert isinstance(reply, Reply)
    assert (reply.text, reply.usage.prompt_tokens) == ("yes", 7)


def test_what_was_answered_200_is_a_reply_whatever_it_holds() -> None:
    reply = read(row(response={"status_code": 200, "body": {"unheard": "of"}}))
    assert isinstance(reply, Reply)
    assert reply.finish == "malformed"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"response": {"status_code": 400, "body": {"error": {"message": "bad"}}}}, BadRequest),
        ({"response": {"status_code": 429, "body": {"error": {"message": "slow down"}}}}, RateLimited),
        ({"response": {"status_code": 500, "body": None}, "error": {"message": "died"}}, Overloaded),
        ({"response": {"status_code": 404, "body": None}, "error": {"error": {"message": "no model"}}}, NoSuchModel),
        (
            {"response": {"status_code": 400}, "error": {"error": {"message": "maximum context length is 9 tokens"}}},
            ContextTooLong,
        ),
        ({"response": None, "error": {"code": "server_error", "message": "it broke"}}, Overloaded),
    ],
)
def test_an_error_is_an_error_by_its_kind_wherever_it_stands(changes: dict[str, Any], kind: type[BackendError]) -> None:
    assert type(read(row(**changes))) is kind


@pytest.mark.parametrize("code", ["batch_expired", "batch_cancelled"])
def test_what_never_ran_is_neither_answer_nor_error(code: str) -> None:
    assert read(row(response=None, error={"code": code, "message": "..."})) is None
    assert read(row(response=None)) is None


@pytest.mark.parametrize("line", [b"", b"\n", b"{", b"[1]", b'{"id": "no custom_id"}\n', b"\xff\xfe\n", row()[:-30]])
def test_a_torn_line_is_no_line(tmp_path: Path, line: bytes) -> None:
    assert read(line) is None
    path = tmp_path / "results"
    path.write_bytes(row("a-0", "first") + (line if line.endswith(b"\n") else line + b"\n") + row("b-0", "last"))
    results = Results([path], {"a-0", "b-0", "c-0"})
    found = [read(results.get(name) or b"") for name in ("a-0", "b-0", "c-0")]
    assert [reply.text if isinstance(reply, Reply) else reply for reply in found] == ["first", "last", None]


def test_of_several_lines_for_one_request_the_first_answer_counts(tmp_path: Path) -> None:
    failed = row(response={"status_code": 500, "body": None})
    output, errors = tmp_path / "output", tmp_path / "errors"
    output.write_bytes(failed + row(text="one") + row(text="two") + row("stranger-0"))
    errors.write_bytes(failed)
    results = Results([output, errors], {"k-0"})
    reply = read(results.get("k-0") or b"")
    assert isinstance(reply, Reply)
    assert reply.text == "one"
    assert results.get("stranger-0") is None
