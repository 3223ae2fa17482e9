"""Which words of a response are its final answer. Looks at form alone: it never sees the reference.

In this order: the last closed `<answer>...</answer>`, the last closed `\\boxed{...}` or `\\fbox{...}`, the answer key
of a JSON object, the last marker ("Answer:", "The final answer is", "#### 42"), else the sentence that asserts the
answer (`unmarked.py`). What stands inside `<think>...</think>`, or before a lone `</think>`, is thought and never an
answer.

A response that ends inside its thoughts, its box or its tag was cut off: it has no answer, whatever came before. Tags
that are spoken of (`<answer>` in backticks or quotation marks) are words. Every step is linear in the response.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from webscale_rl.reward import markers, sentences, unmarked

if TYPE_CHECKING:
    from json import JSONDecoder

Style = Literal["any", "answer_tag", "boxed", "json", "marker"]
"""Which format is asked for. "any" takes the first that is there; each of the others takes only itself."""

STYLES: tuple[str, ...] = get_args(Style)
LONGEST_RESPONSE = 1_000_000
"""In characters; 250,000 tokens. No trainer samples more, and what is longer was made to be slow."""
LONGEST_ANSWER = 2_000
"""In characters. What is longer is no short answer: a document, or everything one knows."""
MOST_OTHERS = 8
"""How many other marked answers are kept: enough to tell that a response does not commit itself."""

_THINK = re.compile(r"<(/?)(?:think|thinking|thoughts?|reasoning|scratchpad)>", re.IGNORECASE)
_ANSWER = re.compile(r"<(/?)(?:final_?)?answer>", re.IGNORECASE)
_BOX = re.compile(r"\\(?:boxed|fbox)(?![a-zA-Z])\s{0,8}")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_BARE = re.compile(r"\\?[^\s${}\\,;]{1,100}")
_KEY = re.compile(
    r"[{,]\s{0,40}(?:\"(?:final|correct|short)?[ _-]?answer\"|'(?:final|correct"
    r"|short)?[ _-]?answer')\s{0,40}:\s{0,40}",
    re.IGNORECASE,
)
_SINGLE_QUOTED = re.compile(r"'((?:[^'\\\n]|\\.)*)'")
_ENDS_OF_TURN = (
    "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end_of_text|>", "<|end|>", "<|return|>", "<|eom_id|>", "</s>",
    "<eos>", "<end_of_turn>", "<｜end▁of▁sentence｜>", "[DONE]",
)  # fmt: skip
_QUOTES = frozenset("`'\"“”‘’«»")


class Extracted(NamedTuple):
    """A final answer: its text, where it stands in the response (in characters), and how it was found.

    `others` are the response's other answers of the same standing that read differently: other boxes, other tags.
    `more` are further sentences of an unmarked response that assert something.
    """

    text: str
    span: tuple[int, int]
    how: str
    others: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


class NoAnswer(NamedTuple):
    """Why a response has no final answer, in one word."""

    how: str


class Found(NamedTuple):
    """Answers of one format, from first to last; `cut_off` if the last one is not closed."""

    spans: list[tuple[int, int]]
    cut_off: bool = False


def extract(response: str, style: str | None = None, question: str = "", wanted: str = "") -> Extracted | NoAnswer:
    """The final answer of a response, or why there is none. Raises ValueError for a style that there is not.

    `question` and `wanted`, the type of the reference, help to tell which sentence of an unmarked response answers.
    If a list is wanted, several boxes, or the lines of a list, are one answer.
    """
    style = style or "any"
    if style not in STYLES:
        raise ValueError(f"style: there is no {style!r}; known: {', '.join(STYLES)}")
    if len(response) > LONGEST_RESPONSE:
        return NoAnswer("response_too_long")
    visible = outside_thoughts(response)
    if isinstance(visible, NoAnswer):
        return visible
    start, end = visible
    body = response[start:end]
    if not body.strip():
        return NoAnswer("empty")
    found = _marked(body, style, wanted == "list") or (_unmarked(body, question, wanted) if style == "any" else None)
    if found is None:
        return NoAnswer(f"no_{style}")
    if isinstance(found, NoAnswer):
        return found
    if not found.text:
        return NoAnswer("empty")
    if len(found.text) > LONGEST_ANSWER:
        return NoAnswer("answer_too_long")
    return found._replace(span=(start + found.span[0], start + found.span[1]))


def outside_thoughts(response: str) -> tuple[int, int] | NoAnswer:
    """The last part of the response that is not thought, without the tokens that end a turn."""
    start, end = 0, len(response)
    if "<" in response:
        last, depth, at = (0, 0), 0, 0
        for tag in _THINK.finditer(response):
            if _is_spoken_of(response, tag):
                continue
            if tag[1]:  # what stands before a lone closing tag is thought as well: the prompt had opened it
                depth, at = 0, tag.end()
                continue
            if depth == 0 and response[at : tag.start()].strip():
                last = (at, tag.start())
            depth = 1
        if depth:
            return NoAnswer("unfinished_think")
        start = at
        if not response[at:].strip() and last[1]:
            start, end = last
    return start, end_of_turn(response, start, end)


def end_of_turn(text: str, start: int = 0, end: int | None = None) -> int:
    """Where the text ends without white space and the tokens that end a turn, which some decoders leave in."""
    end = len(text) if end is None else end
    while True:
        while end > start and text[end - 1].isspace():
            end -= 1
        if text[end - 1 : end] not in {">", "]"}:
            return end
        token = next((token for token in _ENDS_OF_TURN if text.endswith(token, start, end)), None)
        if token is None:
            return end
        end -= len(token)


def _is_spoken_of(text: str, tag: re.Match[str]) -> bool:
    before, after = text[tag.start() - 1 : tag.start()], text[tag.end() : tag.end() + 1]
    return before in _QUOTES and after in _QUOTES and before != "" and after != ""


def _marked(body: str, style: str, several: bool) -> Extracted | NoAnswer | None:
    """The answer in the first format that is there."""
    if style in {"any", "answer_tag"} and "<" in body:
        tags = _tags(body)
        if tags.cut_off:
            return NoAnswer("unclosed_answer")
        if tags.spans:
            rival = [body[slice(*span)] for span in _boxes(body).spans if not _within(span, tags.spans)]
            return _inner(body, _last(body, tags.spans, "answer_tag", rival, several))
    if style in {"any", "boxed"} and "\\" in body:
        boxes = _boxes(body)
        if boxes.cut_off:
            return NoAnswer("unclosed_box")
        if boxes.spans:
            return _last(body, boxes.spans, "boxed", _rival_lines(body, boxes.spans), several)
    if style in {"any", "json"} and "{" in body:
        found = _json(body, several)
        if found is not None:
            return found
    if style in {"any", "marker"}:
        marked = markers.last(body, several)
        if marked is not None:
            start, end = marked.span
            inner = _inner_text(body[start:end])
            others = tuple(_inner_text(other)[0] for other in marked.others)
            return Extracted(inner[0], (start + inner[1], start + inner[2]), "marker", others)
    return None


def _unmarked(body: str, question: str, wanted: str) -> Extracted | NoAnswer:
    chosen = unmarked.choose(body, question, wanted)
    if chosen is None:
        return NoAnswer("no_assertion")
    return Extracted(chosen.text, chosen.span, chosen.how, chosen.others, chosen.more)


def _tags(body: str) -> Found:
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    for tag in _ANSWER.finditer(body):
        if _is_spoken_of(body, tag):
            continue
        if not tag[1]:
            opened = tag.end()
        elif opened is not None:
            spans.append((opened, tag.start()))
            opened = None
    return Found(spans, opened is not None)


def _boxes(body: str) -> Found:
    """The contents of all outermost boxes. One pass over the braces, however deep they are."""
    if "\\boxed" not in body and "\\fbox" not in body:
        return Found([])
    openings = {box.end(): box for box in _BOX.finditer(body)}
    spans = [
        (at, bare.end()) for at in openings if body[at : at + 1] != "{" and (bare := _BARE.match(body, at)) is not None
    ]
    depth, inside, opened, cut_off = 0, -1, 0, False
    for brace in _BRACE.finditer(body, min(openings, default=len(body))):
        at, sign = brace.start(), brace[0]
        if sign == "{":
            depth += 1
            if inside < 0 and at in openings:
                inside, opened = depth, at + 1
        elif sign == "}" and depth:
            if depth == inside:
                spans.append((opened, at))
                inside = -1
            depth -= 1
    if inside >= 0:
        cut_off = True
    return Found(sorted(spans), cut_off)


def _within(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in others)


def _rival_lines(body: str, spans: list[tuple[int, int]]) -> list[str]:
    """Answers on marked lines that hold none of these boxes."""
    last_start, last_end = spans[-1]
    return [
        body[start:end]
        for start, end in markers.lines(body)
        if not any(start <= box[0] and box[1] <= end for box in spans[-20:])
        and not (start <= last_start < last_end <= end)
    ]


def _last(body: str, spans: list[tuple[int, int]], how: str, rivals: list[str], several: bool) -> Extracted:
    """The last of these answers, with those before it that read differently; all of them as one if a list is wanted."""
    start, end = spans[-1]
    text, left, _ = _peeled(body[start:end])
    mine = markers.key(text)
    before = [] if sentences.corrects(body[spans[-2][1] : start] if len(spans) > 1 else "") else spans[:-1]
    if several and before and len(spans) <= MOST_OTHERS * 2:
        texts = list(dict.fromkeys(_peeled(body[slice(*span)])[0] for span in spans))
        return Extracted(", ".join(filter(None, texts)), (spans[0][0], end), how)
    others: dict[str, str] = {}
    for other in (*(body[slice(*span)] for span in before[-64:]), *rivals):
        plain = _peeled(other)[0]
        if plain and (key := markers.key(plain)) != mine:
            others.setdefault(key, plain)
        if len(others) == MOST_OTHERS:
            break
    return Extracted(text, (start + left, start + left + len(text)), how, tuple(others.values()))


def _inner(body: str, found: Extracted) -> Extracted:
    """A tag may hold a box or a marker of its own: then that is the answer."""
    start, end = found.span
    text, left, right = _inner_text(body[start:end]) if found.text == body[start:end] else (found.text, 0, end - start)
    return found._replace(
        text=text, span=(start + left, start + right), others=tuple(_inner_text(other)[0] for other in found.others)
    )


def _inner_text(text: str) -> tuple[str, int, int]:
    boxes = _boxes(text)
    if len(boxes.spans) == 1 and not boxes.cut_off:
        start, end = boxes.spans[0]
        inner, left, _ = _peeled(text[start:end])
        return inner, start + left, start + left + len(inner)
    inner_marker = markers.last(text, False) if len(text) <= LONGEST_ANSWER else None
    if inner_marker is not None:
        return text[slice(*inner_marker.span)], *inner_marker.span
    plain, left, right = _peeled(text)
    return plain, left, right


def _peeled(text: str) -> tuple[str, int, int]:
    """The text without a box of its own, white space and bold marks at its ends, and where that begins and ends."""
    left, right = sentences.trimmed(text, 0, len(text))
    inner = _BOX.match(text, left, right)
    while inner is not None and text[inner.end() : inner.end() + 1] == "{" and text[right - 1 : right] == "}":
        left, right = sentences.trimmed(text, inner.end() + 1, right - 1)
        inner = _BOX.match(text, left, right)
    return sentences.plain(text[left:right]), left, right


@lru_cache(maxsize=1)
def _decoder() -> JSONDecoder:
    import json  # few responses need it, and every import of the reward would pay for it

    return json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def _json(body: str, several: bool) -> Extracted | NoAnswer | None:
    """The value of the last answer key whose object is closed, as text: a list's items are joined by commas. If no list
    is wanted, each of them is an answer of its own."""
    found = list(_json_values(body))
    if not found:
        return None
    value, span = found[-1]
    text = _as_text(value)
    if "}" not in body[span[1] :]:
        return NoAnswer("unclosed_json")
    texts = [_as_text(other) for other, _ in found[:-1]]
    if isinstance(value, (list, dict)) and len(value) > 1 and not several:
        texts += map(_as_text, value.values() if isinstance(value, dict) else value)
    others = {markers.key(other): other for other in texts if markers.key(other) != markers.key(text)}
    return Extracted(text, span, "json", tuple(others.values())[:MOST_OTHERS])


def _json_values(body: str) -> Iterator[tuple[object, tuple[int, int]]]:
    for count, key in enumerate(_KEY.finditer(body)):
        if count == 64:
            return
        at = key.end()
        quoted = _SINGLE_QUOTED.match(body, at, at + LONGEST_ANSWER)
        if quoted is not None:
            yield quoted[1].strip(), (at, quoted.end())
            continue
        try:
            value, end = _decoder().raw_decode(body[: at + 2 * LONGEST_ANSWER], at)
        except (ValueError, RecursionError):
            continue
        yield value, (at, end)


def _as_text(value: object, depth: int = 0) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or depth > 4:
        return ""
    if isinstance(value, list):
        return ", ".join(_as_text(item, depth + 1) for item in value[:100])
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_as_text(item, depth + 1)}" for name, item in list(value.items())[:100])
    return str(value).strip()
