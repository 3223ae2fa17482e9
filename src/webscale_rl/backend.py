"""What a Backend is: something that answers one request, or raises one of a closed set of errors.

    BackendError
      x RateLimited      429                        tried again, after Retry-After if the server said so
      x Overloaded       408, 409, 5xx              tried again
      x Unreachable      refused, reset, no route   tried again
      x TimedOut         no answer in time          tried again
      x ContextTooLong   400 of that kind           the document is shortened, then dropped with that reason
      x BadRequest       any other 4xx              a Failure at once
      x Unauthorized     401, 403                   stops the run
      x NoSuchModel      404                        stops the run
      x BatchRefused     a batch, not a request     stops the run
      x Interrupted      batches wait meanwhile     stops the run, which can be resumed

Postponed is no error: the answer will come when the run has ended and what it asked for was done (batch files).

A Backend knows nothing of documents, storage or concurrency. An answer that is of no use (refused, cut off, not JSON)
is still a Reply, for it was paid for: what it is worth is decided elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from webscale_rl.errors import ConfigError
from webscale_rl.prompt import Prompt
from webscale_rl.types import framed


class Text(msgspec.Struct, frozen=True):
    """The reply type of a stage that wants a model's own words: no form is asked for, and whatever the model said is
    the answer. `end` is "stop", "length" if it was cut off, or "refused"."""

    text: str
    end: str = "stop"


class Sampling(msgspec.Struct, frozen=True):
    """How a model samples. `max_tokens` bounds the answer; `seed` is sent only if set."""

    temperature: float | None = None
    max_tokens: int = 4096
    top_p: float | None = None
    seed: int | None = None


class Request(msgspec.Struct, frozen=True, dict=True):
    """One call: which stage asks, with which prompt and slots, for which form of answer.

    `variant` is what else of the backend's options changes answers. What follows it is no part of the content:
    `affinity` keeps the calls of one document together (it is the document's id), `group` those of one shard, and
    `attempt` counts the answers that were paid for this request before, none of which was of use.
    """

    stage: str
    prompt: Prompt
    slots: Mapping[str, str]
    reply_type: type[msgspec.Struct]
    model: str
    sampling: Sampling = Sampling()
    variant: str = ""
    affinity: str = ""
    group: str = ""
    attempt: int = 0

    @cached_property
    def key(self) -> bytes:
        """16 bytes: a digest of all that decides the answer, and of nothing else (no server, no time, no order)."""
        prompt = self.prompt
        opening = _key_opening(
            self.stage, prompt.digest, prompt.layout, self.model, self.sampling, self.variant, self.reply_type
        )
        slots = framed(part for slot in sorted(self.slots.items()) for part in slot)
        return hashlib.blake2b(opening + slots, digest_size=16).digest()

    def messages(self) -> list[dict[str, str]]:
        """The chat messages, rendered once. The list is the caller's own."""
        return list(self._rendered)

    def forget(self) -> None:
        """Let go of the rendered messages: a request that waits for hours holds no more than its slots."""
        self.__dict__.pop("_rendered", None)

    @cached_property
    def _rendered(self) -> list[dict[str, str]]:
        return self.prompt.render(self.slots)


@lru_cache(maxsize=1024)  # few in a run: its stages, models and forms
def _key_opening(
    stage: str, digest: str, layout: str, model: str, sampling: Sampling, variant: str, reply_type: type[msgspec.Struct]
) -> bytes:
    return framed((stage, digest, layout, model, repr(sampling), variant, reply_schema_json(reply_type)))


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one call. `cached_tokens` are part of `prompt_tokens`, `reasoning_tokens` of `completion_tokens`."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


class Reply(msgspec.Struct, frozen=True):
    """What was answered 200. `finish` is the server's finish_reason, or "malformed" if the body was no completion
    (`text` is then the body), or "empty" if it held no choice. `refusal` is what the model said when it refused."""

    text: str
    finish: str = "stop"
    refusal: str | None = None
    model: str = ""
    usage: Usage = Usage()


class Backend(Protocol):
    """Answers requests. `paid` says whether an answer is worth keeping: what is free is recomputed.

    A backend of several servers also has `endpoints`, their URLs, and `reply_at(request, endpoint)`: the engine then
    says who is asked. If it has an attribute `heard`, the engine sets it to a function that takes an endpoint and the
    headers of an answer, to learn the server's rate limits.
    """

    name: ClassVar[str]
    paid: ClassVar[bool]
    Options: ClassVar[type[BaseModel]]

    async def reply(self, request: Request) -> Reply:
        """The answer to one request. Raises BackendError, and nothing else but for a bug."""
        ...

    async def __aenter__(self) -> Self:
        """Open connections. Raises BackendError if it is plain already that no call can succeed."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        ...


@runtime_checkable
class Batched(Protocol):
    """What a Backend has besides if it makes batches. It waits and retries by itself: no slots limit its requests.

    All documents of a shard (a Request's `group`) are in flight at once, of at most `open_shards` shards. The engine
    says when a shard has no more documents, and when it was left. `outstanding` says what must be done before the run
    can go on; it is told when requests were Postponed.
    """

    open_shards: int

    def gathered(self, group: str) -> None:
        """All documents of the group are in flight: what has asked when all is quiet is a batch."""
        ...

    def left(self, group: str, answers: Callable[[bytes], int] | None) -> None:
        """The group's documents are gone. If they have ended, `answers` says of a request's key how many answers to it
        stand on the disk for good; None: they are taken up by the next run."""
        ...

    def outstanding(self) -> str:
        """What must be done before the run can go on, for people."""
        ...


class Postponed(Exception):
    """No answer in this run: it comes when what `Batched.outstanding` says was done. Not an error, and no Failure."""


class BackendOptions(BaseModel):
    """What every backend takes from the configuration. A backend's own Options derive from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: str = Field(description="name of the backend, or `module:Class` of your own")
    model: str = Field("", description="the model that answers all stages that name none of their own")

    @property
    def variant(self) -> str:
        """What of these options changes answers, besides the model: part of a request's content."""
        return ""


class BackendError(Exception):
    """A call that brought no answer. `kind` is its word in the books; the message is for people and holds no secret.

    `fatal` stops the run; `resumable` says that running it again goes on, without anything to mend.
    """

    kind: ClassVar[str]
    retry: ClassVar[bool] = False
    fatal: ClassVar[bool] = False
    resumable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(BackendError):
    """429. Not over quota for good: that is Unauthorized."""

    kind = "rate_limited"
    retry = True


class Overloaded(BackendError):
    """408, 409 or 5xx: the server is there and cannot just now."""

    kind = "overloaded"
    retry = True


class Unreachable(BackendError):
    """Connection refused or reset, or no such host."""

    kind = "unreachable"
    retry = True


class NotConnected(Unreachable):
    """No connection came about at all: nothing was asked, so nothing can have been paid."""


class TimedOut(BackendError):
    """No whole answer within the time limit of one call."""

    kind = "timeout"
    retry = True


class ContextTooLong(BackendError):
    """The prompt does not fit the model's context."""

    kind = "context_length"


class BadRequest(BackendError):
    """The server will never take this request."""

    kind = "bad_request"


class Unauthorized(BackendError):
    """The key is wrong, missing, or out of money."""

    kind = "unauthorized"
    fatal = True


class NoSuchModel(BackendError):
    """The server does not have this model, or this URL is not its API."""

    kind = "no_such_model"
    fatal = True


class BatchRefused(BackendError):
    """The server will not take a batch, or does not know one of ours any more."""

    kind = "batch_refused"
    fatal = True


class Interrupted(BackendError):
    """The server stays away, or a batch was cancelled, while requests are under way: they are taken up again."""

    kind = "interrupted"
    fatal = True
    resumable = True


_SCHEMAS: dict[type[msgspec.Struct], tuple[dict[str, Any], str]] = {}
_LEFT_OUT = frozenset({"title", "default", "discriminator", "uniqueItems"})
_TAKEN = frozenset(
    "type description properties required additionalProperties items anyOf enum"
    " pattern format minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf"
    " minItems maxItems".split()
)
_JSON_TYPES: dict[type, str] = {str: "string", int: "integer", bool: "boolean", float: "number", type(None): "null"}


def reply_schema(reply_type: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON schema of a reply, in what every server can be asked for: inlined, closed, all required, all typed.

    That is the strict subset of OpenAI's structured outputs (guide "Structured model outputs", section "Supported
    schemas"), which the grammar engines of the open servers take too. Bounds that a reply type sets itself
    (`msgspec.Meta`) are kept; OpenAI takes no bounds of a string's length.

    Raises ConfigError for a type that this subset cannot say: free keys, tuples, bytes, `Any`, a type within itself.
    """
    return _schema(reply_type)[0]


def reply_schema_json(reply_type: type[msgspec.Struct]) -> str:
    """The same as canonical JSON text. Raises ConfigError."""
    return _schema(reply_type)[1]


def _schema(reply_type: type[msgspec.Struct]) -> tuple[dict[str, Any], str]:
    if reply_type not in _SCHEMAS:
        (root,), definitions = msgspec.json.schema_components([reply_type], ref_template="{name}")
        schema = _inline(root, definitions, (), reply_type.__name__)
        _SCHEMAS[reply_type] = schema, msgspec.json.encode(schema, order="sorted").decode()
    return _SCHEMAS[reply_type]


def _inline(node: dict[str, Any], definitions: dict[str, Any], within: tuple[str, ...], where: str) -> dict[str, Any]:
    """The node without references. `within` are those that led to it, `where` is its place for people to read."""
    if "$ref" in node:
        name = node["$ref"]
        if name in within:
            raise ConfigError(
                f"{where}: a reply that holds itself cannot be asked for; give its depth types of their own"
            )
        return _inline(definitions[name], definitions, (*within, name), where)
    schema = {key: value for key, value in node.items() if key not in _LEFT_OUT}
    if strange := sorted(schema.keys() - _TAKEN):
        raise ConfigError(f"{where}: servers cannot be asked for {strange[0]}; use strings, numbers, lists and Structs")
    if "enum" in schema and "type" not in schema:
        schema |= _typed(schema.pop("enum"))
    if "anyOf" in schema:
        schema["anyOf"] = [_inline(choice, definitions, within, where) for choice in schema["anyOf"]]
    elif "type" not in schema:
        raise ConfigError(f"{where}: a reply of any type cannot be asked for; name its type")
    if schema.get("type") == "array":
        schema["items"] = _inline(schema.get("items", {}), definitions, within, f"{where}[]")
    elif schema.get("type") == "object":
        if isinstance(schema.get("additionalProperties"), dict) or "properties" not in schema:
            raise ConfigError(f"{where}: a reply with free keys cannot be asked for; use a list of Structs")
        schema["properties"] = {
            name: _inline(field, definitions, within, f"{where}.{name}") for name, field in schema["properties"].items()
        }
        schema["required"] = list(schema["properties"])
        schema["additionalProperties"] = False
    return schema


def _typed(values: list[Any]) -> dict[str, Any]:
    """An enum with its type. Values of several types become alternatives: llama.cpp reads a list of types alone."""
    by_type: dict[str, list[Any]] = {}
    for value in values:
        by_type.setdefault(_JSON_TYPES[type(value)], []).append(value)
    choices = [{"type": kind} if kind == "null" else {"type": kind, "enum": of} for kind, of in sorted(by_type.items())]
    return choices[0] if len(choices) == 1 else {"anyOf": choices}
