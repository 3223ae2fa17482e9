"""Chemical formulas and equations: H2O, H_2O and H₂O are the same, CO and Co are not."""

from __future__ import annotations

import re
from collections import Counter

from webscale_rl.reward.verdict import Match

_ELEMENTS = frozenset(
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts "
    "Og D T".split()
)
_ASKED = re.compile(r"\b(?:formula|chemical|compound|molecul|reaction|equation|ion|acid|oxide|symbol)", re.IGNORECASE)
_SCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋−", "0123456789+--")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_CHARGE = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]{0,3}[⁺⁻]")
_MARKUP = re.compile(r"\\(?:text|mathrm|ce|rm|mathsf|left|right|,|;|!)|[_{}$\s]|\\[()]")
_SPECIES = re.compile(
    r"(?P<count>[0-9]*)(?P<body>(?:[A-Z][a-z]?[0-9]*|[(\[][A-Za-z0-9]+[)\]][0-9]*|[·.*][0-9]*)+)"
    r"(?P<charge>\^?[0-9]*[+-]+)?"
)
_UNIT = re.compile(r"[A-Z][a-z]?")
_ARROW = re.compile(r"\\(?:rightarrow|to|longrightarrow|rightleftharpoons|leftrightarrow)|→|⟶|⇌|->|=>|<=>|=")
_STATE = re.compile(r"\((?:s|l|g|aq)\)")
_PART = re.compile(r"([A-Z][a-z]?)([0-9]{0,4})|([(\[])|([)\]])([0-9]{0,4})")
_WORDS = re.compile(r"[^\s,;:\"'`*]+")


def _plain(text: str) -> str:
    text = _CHARGE.sub(lambda found: "^" + found.group().translate(_RAISED), text.translate(_SCRIPTS))
    return _STATE.sub("", _MARKUP.sub("", text))


def _species(text: str) -> tuple[int, str, str] | None:
    """How many, of what, with which charge; None if this is no formula of elements."""
    found = _SPECIES.fullmatch(text)
    if found is None or not all(symbol in _ELEMENTS for symbol in _UNIT.findall(found["body"])):
        return None
    charge = (found["charge"] or "").lstrip("^")
    sign, digits = charge[-1:], charge.rstrip("+-")
    size = digits or (str(len(charge)) if charge else "")
    return int((found["count"] or "1")[:6]), found["body"], f"{size}{sign}"


def _sides(text: str) -> list[Counter[tuple[str, str]]] | None:
    """Each side of a reaction, or the one species, as how often each stands there."""
    sides = []
    for side in _ARROW.split(text):
        total: Counter[tuple[str, str]] = Counter()
        # a plus between species has spaces, the plus of a charge has none before it
        for part in re.split(r"\s\+\s|\+(?=[A-Z0-9(\[])", side):
            species = _species(_plain(part))
            if species is None:
                return None
            total[species[1:]] += species[0]
        sides.append(total)
    return sides if len(sides) <= 2 else None


def is_formula(text: str, question: str = "") -> bool:
    """Whether this is surely a chemical formula: two elements or a count, and subscripts or a question about one."""
    if len(text) > 200 or not any(map(str.isupper, text[:40])):
        return False
    sides = _sides(text)
    if sides is None:
        return False
    symbols = [symbol for side in sides for body, _ in side for symbol in _UNIT.findall(body)]
    counted = any(char.isdigit() for char in text.translate(_SCRIPTS))
    marked = bool(re.search(r"[A-Za-z)](?:_\{?\d|[₀-₉])", text)) and len(symbols) > 1
    return marked or (bool(_ASKED.search(question)) and (len(symbols) > 1 or counted or len(sides) == 2))


def compare(reference: str, answer: str) -> Match:
    """Whether the answer names the same substance or reaction; isomers in other notation are a judge's."""
    wanted = _sides(reference)
    given = _sides(answer.strip().strip(".$*` "))
    if given is None and len(wanted or ()) == 1:
        found = [sides for word in _WORDS.findall(answer[:400]) if (sides := _sides(word.strip(".()"))) is not None]
        named = [side for side in found if sum(len(_UNIT.findall(body)) for body, _ in side[0]) > 1 or side == wanted]
        given = named[0] if len({str(side) for side in named}) == 1 else None
    if wanted is None or given is None:
        return Match(None, "chemical")
    if wanted == given:
        return Match(True, "chemical")
    return Match(False if _atoms(wanted) != _atoms(given) else None, "chemical")


def _atoms(sides: list[Counter[tuple[str, str]]]) -> list[Counter[str]]:
    """How many atoms of each element, and which charges, a side has: isomers have the same."""
    result = []
    for side in sides:
        total: Counter[str] = Counter()
        for (body, charge), count in side.items():
            for symbol, number in _counted(body).items():
                total[symbol] += number * count
            total[charge] += count
        result.append(total)
    return result


def _counted(body: str) -> Counter[str]:
    levels: list[Counter[str]] = [Counter()]
    for symbol, number, opened, closed, times in _PART.findall(body):
        if symbol:
            levels[-1][symbol] += int(number or "1")
        elif opened:
            levels.append(Counter())
        elif closed and len(levels) > 1:
            for inner, count in levels.pop().items():
                levels[-1][inner] += count * int(times or "1")
    return sum(levels, Counter())
