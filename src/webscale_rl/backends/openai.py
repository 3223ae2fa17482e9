"""Any server that speaks OpenAI's `/chat/completions`: OpenAI, vLLM, SGLang, llama.cpp, Ollama, TGI, and the gateways.

One call per `reply`: retries, rates and concurrency belong to the engine. What a model turns out not to take (a reply
schema, a temperature, the name `max_tokens`) is left out of the call and remembered per model; such a refusal costs
nothing, so the same `reply` asks again at once.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from types import TracebackType
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import orjson
from pydantic import ConfigDict, Field, field_validator

from webscale_rl.backend import (
    BackendError,
    BackendOptions,
    BadRequest,
    NotConnected,
    Overloaded,
    Reply,
    Request,
    Text,
    Unauthorized,
)
from webscale_rl.backends.answers import Answer, Complaint, Transport, complaint, completion, refusal
from webscale_rl.backends.body import MODES, OPTIONAL, Form, encode_ending, encode_messages
from webscale_rl.stage import Context

PREFLIGHT_S = 5.0

_RESERVED = {"messages", "model", "stream", "n", "response_format"}
_STRUCTURED = re.compile(r"response_?format|json_?schema|json_?object|json mode|guided|grammar|structured|schema")
_REFUSES = re.compile(
    r"unsupported|n[o']t support|only|not allowed|not permitted|use '|unknown"
    r"|unrecogni[sz]ed|unexpected|extra inputs|deprecated"
)


class OpenAIOptions(BackendOptions):
    """Options of the openai backend."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_urls: list[str] = Field(
        default_factory=lambda: [os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"],
        min_length=1,
        validate_default=True,
        description="servers of the same models, each up to /v1. All calls of a document go to the same one",
        json_schema_extra={"default": "$OPENAI_BASE_URL, else [https://api.openai.com/v1]"},
    )
    api_key_env: str = Field(
        "OPENAI_API_KEY",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="name of the environment variable that holds the key; a server without keys needs none",
    )
    timeout_s: float = Field(300.0, gt=0, description="most seconds of one call, connection and answer")
    connect_timeout_s: float = Field(10.0, gt=0, description="most seconds until there is a connection")
    structured: Literal["auto", "json_schema", "json_object_schema", "json_object", "text"] = Field(
        "auto", description="how the form of a reply is asked for; auto: the strictest that the model takes"
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="more fields for the body of every call, as the server documents them"
    )

    @property
    def variant(self) -> str:
        """`extra_body` can change answers."""
        return orjson.dumps(self.extra_body, option=orjson.OPT_SORT_KEYS).decode() if self.extra_body else ""

    @field_validator("base_urls")
    @classmethod
    def _bases(cls, urls: list[str]) -> list[str]:
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("a base URL begins with http:// or https:// and a host")
            if parts.port == 0:  # asking for it refuses what is no port
                raise ValueError("a port is a number from 1 to 65535")
            if parts.username is not None or parts.query or parts.fragment:
                raise ValueError("a base URL holds no user, password or query; name the key's variable in api_key_env")
            if parts.path.rstrip("/").endswith("/completions"):
                raise ValueError("a base URL ends before /chat/completions, mostly in /v1")
        return list(dict.fromkeys(url.rstrip("/") for url in urls))

    @field_validator("extra_body")
    @classmethod
    def _unreserved(cls, body: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(_RESERVED & body.keys()):
            raise ValueError(f"extra_body cannot set {', '.join(taken)}")
        return body


class OpenAI:
    """The openai backend. `transport` replaces the network in tests."""

    name: ClassVar[str] = "openai"
    paid: ClassVar[bool] = True
    Options: ClassVar[type[OpenAIOptions]] = OpenAIOptions

    def __init__(
        self, options: OpenAIOptions, context: Context | None = None, transport: Transport | None = None
    ) -> None:
        self.options = options
        self._transport = transport
        self._network: Any = None
        self._key = ""
        self._headers: dict[str, str] = {}
        self.endpoints = tuple(options.base_urls)
        self.heard: Callable[[str, Mapping[str, str]], None] = lambda endpoint, headers: None
        self._widest = Form("json_schema" if options.structured == "auto" else options.structured)
        self._forms: dict[str, Form] = {}
        self._proven: set[tuple[str, str]] = set()
        # Few in a run: stages x models x forms. Encoding them on every call would cost more than the messages do.
        self._ending = lru_cache(maxsize=1024)(partial(encode_ending, options.extra_body))

    async def __aenter__(self) -> Self:
        """Opens the session. Raises Unreachable if no server can be reached, Unauthorized for an impossible key."""
        self._key = os.environ.get(self.options.api_key_env, "").strip()
        self._headers = {"Content-Type": "application/json", "User-Agent": "webscale-rl"}
        if self._key:
            if not (self._key.isascii() and self._key.isprintable()):
                raise Unauthorized(f"${self.options.api_key_env} holds characters that no key has")
            self._headers["Authorization"] = f"Bearer {self._key}"
        if self._transport is None:
            from webscale_rl.backends.transport import Http

            self._network = Http(self.options.timeout_s, self.options.connect_timeout_s)
            self._transport = await self._network.__aenter__()
        try:
            await self._preflight()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the session."""
        if self._network is not None:
            network, self._network, self._transport = self._network, None, None
            await network.__aexit__(kind, error, trace)

    async def reply(self, request: Request) -> Reply:
        """The answer of the first server to one request. Raises BackendError."""
        return await self.reply_at(request, self.endpoints[0])

    async def reply_at(self, request: Request, endpoint: str) -> Reply:
        """The answer of one of the servers to one request. Raises BackendError."""
        start = form = self._forms.get(request.model, self._widest)
        guessed = False
        first: BackendError | None = None
        while True:
            answer = await self._send(endpoint, request, form)
            self.heard(endpoint, answer.headers)
            if 200 <= answer.status < 300:
                unproven = (request.model, form.mode) not in self._proven and request.reply_type is not Text
                if unproven or form is not start:
                    self._learn(request.model, start, form, guessed)
                if unproven:
                    self._proven.add((request.model, form.mode))
                return completion(answer.body)
            error = refusal(answer, url=endpoint, model=request.model, secret=self._key)
            if isinstance(error, Unauthorized) and not self._key:
                error = Unauthorized(f"{error}; ${self.options.api_key_env} is not set")
            first = first or error
            smaller = self._smaller(form, request, answer, error)
            if smaller is None:
                raise first if guessed else error
            form, guess = smaller
            guessed = guessed or guess

    @property
    def state(self) -> dict[str, Any]:
        """What was learned about the models, as JSON; `remember` takes it back."""
        models = {
            model: {"structured": form.mode, "dropped": sorted(form.dropped), "max_completion_tokens": form.renamed}
            for model, form in sorted(self._forms.items())
            if form != self._widest
        }
        return {"base_urls": list(self.endpoints), "models": models}

    def remember(self, state: Mapping[str, Any]) -> None:
        """Take back what an earlier process learned of the same servers. What does not fit is left out."""
        if state.get("base_urls") != list(self.endpoints) or not isinstance(state.get("models"), dict):
            return
        for model, known in state["models"].items():
            if not isinstance(known, dict) or known.get("structured") not in MODES:
                continue
            dropped = frozenset(name for name in known.get("dropped", ()) if name in OPTIONAL)
            mode = known["structured"] if self.options.structured == "auto" else self._widest.mode
            form = Form(mode, dropped, known.get("max_completion_tokens") is True)
            self._forms[model] = form.meet(self._forms.get(model, self._widest))

    async def _preflight(self) -> None:
        async def probe(base: str) -> NotConnected | None:
            try:
                async with asyncio.timeout(self.options.connect_timeout_s + PREFLIGHT_S):
                    await self._sender().send("GET", f"{base}/models", self._headers)
            except NotConnected as error:
                return error
            except (BackendError, TimeoutError):
                return None
            return None

        errors = await asyncio.gather(*[probe(base) for base in self.endpoints])
        missing = [error for error in errors if error is not None]
        if len(missing) == len(self.endpoints):
            raise NotConnected("; ".join(str(error) for error in missing[:3]) + "; is the server running?")

    def _sender(self) -> Transport:
        if self._transport is None:
            raise RuntimeError("the backend is not open: use it as `async with`")
        return self._transport

    async def _send(self, base: str, request: Request, form: Form) -> Answer:
        ending = self._ending(request.model, request.stage, request.reply_type, request.sampling, form)
        body = [*encode_messages(request, form.mode), ending]
        return await self._sender().send("POST", f"{base}/chat/completions", self._headers, body)

    def _smaller(self, form: Form, request: Request, answer: Answer, error: BackendError) -> tuple[Form, bool] | None:
        """The form to ask in next and whether it is a guess; None if the refusal is not about the form."""
        if answer.status not in (400, 422, 500, 501) or not isinstance(error, BadRequest | Overloaded):
            return None
        known = self._forms.get(request.model, self._widest)
        if (met := form.meet(known)) != form:
            return met, False  # another call has learned meanwhile
        sent = [name for name in OPTIONAL if getattr(request.sampling, name) is not None]
        fixed = self.options.structured != "auto" or request.reply_type is Text
        explained = explain(complaint(answer.body), form, sent, fixed=fixed)
        # llama-cpp-python calls a response_format that it does not know an internal error; most 500 are another matter.
        if answer.status != 500 and explained:
            return explained, False
        unproven = (request.model, form.mode) not in self._proven
        about_the_form = answer.status != 500 or (explained is not None and explained.mode != form.mode)
        if about_the_form and unproven and form.mode != "text" and not fixed:
            return form._replace(mode=MODES[MODES.index(form.mode) + 1]), True
        return None

    def _learn(self, model: str, start: Form, form: Form, guessed: bool) -> None:
        """Keep the form that was answered. A guess is dropped if the wider mode has proved to work meanwhile."""
        known = self._forms.get(model, self._widest)
        if guessed and (model, start.mode) in self._proven:
            form = form._replace(mode=known.mode)
        self._forms[model] = known.meet(form)


def explain(said: Complaint, form: Form, sent: Iterable[str], *, fixed: bool) -> Form | None:
    """The next smaller form if the server says what it does not take, else None."""
    text = said.text
    if _REFUSES.search(text):
        if not form.renamed and "max_tokens" in text and "max_completion_tokens" in text:
            return form._replace(renamed=True)
        for name in sent:
            if name not in form.dropped and re.search(rf"\b{name}\b", text):
                return form._replace(dropped=form.dropped | {name})
    if not fixed and form.mode != "text" and _STRUCTURED.search(text):
        return form._replace(mode=MODES[MODES.index(form.mode) + 1])
    return None
