"""What HTTP is to a backend: a seam of one method, and what an OpenAI-compatible server's answers mean.

Every server words its errors in its own way; the patterns below are those of OpenAI, vLLM, SGLang, TGI, llama.cpp,
Ollama and the common gateways. What a server says is untrusted text: it is cut, cleaned and searched, never obeyed.
"""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from webscale_rl.backend import (
    BackendError,
    BadRequest,
    ContextTooLong,
    NoSuchModel,
    Overloaded,
    RateLimited,
    Reply,
    Unauthorized,
    Usage,
)

MAX_MESSAGE_CHARS = 300
MAX_MALFORMED_BYTES = 64 * 1024
MAX_RETRY_AFTER_S = 24 * 3600.0


class Answer(NamedTuple):
    """An HTTP answer. Header names are looked up in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Body = bytes | Sequence[bytes]
"""The body of a request, whole or in pieces."""


class Transport(Protocol):
    """The one seam to the network. Redirects are not followed; a body longer than the cap is cut there."""

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: Body = b"") -> Answer:
        """The answer, whatever its status. Raises Unreachable or TimedOut."""
        ...


class Complaint(NamedTuple):
    """What the body of a refusal says. `code` joins the error's code, type and param."""

    message: str
    code: str

    @property
    def text(self) -> str:
        """All of it, in lower case, for the patterns."""
        return f"{self.message} {self.code}".lower()


_CONTEXT = re.compile(
    r"context_length_exceeded|exceed_context_size|string_above_max_length"
    r"|(?:maximum|max|model'?s) (?:context|model|sequence) (?:length|size|window)|max_model_len"
    r"|exceeds? (?:the )?(?:\w+ ){0,3}context (?:size|length|window|limit)"
    r"|context (?:size|length|window) (?:has been )?exceeded"
    r"|longer than the (?:model|maximum)|(?:prompt|input|inputs) (?:is|are) too long|reduce the length"
    r"|input (?:length|token count)\W[^.]{0,80}exceeds? the maximum"
    r"|`?inputs`? (?:tokens \+|must have less than)|request too large|context window (?:is|of) "
)
_QUOTA = re.compile(
    r"insufficient_quota|billing_hard_limit|insufficient (?:balance|credit|funds)|exceeded your current quota"
)
_NO_MODEL = re.compile(
    r"model_not_found|model not exist|\bmodel\b[^.]{0,100}\b(?:does not exist|not found|is not available)"
)
_FLAGGED = re.compile(r"moderation|flagged|content.?(?:policy|filter)")
_KEY_LIKE = re.compile(r"\b(?:sk|pk|hf|gsk|xai|nvapi|key)[-_][A-Za-z0-9*_\-.]{4,}|(?i:bearer)\s+\S+")


def origin(url: str) -> str:
    """Scheme, host and port of a URL, for people to read."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def plain(text: str, secret: str = "") -> str:
    """One printable line of at most 300 characters, without the secret and without what looks like a key."""
    line = "".join(char for char in " ".join(text[:20_000].split()) if char.isprintable())
    if secret:
        line = line.replace(secret, "***")
    line = _KEY_LIKE.sub("***", line)
    return line if len(line) <= MAX_MESSAGE_CHARS else line[: MAX_MESSAGE_CHARS - 1] + "…"


def complaint(body: bytes) -> Complaint:
    """What a refusal says: OpenAI's form, vLLM's, FastAPI's, Ollama's, or the raw text.

    Only its own words, not what it quotes of the request, or a document could speak as the server.
    """
    raw = body[:MAX_MALFORMED_BYTES].decode("utf-8", "replace")
    try:
        root = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Complaint(raw[:2000], "")
    node = root[0] if isinstance(root, list) and root else root
    if isinstance(node, dict) and isinstance(node.get("error"), dict):
        node = node["error"]
    if not isinstance(node, dict):
        return Complaint(raw[:2000], "")
    said = next((node[key] for key in ("message", "error", "detail", "msg") if node.get(key)), raw)
    if isinstance(said, list):
        said = "; ".join(f"{item.get('loc', '')} {item.get('msg', '')}" for item in said[:5] if isinstance(item, dict))
    codes = [node.get("code"), node.get("type"), node.get("error_type"), node.get("param")]
    return Complaint(str(said)[:2000], " ".join(str(code)[:100] for code in codes if code))


def refusal(answer: Answer, *, url: str, model: str, secret: str = "") -> BackendError:
    """The error that an answer other than 2xx is."""
    said = complaint(answer.body)
    kind = _kind(answer.status, said.text)
    where = origin(url)
    message = f"{answer.status} from {where}: {said.message or 'no reason given'}"
    if 300 <= answer.status < 400:
        target = urlsplit(answer.headers.get("location", "")).netloc.rpartition("@")[2] or "another path"
        message = f"{answer.status} from {where}: redirects to {target}; give the final address as base_url"
    elif kind is NoSuchModel:
        hint = "" if "model" in said.text else "; does base_url end in /v1?"
        message = f"{answer.status} from {where}: no model {model!r} here{hint} ({said.message})"
    retry_after = _retry_after(answer.headers) if kind.retry else None
    return kind(plain(message, secret), retry_after_s=retry_after)


def _kind(status: int, said: str) -> type[BackendError]:
    by_status: dict[int, type[BackendError]] = {
        401: Unauthorized,
        402: Unauthorized,
        403: BadRequest if _FLAGGED.search(said) else Unauthorized,
        404: NoSuchModel,
        408: Overloaded,
        409: Overloaded,
        413: ContextTooLong,
    }
    if status in by_status:
        return by_status[status]
    if status == 429 and _QUOTA.search(said):
        return Unauthorized
    if (status >= 400) and _CONTEXT.search(said):
        return ContextTooLong
    if status == 429:
        return RateLimited
    if status >= 500:
        return Overloaded
    return NoSuchModel if status >= 400 and _NO_MODEL.search(said) else BadRequest


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms`, or from Retry-After in seconds or as a date; None if neither."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            parsed = email.utils.parsedate_tz(value)
            if parsed is None:
                continue
            try:
                seconds = email.utils.mktime_tz(parsed) - time.time()
            except (ValueError, OverflowError):
                continue
        if math.isfinite(seconds):
            return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
    return None


class _Message(msgspec.Struct):
    content: Any = None
    refusal: Any = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    finish_reason: Any = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] | None
    model: Any = None
    usage: Any = None


_decode = msgspec.json.Decoder(_Completion).decode


def completion(body: bytes) -> Reply:
    """The reply in the body of a 200. There always is one: it was paid for, whatever it holds."""
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            # Lone surrogates and bytes that are no UTF-8 are answers too: models can utter half a character.
            answer = msgspec.convert(json.loads(body.decode("utf-8", "replace")), _Completion)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return Reply(body[:MAX_MALFORMED_BYTES].decode("utf-8", "replace"), finish="malformed")
    usage = _usage(answer.usage)
    model = _whole(answer.model)
    if not answer.choices:
        return Reply("", finish="empty", model=model, usage=usage)
    choice = answer.choices[0]
    message = choice.message or _Message()
    refused = _text(message.refusal) or None
    return Reply(_text(message.content), _whole(choice.finish_reason) or "stop", refused, model, usage)


def _text(content: Any) -> str:
    """A message's content: a string, or a list of parts of which the text ones are joined."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        content = "".join(part for part in parts if isinstance(part, str))
    return _whole(content)


def _whole(text: Any) -> str:
    if not isinstance(text, str):
        return ""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _usage(usage: Any) -> Usage:
    """The books of one call: OpenAI's names, and DeepSeek's for the cache."""
    if not isinstance(usage, dict):
        return Usage()
    prompt, answer = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    cached = (
        _count(prompt, "cached_tokens") or _count(usage, "prompt_cache_hit_tokens") or _count(usage, "cached_tokens")
    )
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        cached_tokens=cached,
        reasoning_tokens=_count(answer, "reasoning_tokens") or _count(usage, "reasoning_tokens"),
    )


def _count(node: Any, name: str) -> int:
    value = node.get(name) if isinstance(node, dict) else None
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e12 else 0
