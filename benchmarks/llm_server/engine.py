"""What an inference engine does with requests: refuses, queues, serves and times them, breaks some, keeps books.

A service takes `latency_s`, and with rates also uncached prompt tokens / prefill_rate + answer's tokens / decode_rate
seconds. Unlike an inference engine's, slots do not slow one another down: the rates are of each slot.

It runs on any event loop and clock: under HTTP in `server.py`, on a virtual clock in `benchmarks/perfect.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import math
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from benchmarks.llm_server import replies
from benchmarks.llm_server.batches import BatchBehaviour, Batches
from benchmarks.llm_server.books import Books, Entry
from benchmarks.llm_server.limits import Limits, duration
from benchmarks.llm_server.prefix_cache import PrefixCache, chat_tokens, tokenize

Faults = Mapping[str, float] | Callable[[str, str, int], str | None]
"""Kinds and their probabilities, or a function of (stage, body digest, attempt) that names a kind or None."""

STATUS_FAULTS = {"400": 400, "401": 401, "403": 403, "404": 404, "408": 408, "409": 409, "413": 413, "422": 422}
STATUS_FAULTS |= {"429": 429, "500": 500, "502": 502, "503": 503, "529": 529, "302": 302, "quota": 429}


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """How a server behaves. `tail` = (fraction, factor): so many requests take so many times longer.

    `prefill_rate` and `decode_rate` are tokens per second of one slot; `cache_blocks` is the size of the prefix cache
    in blocks of 16 tokens. `rpm` and `tpm` are requests and prompt tokens per minute (per `limit_window_s`), announced
    in `x-ratelimit-*` headers; `rate_limit` = (count, seconds) is a window without headers. `reject_beyond` = (count,
    status): what comes while so many are being served or wait is answered with that status at once. The fault "stall"
    is an answer that takes `stall_s`, which a client with a shorter timeout does not wait for.
    """

    slots: int = 1_000_000
    latency_s: float = 0.0
    prefill_rate: float | None = None
    decode_rate: float | None = None
    cache_blocks: int = 0
    rpm: int | None = None
    tpm: int | None = None
    limit_window_s: float = 60.0
    reject_beyond: tuple[int, int] | None = None
    tail: tuple[float, float] = (0.0, 1.0)
    api_key: str | None = None
    models: tuple[str, ...] = ()
    unsupported: frozenset[str] = frozenset()
    context_chars: int | None = None
    rate_limit: tuple[int, float] | None = None
    queue: int | None = None
    stall_s: float = 10.0
    retry_after: str | None = None
    faults: Faults = dataclasses.field(default_factory=dict)
    seed: int = 0
    batches: BatchBehaviour = dataclasses.field(default_factory=BatchBehaviour)


class Caller(Protocol):
    """Who asked, and is answered: a connection."""

    call: Call | None

    def answer(self, status: int, body: bytes, extra: str = "", *, cut: bool = False) -> None:
        """Take the answer."""

    def abort(self) -> None:
        """Lose the connection."""


class Call:
    """One request between its arrival and its answer."""

    __slots__ = (
        "arrived", "asked", "attempt", "body", "caller", "digest", "fault", "payload", "started", "timer", "usage",
    )  # fmt: skip

    def __init__(self, caller: Caller, body: dict[str, Any], digest: str, arrived: float) -> None:
        self.caller = caller
        self.body = body
        self.digest = digest
        self.asked = replies.understand(body)
        self.arrived = arrived
        self.started = 0.0
        self.attempt = 0
        self.fault: str | None = None
        self.usage = replies.Usage()
        self.payload = b""
        self.timer: asyncio.TimerHandle | None = None


class Engine:
    """Decides what becomes of each request: refused, queued, served, broken. `clock` gives seconds."""

    def __init__(self, behaviour: Behaviour, books: Books, clock: Callable[[], float] = time.monotonic) -> None:
        self.books = books
        self.clock = clock
        self.loop = asyncio.get_running_loop()
        self.waiting: deque[Call] = deque()
        self.recent: deque[float] = deque()
        self.behaviour = behaviour
        self.batches = Batches(self)

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves; a new one begins with an empty cache and full limits."""
        return self._behaviour

    @behaviour.setter
    def behaviour(self, new: Behaviour) -> None:
        self._behaviour = new
        self.cache = PrefixCache(new.cache_blocks) if new.cache_blocks else None
        self.limits = Limits(new.rpm, new.tpm, new.limit_window_s) if new.rpm or new.tpm else None
        self._tokenizes = bool(new.cache_blocks or new.prefill_rate or new.decode_rate)

    def arrive(self, caller: Caller, head: bytes, raw: bytes) -> None:
        """Take one chat completion request."""
        books = self.books
        try:
            body = orjson.loads(raw)
            call = Call(caller, body, hashlib.blake2b(raw, digest_size=16).hexdigest(), self.clock())
        except (ValueError, KeyError, TypeError, AttributeError):
            caller.answer(400, replies.error("invalid JSON body", "invalid_request_error"))
            return
        books.attempts[call.digest] += 1
        call.attempt = books.attempts[call.digest]
        if books.keep_bodies:
            books.bodies.append(body)
            books.headers.append(head.decode("latin-1"))
        books.in_flight += 1
        books.max_in_flight = max(books.max_in_flight, books.in_flight)
        caller.call = call
        refused = self._refusal(call, head, len(raw))
        call.fault = self._fault(call)
        if refused is not None:
            status, payload, extra = refused
            self._end(call, str(status), status, payload, extra)
        elif books.busy < self.behaviour.slots:
            self._serve(call)
        else:
            self.waiting.append(call)

    def leave(self, call: Call) -> None:
        """The client hung up: what was in service is given up."""
        if call.timer is not None:
            call.timer.cancel()
        self._end(call, "hung up" if call.fault != "hang" else "hang", 0, None)

    def _refusal(self, call: Call, head: bytes, size: int) -> tuple[int, bytes, str] | None:
        b = self.behaviour
        if b.api_key is not None and f"\r\nauthorization: bearer {b.api_key}\r\n".lower().encode() not in head.lower():
            sent = re.search(rb"(?i)authorization: bearer ([^\r]*)", head)
            shown = sent[1].decode() if sent else ""
            text = f"Incorrect API key provided: {shown}. You can find your API key in your account."
            return 401, replies.error(text, "invalid_request_error", "invalid_api_key"), ""
        model = call.body.get("model")
        if b.models and model not in b.models:
            text = f"The model `{model}` does not exist or you do not have access to it."
            return 404, replies.error(text, "invalid_request_error", "model_not_found"), ""
        if b.unsupported and (complaint := replies.unsupported(call.body, b.unsupported)):
            return 400, complaint, ""
        if b.context_chars is not None and size > b.context_chars:
            text = (
                f"This model's maximum context length is {b.context_chars // 4} tokens. However, your messages "
                f"resulted in {size // 4} tokens. Please reduce the length of the messages."
            )
            return 400, replies.error(text, "invalid_request_error", "context_length_exceeded", "messages"), ""
        return self._limit(call)

    def _limit(self, call: Call) -> tuple[int, bytes, str] | None:
        b, now = self.behaviour, call.arrived
        if b.reject_beyond is not None and self.books.busy + len(self.waiting) >= b.reject_beyond[0]:
            extra = f"Retry-After: {b.retry_after}\r\n" if b.retry_after else ""
            return b.reject_beyond[1], replies.error("too many requests at once", "overloaded"), extra
        if b.queue is not None and len(self.waiting) >= b.queue and self.books.busy >= b.slots:
            return 503, replies.error("the queue is full", "overloaded"), ""
        if self.limits is not None and (refused := self.limits.refuse(_prompt_tokens(call.body), now)):
            kind, wait = refused
            text = f"Rate limit reached on {kind} per min. Please try again in {duration(wait)}."
            extra = f"Retry-After: {math.ceil(wait)}\r\nretry-after-ms: {math.ceil(wait * 1000)}\r\n"
            return 429, replies.error(text, kind, "rate_limit_exceeded"), extra + self.limits.headers(now)
        if b.rate_limit is None:
            return None
        count, window = b.rate_limit
        while self.recent and self.recent[0] <= now - window:
            self.recent.popleft()
        if len(self.recent) < count:
            self.recent.append(now)
            return None
        wait = self.recent[0] + window - now
        extra = f"Retry-After: {int(wait) + 1}\r\nretry-after-ms: {int(wait * 1000) + 1}\r\n"
        return 429, replies.error("Rate limit reached for requests", "requests", "rate_limit_exceeded"), extra

    def _fault(self, call: Call) -> str | None:
        faults = self.behaviour.faults
        if callable(faults):
            return faults(call.asked.stage, call.digest, call.attempt)
        if not faults:
            return None
        draw = replies.uniform(call.asked.key, str(call.attempt), str(self.behaviour.seed))
        for kind, probability in faults.items():
            draw -= probability
            if draw < 0:
                return kind
        return None

    def completed(self, body: dict[str, Any], asked: replies.Asked, fault: str | None) -> tuple[bytes, replies.Usage]:
        """The answer to a request, and its tokens."""
        text = replies.reply_text(asked, fault)
        if self._tokenizes:
            messages = [{**m, "content": replies.content_text(m.get("content"))} for m in body["messages"]]
            tokens = chat_tokens(messages)
            cached = self.cache.prefill(tokens) if self.cache is not None else 0
            usage = replies.Usage(len(tokens), cached, len(tokenize(text)))
        else:
            usage = replies.Usage(_prompt_tokens(body), 0, (len(text) + 3) // 4)
        return replies.completion(body.get("model"), asked.key, text, usage, fault), usage

    def _serve(self, call: Call, *, waited: bool = False) -> None:
        books = self.books
        books.busy += 1
        books.max_busy = max(books.max_busy, books.busy)
        call.started = self.clock()
        if call.fault == "hang":
            return
        refused = call.fault in STATUS_FAULTS
        delay = min(0.001, self.behaviour.latency_s) if refused else self._service_s(call)
        if call.fault == "stall":
            delay = self.behaviour.stall_s
        if delay > 0 or waited:  # one that waited is never finished inside the end of another
            # counted from the start, not from now: what the server itself computes is no part of the service
            left = max(0.0, call.started + delay - self.clock())
            call.timer = self.loop.call_later(left, self._finish, call)
        else:
            self._finish(call)

    def _service_s(self, call: Call) -> float:
        """Answers the call, and says how many seconds that takes."""
        b, asked = self.behaviour, call.asked
        call.payload, call.usage = self.completed(call.body, asked, call.fault)
        seconds = b.latency_s
        if b.prefill_rate:
            seconds += (call.usage.prompt - call.usage.cached) / b.prefill_rate
        if b.decode_rate:
            seconds += call.usage.completion / b.decode_rate
        fraction, factor = b.tail
        if fraction and replies.uniform(asked.key, "tail", str(b.seed)) < fraction:
            seconds *= factor
        return seconds

    def _finish(self, call: Call) -> None:
        fault = call.fault
        if fault in STATUS_FAULTS:
            status = STATUS_FAULTS[fault]
            code = "insufficient_quota" if fault == "quota" else f"scripted_{fault}"
            extra = f"Retry-After: {self.behaviour.retry_after}\r\n" if self.behaviour.retry_after else ""
            extra += "Location: http://elsewhere.example/v1/chat/completions\r\n" if fault == "302" else ""
            self._end(call, fault, status, replies.error(f"scripted fault {fault}", "scripted", code), extra)
        elif fault == "reset":
            self._end(call, fault, 0, None)
        else:
            extra = self.limits.headers(self.clock()) if self.limits is not None else ""
            self._end(call, fault or "ok", 200, call.payload, extra, cut=fault == "truncated_body")

    def _end(
        self, call: Call, outcome: str, status: int, payload: bytes | None, extra: str = "", *, cut: bool = False
    ) -> None:
        books, asked = self.books, call.asked
        books.in_flight -= 1
        books.add(
            Entry(
                call.arrived, call.started, self.clock(), asked.stage, asked.document, call.digest, call.attempt,
                outcome, status, asked.key, *call.usage,
            )
        )  # fmt: skip
        call.caller.call = None
        if payload is None:
            call.caller.abort()
        else:
            call.caller.answer(status, payload, extra, cut=cut)
        if call.started:
            books.busy -= 1
            while self.waiting and books.busy < self.behaviour.slots:
                self._serve(self.waiting.popleft(), waited=True)
        else:
            with contextlib.suppress(ValueError):
                self.waiting.remove(call)


def _prompt_tokens(body: dict[str, Any]) -> int:
    """A rough count where nothing depends on it: 4 characters a token."""
    return (sum(len(replies.content_text(message.get("content"))) for message in body["messages"]) + 3) // 4
