"""From a reply's text to the value a stage asked for, or a word for why there is none.

    refused      the model or its filter would not answer
    truncated    cut off at the token limit
    empty        no choice, or no text
    malformed    a 200 whose body was no completion
    unparseable  text, but not one answer of the form that was asked for

The strict path is one decode. The tolerant one finds JSON objects among prose, fences and thoughts, and mends what
changes no meaning: trailing commas, raw line breaks in strings, Python's spelling, typographic quotes. It never
completes a truncated object, never fills in a field, never takes "yes" for true. Where two answers differ there is
none. Where no form was asked for (`Text`), what the model said is the answer, also if it refused or was cut off.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from functools import lru_cache
from typing import Any, Literal, TypeVar, cast

import msgspec

from webscale_rl.backend import Reply, Text

Kind = Literal["refused", "truncated", "empty", "malformed", "unparseable"]
Answer = TypeVar("Answer", bound=msgspec.Struct)

MAX_CHARS = 400_000
MAX_OBJECTS = 64
MAX_LITERAL_CHARS = 64 * 1024

_THOUGHTS_END = re.compile(r"</(?:think|thinking|reasoning)>|\[/THINK\]", re.IGNORECASE)
_THOUGHTS_BEGIN = re.compile(r"<(?:think|thinking|reasoning)>|\[THINK\]", re.IGNORECASE)
_OBJECT_BEGINS = re.compile(r"\{(?=\s*+[\"'}])")
# A whole string of either quote, a brace, or a quote whose string never ends. Possessive, so linear in any input.
_TOKEN = re.compile(r"""("[^"\\]*+(?:\\.[^"\\]*+)*+"|'[^'\\]*+(?:\\.[^'\\]*+)*+')|[{}"']""", re.DOTALL)
_TRAILING_COMMA = re.compile(r"""("[^"\\]*+(?:\\.[^"\\]*+)*+")|,(?=\s*+[}\]])""", re.DOTALL)
_SMART_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"'})


class Unusable(Exception):
    """A reply without an answer. `kind` is its word in the books, `detail` is for people."""

    def __init__(self, kind: Kind, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


def parse(reply: Reply, reply_type: type[Answer]) -> Answer:
    """The answer in the reply. Raises Unusable."""
    found: Answer | Unusable = _read(reply, reply_type)
    if isinstance(found, Unusable):
        raise Unusable(found.kind, found.detail)
    return found


# Each reply is read twice in a row, for its worth in the events and for its answer. Among thoughts that costs 0.1 ms.
@lru_cache(maxsize=1)
def _read(reply: Reply, reply_type: type[Any]) -> Any:
    try:
        return _parse(reply, reply_type)
    except Unusable as error:
        return error.with_traceback(None)


def _parse(reply: Reply, reply_type: type[Answer]) -> Answer:
    if reply_type is Text:
        return cast(Answer, _words(reply))
    if reply.refusal or reply.finish == "content_filter":
        raise Unusable("refused", (reply.refusal or "stopped by the server's content filter")[:300])
    if reply.finish == "malformed":
        raise Unusable("malformed", reply.text[:300])
    decoder, names = _decoder(reply_type)
    try:
        answer: Answer = decoder.decode(reply.text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        pass
    else:
        # A name that stands twice may be one field with two values, of which the decoder took the last: look closer.
        if all(reply.text.count(name) == 1 for name in names):
            return answer
    cut_off = reply.finish == "length"
    if not reply.text.strip():
        raise Unusable("truncated" if cut_off else "empty", "no text")
    values, doubt = _search(reply.text, reply_type)
    if doubt or not values:
        raise Unusable("truncated" if cut_off else "unparseable", doubt or "no object of the form that was asked for")
    if any(value != values[0] for value in values[1:]):
        raise Unusable("unparseable", f"{len(values)} answers that differ")
    return values[0]


def _words(reply: Reply) -> Text:
    if reply.finish == "malformed":
        raise Unusable("malformed", reply.text[:300])
    if reply.refusal or reply.finish == "content_filter":
        return Text(reply.refusal or reply.text, "refused")
    if reply.finish == "length":
        return Text(reply.text, "length")
    if not reply.text.strip():
        raise Unusable("empty", "no text")
    return Text(reply.text)


@lru_cache(maxsize=256)
def _decoder(reply_type: type[Any]) -> tuple[msgspec.json.Decoder[Any], list[str]]:
    return msgspec.json.Decoder(reply_type), [f'"{field.encode_name}"' for field in msgspec.structs.fields(reply_type)]


def _search(text: str, reply_type: type[Answer]) -> tuple[list[Answer], str]:
    """All answers in the text after its thoughts, and why there may be none to trust."""
    if len(text) > MAX_CHARS:
        return [], f"longer than {MAX_CHARS} characters"
    text = _without_thoughts(text)
    if _THOUGHTS_BEGIN.search(text):
        return [], "thoughts that never end"
    if '"' not in text:
        text = text.translate(_SMART_QUOTES)
    values: list[Answer] = []
    found = 0
    position = 0
    while begin := _OBJECT_BEGINS.search(text, position):
        position = _end(text, begin.start())
        if position < 0:
            return [], "an object that never ends"
        found += 1
        if found > MAX_OBJECTS:
            return [], f"more than {MAX_OBJECTS} objects"
        value = _decode(text[begin.start() : position], reply_type)
        if value is not None:
            values.append(value)
    return values, ""


def _without_thoughts(text: str) -> str:
    """What follows the thoughts. A text that opens with an object or a fence has none: a tag in it is a quotation."""
    if text.lstrip().startswith(("{", "```", "[{")):
        return text
    end = _THOUGHTS_END.search(text)
    return text[end.end() :] if end else text


def _end(text: str, begin: int) -> int:
    """Where the object that begins there ends, or -1. Braces in strings do not count."""
    depth = 0
    for token in _TOKEN.finditer(text, begin):
        if token[1] is not None:
            continue
        if token[0] == "{":
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if depth == 0:
                return token.end()
        else:
            return -1
    return -1


def _decode(chunk: str, reply_type: type[Answer]) -> Answer | None:
    """The object as an answer, or None. Each reading of it is tried, from the strict to the lenient."""
    for read in (_strict, _mended, _literal):
        try:
            value = msgspec.convert(read(chunk), reply_type)
            msgspec.json.encode(value)  # half a character cannot be written down again
        except (msgspec.MsgspecError, ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        return value
    return None


def _strict(chunk: str) -> Any:
    return json.loads(chunk, strict=False, object_pairs_hook=_no_twins)


def _mended(chunk: str) -> Any:
    return _strict(_TRAILING_COMMA.sub(r"\1", chunk))


def _literal(chunk: str) -> Any:
    if len(chunk) > MAX_LITERAL_CHARS:
        raise ValueError("too long")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a literal
        tree = ast.parse(chunk, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            _no_twins([(key.value if isinstance(key, ast.Constant) else key, None) for key in node.keys])
    return ast.literal_eval(tree)


def _no_twins(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """A dict of the pairs. An object that gives one field two values gives none."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields
