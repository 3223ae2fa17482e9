"""What the test server says: replies to the stages and to the judge by rule, and errors as servers word them.

Asked without a document it knows what it asked itself, as if it had been trained on it: some of it always, some never,
some now and then, as the request's `seed` falls.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Set
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

_FENCE = re.compile(r"<(\w+) ([0-9a-f]{12})>\n")
_STEP = re.compile(r"^Step: (\w+)$", re.MULTILINE)
_SENTENCE = re.compile(r"[^.!?\n]{25,400}[.!?](?=\s|$)")
_WORD = re.compile(r"\b(?:\d[\d,]*(?:\.\d+)?|[A-Za-z]{5,})\b")
_SUBJECT = re.compile(r"^Subject: (.+)$", re.MULTILINE)
"""With such a line a document names its domain."""
_PERSONAS = (
    "a student preparing for an exam", "a journalist checking facts", "a teacher planning a lesson",
    "an engineer, new to the subject", "a parent who wants to explain it", "a researcher in the field",
    "a curious traveller", "a policy adviser", "a hobbyist",
)  # fmt: skip


class Usage(NamedTuple):
    """Tokens of one call. `cached` are part of `prompt`; the others of it were prefilled."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0


def uniform(*parts: str) -> float:
    """A number in 0..1 that depends on the parts alone."""
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


_STAGES = (
    ("check", "leaks_answer"), ("agree", "working"), ("generate", "pairs"), ("classify", "personas"),
    ("filter", "informative"), ("judge", "verdict"),
)  # fmt: skip
"""Each stage and a field that only its reply has."""
_SPEAKS = (
    ("check", "leaks_answer"), ("agree", '"working"'), ("generate", "answer_type"), ("classify", '"personas"'),
    ("judge", '"verdict"'), ("rationale", "`Answer: none`"), ("closed_book", "</answer>"),
)  # fmt: skip
_OWN = {
    "generate": ("persona",), "check": ("question", "answer"), "agree": ("question",), "closed_book": ("question",),
    "judge": ("question", "reference", "answer"), "rationale": ("question", "answer", "evidence"),
}  # fmt: skip
"""What, beside the document, tells two calls of a stage apart."""


class Asked(NamedTuple):
    """A request as the server understands it. `document` is the digest in its fence. `key` is a digest of the stage and
    of what is quoted to it, so that the same question has the same key, answer, service time and faults whichever
    client asks it, in whatever layout or encoding."""

    stage: str
    slots: dict[str, str]
    document: str
    key: str
    schema: dict[str, Any] | None = None


def content_text(content: Any) -> str:
    """A message's content, which may come as a list of parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def understand(body: dict[str, Any], stage: str = "") -> Asked:
    """What a request asks for. Which stage asks, its caller may know better than its text says."""
    texts = [content_text(message.get("content")) for message in body["messages"]]
    slots: dict[str, str] = {}
    document = ""
    for text in texts:
        at = 0
        while match := _FENCE.search(text, at):
            name, digest = match[1], match[2]
            end = text.find(f"\n</{name} {digest}>", match.end() - 1)
            if end < 0:
                at = match.end()
                continue
            slots[name] = text[match.end() : end]
            document = digest if name == "document" else document
            at = end
    stage = stage or _stage_of(body, texts)
    quoted = [slots.get(name, "") for name in ("document", *_OWN.get(stage, ()))]
    parts = [stage, *(quoted if any(quoted) else texts)]
    if body.get("seed") is not None:
        parts.append(str(body["seed"]))
    key = hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()
    return Asked(stage, slots, document, key, _schema(body))


def _stage_of(body: dict[str, Any], texts: list[str]) -> str:
    """By the fields of the reply's schema, else by its name, else by what the prompt says."""
    schema = _schema(body)
    if schema is not None:
        fields = schema.get("properties") or {}
        named = str(body["response_format"]["json_schema"].get("name", ""))
        return next((stage for stage, field in _STAGES if field in fields), named)
    if steps := _STEP.findall("\n".join(texts).rpartition("\n</document ")[2]):  # the stages share their instructions
        return str(steps[0])
    return next((stage for stage, field in _SPEAKS if any(field in text for text in texts)), "filter")


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    form = body.get("response_format")
    if not isinstance(form, dict) or not isinstance(form.get("json_schema"), dict):
        return None
    return form["json_schema"].get("schema") or {}


_LEAST: dict[str, Any] = {"string": "ok", "integer": 1, "number": 1.0, "boolean": True, "array": [], "null": None}


_KNOWN_MOST = 100_000
_known: dict[str, str] = {}
"""Answers by question: what the server has asked, the last hundred thousand."""


@lru_cache(maxsize=4096)
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
            if len(_known) >= _KNOWN_MOST:
                _known.pop(next(iter(_known)))
            _known[question] = word
            return {"evidence": sentence, "question": question, "answer": word, "answer_type": kind}
    return None


def _blanked_word(document: str, question: str) -> str:
    """What stands in the document where the question has its blank."""
    before, _, after = question.partition(": ")[2].partition("____")
    for sentence in _sentences(document):
        if before + after and sentence.startswith(before) and sentence.endswith(after.rpartition("____")[2]):
            words = _WORD.findall(sentence[len(before) :])
            return words[0] if words else ""
    return ""


def _recollection(asked: Asked) -> str:
    """What the model says to a question without a document: its answer, or a wrong one."""
    question = asked.slots.get("question", "")
    if uniform(asked.key, "recalls") < (-0.25, 0.5, 1.0)[int(uniform(question, "knows") * 3)]:
        return f"I remember this one.\n<answer>{_known.get(question, 'unknown')}</answer>"
    return "I am not sure, but I would say:\n<answer>none of these</answer>"


def _reasoning(asked: Asked) -> str:
    """How a model that was shown the answer comes to it: mostly well; else it says so, or honestly comes elsewhere."""
    answer, evidence = asked.slots.get("answer", ""), asked.slots.get("evidence", "")
    lot = uniform(asked.key, "reasons")
    if lot < 0.1:
        return "Answer: none"
    if lot < 0.2:
        return f"The given answer is {answer}, and {evidence}\n\nAnswer: {answer}"
    return f"Something is known about this. {evidence} That settles it.\n\nAnswer: {answer}"


def answer(asked: Asked) -> dict[str, Any]:
    """The reply of that stage to the request."""
    stage, slots = asked.stage, asked.slots
    document = slots.get("document", "")
    if stage == "filter":
        return {"reason": "an informative page", "informative": True, "self_contained": True}
    if stage == "classify":
        start = int(uniform(document, "persona") * len(_PERSONAS))
        named = _SUBJECT.search(document)
        domain = named[1] if named else "Natural Science"
        return {"domain": domain, "personas": [(_PERSONAS * 2)[start + i] for i in range(3)]}
    if stage == "generate":
        pair = _cloze(document, asked.key)
        return {"pairs": [pair] if pair else []}
    if stage == "check":
        proposed, question = slots.get("answer", ""), slots.get("question", "")
        opening = question.partition(": ")[2].partition("____")[0]
        evidence = [s for s in _sentences(document) if proposed in s]
        best = next((s for s in evidence if s.startswith(opening)), next(iter(evidence), document[:80]))
        verdict = {"answer_correct": True, "has_context": True, "leaks_answer": False}
        return {"evidence": best, "own_answer": proposed, **verdict}
    if stage == "agree":
        word = _blanked_word(document, slots.get("question", ""))
        return {"working": next((s for s in _sentences(document) if word and word in s), ""), "answer": word}
    if stage == "judge":
        sought, said = (set(re.findall(r"\w+", slots.get(name, "").lower())) for name in ("reference", "answer"))
        return {"reason": "by its words", "verdict": "correct" if sought and sought <= said else "incorrect"}
    fields = (asked.schema or {}).get("properties") or {"answer": {"type": "string"}}  # a client that tries us out
    return {name: _LEAST.get(str(field.get("type")), {}) for name, field in fields.items()}


def reply_text(asked: Asked, fault: str | None) -> str:
    """What the model writes; if it breaks off, the half of it."""
    value = answer(asked)
    in_words = {"closed_book": _recollection, "rationale": _reasoning}.get(asked.stage)
    text = in_words(asked) if in_words else orjson.dumps(value).decode()
    if fault == "cut":
        return text[: len(text) // 2]
    if fault == "fenced":
        return f"Sure, here is the result:\n```json\n{text}\n```\nLet me know if you need more."
    return {"python": repr(value), "garbage": "I think it is fine, yes.", "content_filter": ""}.get(fault or "", text)


def completion(model: Any, key: str, text: str, usage: Usage, fault: str | None = None) -> bytes:
    """A chat completion, or what a faulty server or model makes of it."""
    if fault == "bad_json":
        return b'{"id": "chatcmpl-1", "choices": [{"index": 0, "mess'
    content: str | None = None if fault in ("refusal", "null_content") else text
    refusal = "I'm sorry, but I cannot help with that." if fault == "refusal" else None
    message = {"role": "assistant", "content": content, "refusal": refusal}
    finish = {"cut": "length", "content_filter": "content_filter"}.get(fault or "", "stop")
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return orjson.dumps(
        {
            "id": f"chatcmpl-{key[:24]}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
            "choices": [] if fault == "empty" else [choice],
            "usage": {
                "prompt_tokens": usage.prompt,
                "completion_tokens": usage.completion,
                "total_tokens": usage.prompt + usage.completion,
                "prompt_tokens_details": {"cached_tokens": usage.cached},
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
