"""Whether two formulas say the same as answers: values, sets, intervals, points, matrices, equations."""

from __future__ import annotations

from webscale_rl.reward.maths.evaluate import exact
from webscale_rl.reward.maths.latex import Unreadable
from webscale_rl.reward.maths.meaning import Meaning, Span, as_spans, read
from webscale_rl.reward.maths.relations import (
    equation_and_value,
    equations,
    inequalities,
    order_and_value,
    orders,
    spans_and_inequality,
)
from webscale_rl.reward.maths.tree import Node
from webscale_rl.reward.maths.values import Asked, other_name, scalar, units, values
from webscale_rl.reward.verdict import Match


def same(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """Whether the answer says what the reference says."""
    pair = reference.kind, answer.kind
    if pair in _BY_KIND:
        return _BY_KIND[pair](reference, answer, asked)
    if "inequality" in pair and {"spans", "tuple"} & set(pair):
        return spans_and_inequality(reference, answer)
    if "spans" in pair or "tuple" in pair:
        try:
            return Match(_same_spans(as_spans(reference), as_spans(answer), asked), "interval")
        except Unreadable:
            return Match(None if "set" in pair else False, "shape")
    if "base" in pair and "value" in pair:
        return _base_and_value(reference, answer, asked)
    if "ratio" in pair and "value" in pair:
        return _ratio_and_value(reference, answer, asked)
    return Match(None if "order" in pair or "word" in pair or "system" in pair else False, "shape")


def elements(one: Node, other: Node, asked: Asked) -> bool | None:
    """Whether two parts of sets, tuples or matrices are the same."""
    if one.op in _STRUCTURES or other.op in _STRUCTURES:
        try:
            return same(read(one), read(other), asked).same
        except Unreadable:
            return None
    return scalar(one, other, asked)


_STRUCTURES = frozenset({"tuple", "text", "matrix", "set", "rel", "deg", "pct", "unit"})


def _sets(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if reference.name and answer.name and other_name(reference.name, answer.name):
        return Match(False, "variable")
    if not units(reference.unit, answer.unit):
        return Match(None, "unit")
    wanted, given = _distinct(reference.parts, asked), _distinct(answer.parts, asked)
    if len(wanted) != len(given):
        return Match(False, "set")
    unsure, left = False, list(given)
    for part in wanted:
        verdicts = [elements(part, candidate, asked) for candidate in left]
        if True in verdicts:
            left.pop(verdicts.index(True))
        elif None in verdicts:
            unsure = True
        else:
            return Match(False, "set")
    return Match(None if unsure else True, "set")


def _distinct(parts: tuple[Node, ...], asked: Asked) -> list[Node]:
    kept: list[Node] = []
    for part in parts:
        if not any(elements(part, other, asked) for other in kept):
            kept.append(part)
    return kept


def _tuples(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if len(reference.parts) != len(answer.parts):
        return Match(False, "tuple")
    verdict = _all(reference.parts, answer.parts, asked)
    if reference.unit == answer.unit or verdict is False:
        return Match(verdict, "tuple")
    # (1, 2) and [1, 2] are two intervals, but (1, 2, 3) and [1, 2, 3] are one vector
    interval = len(reference.parts) == 2 and not asked.says("point", "coordinates", "vector", "pair")
    return Match(False if interval else verdict, "brackets")


def _all(ones: tuple[Node, ...], others: tuple[Node, ...], asked: Asked) -> bool | None:
    unsure = False
    for one, other in zip(ones, others, strict=True):
        verdict = elements(one, other, asked)
        if verdict is False:
            return False
        unsure = unsure or verdict is None
    return None if unsure else True


def _tuple_and_set(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """(1, 2) for 1 and 2: a list in brackets is the list; a point is no set, but a judge may see it otherwise."""
    verdict = _sets(reference._replace(unit=""), answer._replace(unit=""), asked).same
    if verdict is not True:
        return Match(verdict, "set")
    bracketed = answer.kind == "tuple" and answer.unit == "[]" and not asked.says("interval")
    in_order = _all(reference.parts, answer.parts, asked)
    plain = answer.kind == "set" and reference.unit == "()" and not asked.says("interval")
    return Match(
        True if bracketed or (plain and in_order and asked.says("ordered", "coordinates")) else None, "brackets"
    )


def _named(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    ones = dict(zip(reference.name.split(","), reference.parts, strict=True))
    others = dict(zip(answer.name.split(","), answer.parts, strict=True))
    if ones.keys() != others.keys():
        return Match(None if len(ones) == len(others) else False, "variable")
    return Match(_all(tuple(ones.values()), tuple(others[name] for name in ones), asked), "values")


def _named_and_tuple(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    named, plain = (reference, answer) if reference.kind == "named" else (answer, reference)
    if len(named.parts) != len(plain.parts):
        return Match(False, "tuple")
    names = named.name.split(",")
    verdict = _all(named.parts, plain.parts, asked)
    return Match(verdict if names == sorted(names) else None, "tuple")


def _matrices(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if [len(row.args) for row in reference.parts] != [len(row.args) for row in answer.parts]:
        return Match(False, "matrix")
    flat = [tuple(cell for row in meaning.parts for cell in row.args) for meaning in (reference, answer)]
    return Match(_all(flat[0], flat[1], asked), "matrix")


def _matrix_and_tuple(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    matrix, vector = (reference, answer) if reference.kind == "matrix" else (answer, reference)
    cells = tuple(cell for row in matrix.parts for cell in row.args)
    if len(cells) != len(vector.parts) or min(len(matrix.parts), len(matrix.parts[0].args)) != 1:
        return Match(None if any(part.op == "tuple" for part in vector.parts) else False, "matrix")
    return Match(_all(cells, vector.parts, asked), "matrix")


def _spans(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if reference.name and answer.name and other_name(reference.name, answer.name):
        return Match(False, "variable")
    return Match(_same_spans(reference.spans, answer.spans, asked), "interval")


def _same_spans(ones: tuple[Span, ...], others: tuple[Span, ...], asked: Asked) -> bool | None:
    if len(ones) != len(others):
        return False
    unsure = False
    for one, other in zip(ones, others, strict=True):
        if one[2:] != other[2:]:
            return False
        verdict = _all(one[:2], other[:2], asked)
        if verdict is False:
            return False
        unsure = unsure or verdict is None
    return None if unsure else True


def _base_and_value(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """52 for 52 in base 8 where the question names the base; its decimal value is another answer."""
    digits = reference.unit if reference.kind == "base" else answer.unit
    value = exact((answer if reference.kind == "base" else reference).parts[0])
    if value is None or str(value) != digits:
        return Match(False, "base")
    return Match(True if asked.says("base", "binary", "octal") else None, "base")


def _bases(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    return Match(reference.unit == answer.unit and reference.parts == answer.parts, "base")


def _ratio_and_value(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    ratio, value = (reference, answer) if reference.kind == "ratio" else (answer, reference)
    if len(ratio.parts) != 2 or not elements(Node("div", ratio.parts), value.parts[0], asked):
        return Match(False, "ratio")
    return Match(True if asked.says("ratio") else None, "ratio")


def _ratios(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if len(reference.parts) != len(answer.parts):
        return Match(False, "ratio")
    verdict = _all(reference.parts, answer.parts, asked)
    if verdict is not False or not asked.says("ratio"):
        return Match(verdict, "ratio")
    ones, others = (
        [Node("div", (part, meaning.parts[0])) for part in meaning.parts] for meaning in (reference, answer)
    )
    return Match(_all(tuple(ones), tuple(others), asked), "ratio")


def _words(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    return Match(True if reference.unit == answer.unit else None, "words")


def _value_and_set(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    return _sets(reference._replace(kind="set"), answer._replace(kind="set"), asked)


_BY_KIND = {
    ("value", "value"): values, ("set", "set"): _sets,
    ("value", "set"): _value_and_set, ("set", "value"): _value_and_set,
    ("tuple", "tuple"): _tuples, ("tuple", "set"): _tuple_and_set, ("set", "tuple"): _tuple_and_set,
    ("named", "named"): _named, ("named", "tuple"): _named_and_tuple, ("tuple", "named"): _named_and_tuple,
    ("matrix", "matrix"): _matrices, ("matrix", "tuple"): _matrix_and_tuple, ("tuple", "matrix"): _matrix_and_tuple,
    ("spans", "spans"): _spans, ("base", "base"): _bases, ("ratio", "ratio"): _ratios, ("word", "word"): _words,
    ("order", "order"): orders, ("order", "value"): order_and_value, ("inequality", "inequality"): inequalities,
    ("equation", "equation"): equations, ("equation", "value"): equation_and_value,
    ("value", "equation"): equation_and_value,
}  # fmt: skip

__all__ = ["Asked", "elements", "same"]
