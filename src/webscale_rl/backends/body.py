"""The body of a chat completion call: what the openai and the batch backend both send.

Form   what a call may contain; forms only ever shrink: parameters leave, and
       json_schema -> json_object_schema (`json_object` with the schema beside it) -> json_object -> text
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import orjson

from webscale_rl.backend import Request, Sampling, Text, reply_schema, reply_schema_json
from webscale_rl.prompt import Prompt

MODES = ("json_schema", "json_object_schema", "json_object", "text")
OPTIONAL = ("temperature", "top_p", "seed")

# For a prompt of the user's own that does not speak of JSON: OpenAI's json_object mode insists on the word.
_IN_WORDS = "\n\nReply with one JSON object and nothing else. It must satisfy this JSON schema:\n"


class Form(NamedTuple):
    """What a call may contain. `renamed`: max_tokens goes by the name max_completion_tokens."""

    mode: str
    dropped: frozenset[str] = frozenset()
    renamed: bool = False

    def meet(self, other: Form) -> Form:
        """What both may contain."""
        mode = MODES[max(MODES.index(self.mode), MODES.index(other.mode))]
        return Form(mode, self.dropped | other.dropped, self.renamed or other.renamed)


def encode_messages(request: Request, mode: str) -> list[bytes]:
    """The beginning of the body of a call, up to the end of its messages, in pieces; `encode_ending` gives the rest.

    A first message that is the same in many calls is a piece that is encoded once and copied nowhere.
    """
    messages = request.messages()
    if mode != "json_schema" and request.reply_type is not Text and not _speaks_of_json(request.prompt):
        last = messages[-1]
        messages[-1] = {**last, "content": last["content"] + _IN_WORDS + reply_schema_json(request.reply_type)}
    try:
        if request.prompt.opens_fixed and len(messages) > 1:
            return [_encode_opening(**messages[0]), orjson.dumps(messages[1:])[1:]]
        return [b'{"messages":', orjson.dumps(messages)]
    except TypeError:  # a lone surrogate in a slot
        clean = [{name: text.encode("utf-8", "replace").decode() for name, text in m.items()} for m in messages]
        return [b'{"messages":', orjson.dumps(clean)]


@lru_cache(maxsize=64)
def _encode_opening(role: str, content: str) -> bytes:
    return b'{"messages":[%s,' % orjson.dumps({"role": role, "content": content})


def encode_ending(
    extra_body: Mapping[str, Any],
    model: str,
    stage: str,
    reply_type: type[msgspec.Struct],
    sampling: Sampling,
    form: Form,
) -> bytes:
    """The body of a call after its messages."""
    fields: dict[str, Any] = {"model": model}
    fields["max_completion_tokens" if form.renamed else "max_tokens"] = sampling.max_tokens
    for name in OPTIONAL:
        value = getattr(sampling, name)
        if value is not None and name not in form.dropped:
            fields[name] = value
    if reply_type is Text:
        pass
    elif form.mode == "json_schema":
        name = re.sub(r"[^A-Za-z0-9_-]", "_", stage)[:64]
        schema = {"name": name, "strict": True, "schema": reply_schema(reply_type)}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif form.mode == "json_object_schema":
        fields["response_format"] = {"type": "json_object", "schema": reply_schema(reply_type)}
    elif form.mode == "json_object":
        fields["response_format"] = {"type": "json_object"}
    fields.update(extra_body)
    return b"," + orjson.dumps(fields)[1:]


@lru_cache(maxsize=256)
def _speaks_of_json(prompt: Prompt) -> bool:
    return any(isinstance(part, str) and "json" in part.lower() for _, parts in prompt.messages for part in parts)
