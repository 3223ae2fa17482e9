"""Formulas: LaTeX and plain notation, compared by value.

The same value in another form is right: 3/6 for 1/2, (x+1)² for x²+2x+1, `x > 2` for (2, ∞), "2 or 3" for {2, 3},
x = 5 for 5. A decimal for an exact value is right from four correct digits on and otherwise a judge's
(`maths/values.py`). What is not yet an answer is not right: an expression that the question itself states, a product
where it asks to expand, a sum where it asks to factor. Not covered: sums, integrals, limits, piecewise functions; they
match only to the letter.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from webscale_rl.reward import numbers
from webscale_rl.reward.maths import chemistry, worker
from webscale_rl.reward.maths.equality import Asked, same
from webscale_rl.reward.maths.evaluate import exact
from webscale_rl.reward.maths.expression import parse
from webscale_rl.reward.maths.latex import MAX_CHARACTERS, Unreadable
from webscale_rl.reward.maths.lexemes import FUNCTIONS
from webscale_rl.reward.maths.mathspan import bare, candidates, doubtful, visible
from webscale_rl.reward.maths.meaning import Meaning, read
from webscale_rl.reward.maths.tree import Node, symbols, walk
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.reference import infer as infer_any
from webscale_rl.reward.reference import kind as kind_module
from webscale_rl.reward.verdict import Match

_UNREAD = Match(None, "unreadable")
_MATHEMATICAL = re.compile(
    r"\\[A-Za-z]+|\\[{%$!,]|[\^√∛π∞≤≥≠≈∪∩∈±×·²³⁴ⁿ½⅓¼¾∅ℝ]|sqrt ?\(|\blog_|_\{|\d_\d|\d!\s*(?:\$|\\\))"
)
_RELATION = re.compile(r"[^\s=<>!]\s*(?:=|<=?|>=?|!=)\s*[^\s=<>]")
_OPERATION = re.compile(r"[\w)\]] ?[+*/-] ?[\w(\[]|\d[A-Za-z]|[A-Za-z)]\(|\d\(")
_BRACKETED = re.compile(r"[(\[{].*,.*[)\]}]", re.DOTALL)
_COMMA_GROUP = re.compile(r"\d,\d{3}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_WITH_LETTERS = re.compile(r"[0-9)]\s?[a-z]\b|\b[a-zA-Z]\s?[-+*/=]\s?[0-9(]|[0-9)]\s?[-+*/]\s?[0-9]*[a-zA-Z]\b")
_UNIT_LETTERS = frozenset("mgsLlhNJWVAKCFTdµkMBbnp")
"""Behind a number they may be a unit, or thousand, million, billion: the other kinds know."""
_SOLVED = re.compile(r"\$|\\[(\[]|\b(?:solve|solutions?|roots?|zeros|equation)\b", re.IGNORECASE)
_WRITTEN = re.compile(r"\\(?:text|mbox|mathrm|textbf|textit)\s?\{([^{}]*)\}")
_BETWEEN = re.compile(r"(?<=[A-Za-z0-9])\s+(?=[A-Za-z0-9])")
_ABSOLUTE = re.compile(r"\|[^|]*[a-z][^|]*\|")
_COMPUTED = re.compile(
    r"^[\s$\[\\]{0,6}(?:\\d?frac\{d[^={}]{0,20}\}\{d[^={}]{0,20}\}|d\w{0,2}/d\w|\\int|\\lim|\\sum|\\prod)[^=]{0,300}=(?=.)",
    re.DOTALL,
)
"""A left side that says what was computed: of "d/dx x^2 = 2x" the right side answers."""
_LAYOUT = re.compile(r"\\(?:left|right|displaystyle|text|mathrm|mbox|,|!|;|:| )|[\s{}$]|\\[()\[\]]|(?<=\\)[dt](?=frac)")


def infer(answer: str, question: str = "") -> Reference | None:
    """The reference, if this is LaTeX, an equation, an expression with variables, a point or an interval, or a chemical
    formula where the question asks for one. Words and plain numbers are other kinds'."""
    text = visible(answer)
    if len(text) > MAX_CHARACTERS or not text.strip():
        return None
    if chemistry.is_formula(bare(text), question):
        return Reference(answer, "formula")
    meaning = _meaning(text)
    if meaning is None:
        return None
    if _MATHEMATICAL.search(text):
        return Reference(answer, "formula")
    if meaning.kind == "word" or any("text" in (part.op, *(arg.op for arg in part.args)) for part in meaning.parts):
        return None
    return Reference(answer, "formula") if _is_plain_formula(text, meaning, question) else None


def _is_plain_formula(text: str, meaning: Meaning, question: str) -> bool:
    """Whether plain characters are surely a formula: "p - q" and "(3, 4)" are, "24/7" and "2k" need not be."""
    if meaning.kind in ("equation", "spans", "inequality", "named") and _RELATION.search(text):
        return True
    if meaning.kind == "set" and len(meaning.parts) > 1 and _SOLVED.search(question):
        return all(exact(part) is not None for part in meaning.parts)
    if meaning.kind == "value" and meaning.name and _RELATION.search(text):
        return True
    if meaning.kind == "order" or (meaning.kind == "tuple" and _BRACKETED.search(text)):
        return True
    if meaning.kind == "set" and meaning.parts and text.strip().startswith(("{", "\\{", "±")):
        return True
    if meaning.kind == "ratio":
        return "ratio" in question.lower()
    if meaning.kind != "value":
        return False
    if meaning.parts[0].op == "fact" or _ABSOLUTE.fullmatch(text.strip()):
        return True
    names = {part.name for tree in meaning.parts for part in walk(tree) if part.op in ("sym", "const")}
    if names and any(part.op == "fact" for tree in meaning.parts for part in walk(tree)):
        return True
    if not names or not _OPERATION.search(text) or any(word not in FUNCTIONS for word in _WORD.findall(text)):
        return False
    if names & set(re.findall(r"\$[^$]*?([a-z])[^$]*\$", question)):
        return True
    return " " in text.strip() or sum(char.isdigit() for char in text) + text.count("(") > 1 or "+" in text


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer states the reference's value, set, interval, point, matrix or equation."""
    if len(answer) > MAX_CHARACTERS:
        return Match(None, "too_long")
    text = visible(answer)
    if _COMPUTED.match(text) and not _COMPUTED.match(visible(reference.answer)):
        text = _COMPUTED.sub("", text, count=1)
    best: Match | None = None
    for wording in (reference.answer, *reference.aliases):
        match = _compare(visible(wording), text, question, ordered=reference.ordered)
        if match.same:
            return match
        best = match if best is None or best.same is False else best
    return best or _UNREAD


def is_expression(answer: str) -> bool:
    """Whether an answer is mathematics that says other than one number, with or without a unit: "5r^5", a point.

    For the kinds of plain values: a number that such an answer holds is not what it says; `compare` can tell.
    """
    if len(answer) > MAX_CHARACTERS or not (_MATHEMATICAL.search(answer) or _WITH_LETTERS.search(answer)):
        return False
    found = _stated(visible(answer))
    if found is None or found[1].kind == "word":
        return False
    meaning = found[1]
    if meaning.kind != "value":
        return True
    inner = meaning.parts[0].args[0] if meaning.parts[0].op == "neg" else meaning.parts[0]
    names = symbols(inner)
    measured = bool(names) and names <= _UNIT_LETTERS and inner.op in ("mul", "div")
    return not (measured or inner.op in ("num", "base") or (inner.op == "div" and exact(inner) is not None))


class _Sought(NamedTuple):
    """What is known of a reference before there is an answer. `identity`: an equation of constants, such as Euler's."""

    squeezed: str
    chemical: bool
    meaning: Meaning | None
    identity: bool
    asked: Asked


@lru_cache(maxsize=512)
def _sought(wording: str, question: str) -> _Sought:
    plain = bare(wording)
    meaning = _meaning(wording)
    return _Sought(
        squeezed=_squeezed(plain),
        chemical=chemistry.is_formula(plain, question),
        meaning=meaning,
        identity=meaning is not None and meaning.kind == "value" and not meaning.name and "=" in wording,
        asked=Asked(question.lower(), crc32(wording.encode("utf-8", "replace"))),
    )


def _compare(wording: str, answer: str, question: str, *, ordered: bool) -> Match:
    sought = _sought(wording, question)
    if sought.squeezed == _squeezed(bare(answer)):
        return Match(True, "wording")
    if sought.chemical:
        return chemistry.compare(bare(wording), answer)
    wanted, asked = sought.meaning, sought.asked
    if wanted is None:
        return _UNREAD
    if wanted.kind == "word":
        return _words(wanted, wording, answer, question)
    if doubtful(answer):
        return Match(None, "doubt")
    if sought.identity and "=" not in answer:
        return Match(None, "equation")
    given = _stated(answer)
    if given is None:
        return _UNREAD
    match = _ordered(wanted, given[1], asked) if ordered else same(wanted, given[1], asked)
    if match.same is not True and (_COMMA_GROUP.search(wording) or _COMMA_GROUP.search(answer)):
        match = _as_lists(wording, given[0], asked) or match
    if match.rule == "undecided" and worker.enabled() and wanted.parts and given[1].parts:
        match = worker.equal(wanted.parts[0], given[1].parts[0])
    if match.same and (why := _unfinished(wanted, given, wording, question)):
        return why
    return match


def _words(wanted: Meaning, wording: str, answer: str, question: str) -> Match:
    """A reference in words, such as `\\text{east}`, is of another kind; its module knows what words mean."""
    for text in candidates(answer):
        stated = _meaning(text) if text.startswith("\\") else None
        if stated is not None and stated.kind == "word" and stated.unit == wanted.unit and not doubtful(answer):
            return Match(True, "words")
    unwrapped = bare(_WRITTEN.sub(r"\1", wording))
    plain = infer_any(unwrapped, question)
    module = kind_module(plain.type)
    if module is None or plain.type == "formula":
        return _UNREAD
    return module.compare(plain, _WRITTEN.sub(r"\1", answer), question)


def _ordered(wanted: Meaning, given: Meaning, asked: Asked) -> Match:
    """Lists whose order matters are compared as points."""
    one, other = (m._replace(kind="tuple", unit="()") if m.kind == "set" else m for m in (wanted, given))
    return same(one, other, asked)


def _as_lists(wording: str, stated: str, asked: Asked) -> Match | None:
    """The comparison with every comma between two numbers: "100, 200" for "100,200"."""
    wanted, given = _meaning(wording, grouped=False), _meaning(stated, grouped=False)
    if wanted is None or given is None:
        return None
    match = same(wanted, given, asked)
    return match if match.same else None


def _squeezed(text: str) -> str:
    """The text without layout. Two numbers side by side stay two."""
    return _LAYOUT.sub("", _BETWEEN.sub("␣", text)).rstrip(".")


@lru_cache(maxsize=1024)
def _meaning(text: str, *, grouped: bool = True) -> Meaning | None:
    try:
        return read(parse(bare(text), grouped=grouped))
    except Unreadable:
        return None


@lru_cache(maxsize=512)
def _stated(answer: str) -> tuple[str, Meaning] | None:
    """What the answer states, and in which of its words."""
    for text in candidates(answer):
        meaning = _meaning(text) if text else None
        if meaning is not None and (meaning.kind != "word" or text == answer.strip()):
            return text, meaning
    number = numbers.parse(answer)
    if number is None:
        return None
    return answer, Meaning("value", (Node("num", value=number.value),))


def _unfinished(wanted: Meaning, given: tuple[str, Meaning], wording: str, question: str) -> Match | None:
    """Why an expression of the right value is not yet an answer, if so."""
    if not question:
        return None
    text, meaning = given
    asked = _asked(question)
    stated = _squeezed(bare(text)).rpartition("=")[2]
    compound = any(part.op in _COMPOUND for tree in meaning.parts for part in walk(tree))
    if (
        compound
        and meaning.parts != wanted.parts
        and len(stated) > 2
        and stated in asked
        and stated != _squeezed(bare(wording)).rpartition("=")[2]
    ):
        return Match(False, "echo")
    if len(wanted.parts) != 1 or len(meaning.parts) != 1:
        return None
    lower = question.lower()
    target, found = wanted.parts[0], meaning.parts[0]
    if "factor" in lower and target.op in ("mul", "pow") and found.op == "add" and symbols(target):
        return Match(False, "not_factored")
    if ("expand" in lower or "simplif" in lower) and target.op == "add" and symbols(target) and _factored(found):
        return Match(False, "not_expanded")
    return _arithmetic(target, found, lower)


_COMPOUND = frozenset({"add", "mul", "div", "pow", "fn", "fact"})


@lru_cache(maxsize=512)
def _asked(question: str) -> str:
    return _squeezed(question)


def _factored(node: Node) -> bool:
    inner = node.args[0] if node.op == "pow" else node
    return node.op in ("mul", "pow") and any(part.op == "add" for part in (inner, *inner.args))


def _arithmetic(target: Node, found: Node, question: str) -> Match | None:
    """Arithmetic that is left to do where the reference is a plain number is a judge's; so is a fraction that is not in
    lowest terms where those were asked for."""
    if symbols(found) or symbols(target) or target.op not in ("num", "neg", "div"):
        return None
    value = exact(target)
    if value is None or exact(found) is None:
        return None
    if found.op == "add" or (found.op == "mul" and all(exact(arg) is not None for arg in found.args)):
        return Match(None, "unevaluated")
    if found.op == "div" and any(
        word in question for word in ("simplest", "lowest terms", "simplified", "common fraction")
    ):
        upper, lower = exact(found.args[0]), exact(found.args[1])
        if upper is not None and lower is not None and abs(upper) != abs(value.numerator) and value.denominator > 1:
            return Match(None, "not_in_lowest_terms")
    return None
