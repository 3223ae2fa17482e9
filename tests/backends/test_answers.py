"""What the answers of all kinds of servers mean: the errors and the replies."""

from __future__ import annotations

import email.utils
import time
from typing import Any

import orjson
import pytest

from webscale_rl import backend
from webscale_rl.backend import BackendError, Reply, Usage
from webscale_rl.backends.answers import MAX_MALFORMED_BYTES, Answer, completion, refusal


def said(status: int, message: str = "", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, orjson.dumps({"error": {"message": message, "code": None}}))


def failure(answer: Answer) -> BackendError:
    return refusal(answer, url="http://h/v1", model="model")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3"}, 3.0),
        ({"retry_after": "0.25"}, 0.25),
        ({"retry_after": "-5"}, 0.0),
        ({"retry_after": "9", "retry_after_ms": "1500"}, 1.5),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "99999999"}, 86_400.0),
        ({"retry_after": "Mon, 99 Foo 2026 99:99:99 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_or_left_alone(headers: dict[str, str], seconds: float | None) -> None:
    assert failure(said(429, "slow down", **headers)).retry_after_s == seconds


def test_retry_after_may_be_a_date() -> None:
    date = email.utils.formatdate(time.time() + 20, usegmt=True)
    seconds = failure(said(503, "busy", retry_after=date)).retry_after_s
    assert seconds is not None
    assert 15 < seconds <= 20


TOO_LONG = [
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    "This model's maximum context length is 4096 tokens and your request has 4200 input tokens",
    "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 2048 tokens",
    "The decoder prompt (length 10127) is longer than the maximum model length of 8192.",
    "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it",
    "the request exceeds the available context size. try increasing the context size or enable context shift",
    "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
    "Input length (160062 tokens) exceeds the maximum allowed length (59862 tokens).",
    "Requested token count exceeds the model's maximum context length of 32768 tokens.",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",
    "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000",
    "the input length exceeds the context length",
    "Requested tokens (2285) exceed context window of 2048",
    "prompt is too long: 208310 tokens > 200000 maximum",
    "The input token count (40000) exceeds the maximum number of tokens allowed (32768).",
    "Prompt is 11543 tokens but the model context window is 4096 tokens.",
    "Please reduce the length of the messages or completion.",
]


@pytest.mark.parametrize("message", TOO_LONG)
def test_every_server_s_context_error_is_known(message: str) -> None:
    assert type(failure(said(400, message))) is backend.ContextTooLong


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(404, {}, b'{"detail":"Not Found"}'), backend.NoSuchModel, "does base_url end in /v1?"),
        (Answer(404, {}, b"<html>nginx</html>"), backend.NoSuchModel, "does base_url end in /v1?"),
        (said(404, "The model `x` does not exist"), backend.NoSuchModel, "no model 'model' here ("),
        (said(400, "Model Not Exist"), backend.NoSuchModel, "Model Not Exist"),
        (said(402, "Insufficient Balance"), backend.Unauthorized, "Insufficient Balance"),
        (said(403, "your input was flagged by moderation"), backend.BadRequest, "flagged"),
        (said(500, "Context size has been exceeded."), backend.ContextTooLong, "exceeded"),
        (said(429, "Request too large for gpt on tokens per min"), backend.ContextTooLong, "too large"),
        (Answer(503, {}, b""), backend.Overloaded, "no reason given"),
        (Answer(400, {}, b'{"object":"error","message":"bad thing","code":400}'), backend.BadRequest, "bad thing"),
        (Answer(422, {}, b'{"detail":[{"loc":["body","top_k"],"msg":"nope"}]}'), backend.BadRequest, "nope"),
        (Answer(400, {}, b'{"error":"ollama says no"}'), backend.BadRequest, "ollama says no"),
        (Answer(400, {}, b"[" * 100_000), backend.BadRequest, "400 from http://h"),
    ],
)
def test_errors_are_told_as_the_server_meant_them(answer: Answer, kind: type[BackendError], words: str) -> None:
    error = failure(answer)
    assert type(error) is kind
    assert words in str(error)


def test_an_error_message_is_one_short_printable_line() -> None:
    error = failure(said(500, "a\x1b[31mred\x00\u202e\r\nb" + "é" * 5000))
    assert len(str(error)) <= 300
    assert str(error).isprintable()


def _completion(**parts: Any) -> bytes:
    return orjson.dumps({"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}], **parts})


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (b"", Reply("", "malformed")),
        (b"null", Reply("null", "malformed")),
        (b"{}", Reply("{}", "malformed")),
        (b'{"error": {"message": "upstream"}}', Reply('{"error": {"message": "upstream"}}', "malformed")),
        (b'{"choices": 5}', Reply('{"choices": 5}', "malformed")),
        (b'{"choices": null}', Reply("", "empty")),
        (b'{"choices": [{}]}', Reply("")),
        (
            b'{"choices": [{"message": {"content": ["a", {"type": "text", "text": "b"}, {"type": "image"}]}}]}',
            Reply("ab"),
        ),
        (b'{"choices": [{"message": {"content": "\\ud83d!"}}]}', Reply("?!")),
        (b'\n\n {"choices": [{"message": {"content": "late"}}]}', Reply("late")),
        (b'{"choices": [{"message": {"content": "\xff"}}]}', Reply("\ufffd")),
        (_completion(usage=None, model=None), Reply("x")),
        (_completion(usage={"prompt_tokens": "7", "completion_tokens": -1}), Reply("x")),
        (
            _completion(
                model="m",
                usage={
                    "prompt_tokens": 9,
                    "completion_tokens": 4.0,
                    "prompt_tokens_details": {"cached_tokens": 8},
                    "completion_tokens_details": {"reasoning_tokens": 3},
                },
            ),
            Reply("x", model="m", usage=Usage(9, 4, 8, 3)),
        ),
        (
            _completion(usage={"prompt_tokens": 9, "prompt_cache_hit_tokens": 5, "prompt_tokens_details": None}),
            Reply("x", usage=Usage(9, 0, 5, 0)),
        ),
    ],
)
def test_bodies_of_all_kinds_are_read(body: bytes, reply: Reply) -> None:
    assert completion(body) == reply


def test_a_malformed_body_is_kept_up_to_a_limit() -> None:
    assert completion(b"[" * 10_000_000) == Reply("[" * MAX_MALFORMED_BYTES, "malformed")
