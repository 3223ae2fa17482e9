"""What the test server says: replies to the four stages by rule, and errors as servers word them."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Set
from functools import lru_cache
from typing import Any

import orjson

_FENCE = re.compile(r"<(\w+) ([0-9a-f]{12})>\n(.*?)\n</\1 \2>", re.DOTALL)
_STEP = re.compile(r"^Step: (\w+)$", re.MULTILINE)
_SENTENCE = re.compile(r"[^.!?\n]{25,400}[.!?](?=\s|$)")
_WORD = re.compile(r"\b(?:\d[\d,]*(?:\.\d+)?|[A-Za-z]{5,})\b")
_PERSONAS = (
    "a student preparing for an exam", "a journalist checking facts", "a teacher planning a lesson",
    "an engineer, new to the subject", "a parent who wants to explain it", "a researcher in the field",
    "a curious traveller", "a policy adviser", "a hobbyist",
)  # fmt: skip


def uniform(*parts: str) -> float:
    """A number in 0..1 that depends on the parts alone."""
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def stage_of(body: dict[str, Any]) -> str:
    """The stage that asks: by the name of its reply schema, else by the names of its reply's fields in the prompt."""
    form = body.get("response_format")
    if isinstance(form, dict) and isinstance(form.get("json_schema"), dict):
        return str(form["json_schema"].get("name", ""))
    text = "\n".join(str(message.get("content", "")) for message in body.get("messages", ()))
    if steps := _STEP.findall(text.rpartition("\n</document ")[2]):  # where all stages share their instructions
        return str(steps[0])
    for stage, field in (("check", "leaks_answer"), ("generate", "answer_type"), ("classify", '"personas"')):
        if field in text:
            return stage
    return "filter"


def document_digest(messages: list[dict[str, Any]]) -> str:
    """The digest that a document's fence carries."""
    for message in reversed(messages):
        text = message.get("content")
        if isinstance(text, str) and (at := text.rfind("</document ")) >= 0:
            return text[at + 11 : at + 23]
    return ""


def _slots(messages: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for message in messages:
        for name, _, text in _FENCE.findall(str(message.get("content", ""))):
            found[name] = text
    return found


@lru_cache(maxsize=256)
def _sentences(document: str) -> tuple[str, ...]:
    return tuple(match[0].strip() for match in _SENTENCE.finditer(document))


def _cloze(document: str, choice: str) -> dict[str, str] | None:
    """A sentence of the document with one of its words blanked; which ones, the choice decides."""
    sentences = _sentences(document)
    for attempt in range(8):
        if not sentences:
            return None
        sentence = sentences[int(uniform(choice, str(attempt), "sentence") * len(sentences))]
        words = _WORD.findall(sentence)
        if not words:
            continue
        word = words[int(uniform(choice, str(attempt), "word") * len(words))]
        blanked = re.sub(rf"\b{re.escape(word)}\b", "____", sentence, flags=re.IGNORECASE)
        question = f"Which word or number completes this statement: {blanked}"
        kind = "number" if word[0].isdigit() else "phrase"
        if word.replace(",", "").lower() not in question.replace(",", "").lower():
            return {"evidence": sentence, "question": question, "answer": word, "answer_type": kind}
    return None


def answer(body: dict[str, Any], stage: str) -> dict[str, Any]:
    """The reply of that stage to the request."""
    messages = body["messages"]
    slots = _slots(messages)
    document = slots.get("document", "")
    if stage == "filter":
        return {"reason": "an informative page", "informative": True, "self_contained": True}
    if stage == "classify":
        start = int(uniform(document, "persona") * len(_PERSONAS))
        return {"domain": "Natural Science", "personas": [(_PERSONAS * 2)[start + i] for i in range(3)]}
    if stage == "generate":
        pair = _cloze(document, slots.get("persona", ""))  # the same in every layout of the prompt
        return {"pairs": [pair] if pair else []}
    if stage == "check":
        proposed, question = slots.get("answer", ""), slots.get("question", "")
        opening = question.partition(": ")[2].partition("____")[0]
        evidence = [s for s in _sentences(document) if proposed in s]
        best = next((s for s in evidence if s.startswith(opening)), next(iter(evidence), document[:80]))
        verdict = {"answer_correct": True, "has_context": True, "leaks_answer": False}
        return {"evidence": best, "own_answer": proposed, **verdict}
    return {"answer": "ok"}


def completion(body: dict[str, Any], stage: str, fault: str | None, digest: str) -> bytes:
    """A chat completion, or what a faulty server or model makes of it."""
    if fault == "bad_json":
        return b'{"id": "chatcmpl-1", "choices": [{"index": 0, "mess'
    value = answer(body, stage)
    whole = orjson.dumps(value).decode()
    text: str | None = whole
    finish, refusal = "stop", None
    if fault == "cut":
        text, finish = whole[: len(whole) // 2], "length"
    elif fault == "fenced":
        text = f"Sure, here is the result:\n```json\n{whole}\n```\nLet me know if you need more."
    elif fault == "python":
        text = repr(value)
    elif fault == "refusal":
        text, refusal = None, "I'm sorry, but I cannot help with that."
    elif fault == "content_filter":
        text, finish = "", "content_filter"
    elif fault == "garbage":
        text = "I think it is fine, yes."
    elif fault == "null_content":
        text = None
    sent = sum(len(str(message.get("content", ""))) for message in body["messages"])
    message = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    tokens = (len(text or "") + 3) // 4
    return orjson.dumps(
        {
            "id": f"chatcmpl-{digest[:24]}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": body.get("model"),
            "choices": [] if fault == "empty" else [choice],
            "usage": {
                "prompt_tokens": (sent + 3) // 4,
                "completion_tokens": tokens,
                "total_tokens": (sent + 3) // 4 + tokens,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        }
    )


def error(message: str, kind: str, code: str | None = None, param: str | None = None) -> bytes:
    """An error in OpenAI's form."""
    return orjson.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})


def unsupported(body: dict[str, Any], features: Set[str]) -> bytes | None:
    """How OpenAI and others refuse what a model does not take; None if the body has none of it."""
    asked = body.get("response_format") or {}
    form = asked.get("type")
    invalid = "invalid_request_error"
    if "schema" in asked and "json_object_schema" in features:
        text = "Unknown parameter: 'response_format.schema'."
        return error(text, invalid, "unknown_parameter", "response_format.schema")
    if form in features:
        return error(
            f"Invalid parameter: 'response_format' of type '{form}' is not supported with this model.", invalid
        )
    if "max_tokens" in features and "max_tokens" in body:
        text = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return error(text, invalid, "unsupported_parameter", "max_tokens")
    for name in ("temperature", "top_p", "seed"):
        if name in features and name in body:
            text = f"Unsupported value: '{name}' does not support {body[name]} with this model."
            return error(text, invalid, "unsupported_value", name)
    return None
