"""From LaTeX, Unicode and plain notation to tokens: one linear pass, nothing is evaluated.

Layout is dropped (`\\left`, `\\,`, `\\displaystyle`), spellings are unified (`\\dfrac`, `\\times`, `√`, `²`, `≤`), and words
are told from variables: "sqrt" is a function, "cm" after a number is a unit, "xy" is x times y, "Evelyn" is a word.
Not covered, and refused: sums, integrals, limits, `\\begin{cases}`, numbers with a decimal comma.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

MAX_CHARACTERS = 2_000
"""A final answer that is longer is no short answer."""
MAX_TOKENS = 600
MAX_NESTED = 3
"""Texts in texts, such as `\\text{in \\mathrm{cm}}`."""

Kind = Literal[
    "num", "sym", "const", "fn", "op", "open", "close", "bar", "sep", "rel", "join", "text", "cmd", "env", "end"
]


class Token(NamedTuple):
    """`spaced` says that white space stands before it."""

    kind: Kind
    text: str
    spaced: bool = False


class Unreadable(ValueError):
    """No formula that this reader knows."""


_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar partial nabla"
)
_LETTERS = {name: name.removeprefix("var") for name in _GREEK.split()}
_LETTERS |= dict(zip("αβγδεζηθικλμνξρστυφχψωΓΔΘΛΞΣΦΨΩℓ∂", (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell partial"
).split(), strict=True))  # fmt: skip
FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth log ln lg exp abs floor ceil "
    "min max gcd lcm sqrt cbrt det arg Re Im".split()
)
_ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "cosec": "csc", "tg": "tan", "ctg": "cot"}
_ALIASES |= {"ceiling": "ceil", "√": "sqrt", "∛": "cbrt"}
_RELATIONS = {
    "le": "<=",
    "leq": "<=",
    "leqslant": "<=",
    "ge": ">=",
    "geq": ">=",
    "geqslant": ">=",
    "lt": "<",
    "gt": ">",
}
_RELATIONS |= {"neq": "!=", "ne": "!=", "approx": "~", "in": "in", "equiv": "=", "sim": "~", "simeq": "~", "cong": "~"}
_RELATIONS |= {"≤": "<=", "⩽": "<=", "≥": ">=", "⩾": ">=", "≠": "!=", "≈": "~", "∈": "in", "≡": "=", "~": "~"}
_OPERATORS = {
    "times": "*",
    "cdot": "*",
    "ast": "*",
    "div": "/",
    "pm": "±",
    "mp": "∓",
    "cup": "∪",
    "cap": "∩",
    "bullet": "*",
}
_OPERATORS |= {"setminus": "∖", "backslash": "∖", "over": "/", "union": "∪", "choose": "choose", "star": "*"}
_OPERATORS |= dict.fromkeys("×·∙⋅•∗", "*") | dict.fromkeys("÷∕⁄", "/") | dict.fromkeys("−–‒﹣－", "-") | {"＋": "+"}
_CONSTANTS = {"pi": "pi", "π": "pi", "infty": "oo", "∞": "oo", "infinity": "oo", "inf": "oo", "e": "e", "i": "i"}
_CONSTANTS |= {"emptyset": "empty", "varnothing": "empty", "∅": "empty", "ℝ": "reals", "imath": "i", "ⅈ": "i"}
_BRACKETS = {
    "langle": "(",
    "rangle": ")",
    "⟨": "(",
    "⟩": ")",
    "lbrace": "{",
    "rbrace": "}",
    "lbrack": "[",
    "rbrack": "]",
}
_BRACKETS |= {
    "lparen": "(",
    "rparen": ")",
    "{": "{",
    "}": "}",
    "lfloor": "⌊",
    "rfloor": "⌋",
    "lceil": "⌈",
    "rceil": "⌉",
}
_CLOSING = frozenset(")]}⌋⌉")
_BARS = frozenset({"vert", "lvert", "rvert", "mid", "|", "Vert"})
_NOTHING = frozenset(
    "left right big Big bigl bigr Bigl Bigr bigg Bigg biggl biggr Biggl Biggr displaystyle textstyle limits nolimits quad "
    "qquad , ; : ! > thinspace enspace mathstrut hfill noindent null".split()
) | {" ", "\n"}  # fmt: skip
_WRITTEN = frozenset("text textbf textit textrm mbox hbox textnormal texttt emph textsf".split())
_STYLED = frozenset(
    "mathrm mathbf mathit mathsf mathcal mathbb operatorname boldsymbol bm rm vec hat mathop ce".split()
)
_BUILDERS = frozenset("frac sqrt binom overline bar dot".split())
_JOINS = {"or": "or", "and": "and", "lor": "or", "vee": "or", "land": "and", "wedge": "and", "∨": "or", "∧": "and"}
_JOINS |= {
    "implies": "so",
    "Rightarrow": "so",
    "Longrightarrow": "so",
    "⇒": "so",
    "→": "to",
    "to": "to",
    "rightarrow": "to",
}
UNITS = frozenset(
    "cm mm km kg mg ml ft mi lb lbs oz hr hrs min sec mph kph in yd nm kw kwh mol hz khz mhz ghz mpa kpa pa ev kev mev kj "
    "kcal cal gal pt qt rad deg cents cent units unit dollars degrees degree inches feet miles meters minutes hours".split()
)
_SHORT_WORDS = frozenset(
    "is the if for are not all no of so we to at by an as be it its on yes per has any let but was can may one two ten "
    "up day ago age men odd sum end how who why our his her new old now none".split()
)
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿˣⁱ", "0123456789+-nxi", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙₓᵢ", "0123456789+-nxi", strict=True))
_VULGAR = {
    "½": (1, 2),
    "⅓": (1, 3),
    "⅔": (2, 3),
    "¼": (1, 4),
    "¾": (3, 4),
    "⅕": (1, 5),
    "⅖": (2, 5),
    "⅗": (3, 5),
    "⅘": (4, 5),
}
_VULGAR |= {"⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8)}
_LEXEME = re.compile(
    r"(?P<space>[\s\u00a0\u2000-\u200b\u202f]+)"
    r"|(?P<num>[0-9]{1,3}(?:(?:\{,\}|,\\!|\\!,|\\,|\u202f|\u2009)\s?[0-9]{3})+(?![0-9])(?:\.[0-9]+)?"
    r"|[0-9]+\.(?=\\(?:overline|bar|dot)\b)|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4}(?![\w.]))?)"
    r"|(?P<word>[A-Za-z]+)"
    r"|\\(?P<cmd>[A-Za-z]+|.|\n)"
    r"|(?P<char>.)",
    re.DOTALL,
)
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?")
_NOT_NUMBER = re.compile(r"[^0-9.eE+-]")
_PRIMES = {"'": "'", "′": "'", "’": "'", "″": "''"}


class _Lexer:
    """One pass over a text. `grouped`: at the outermost level "1,234" is one number; in brackets it is two."""

    def __init__(self, text: str, grouped: bool, nested: int = 0) -> None:
        if len(text) > MAX_CHARACTERS or nested > MAX_NESTED:
            raise Unreadable("too long")
        self.nested = nested
        self.text = text
        self.grouped = grouped
        self.at = 0
        self.depth = 0
        self.spaced = False
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        """All tokens, with an "end"."""
        while self.at < len(self.text):
            found = _LEXEME.match(self.text, self.at)
            if found is None:
                raise Unreadable("a character that cannot be")
            self.at = found.end()
            kind = found.lastgroup
            if kind == "space":
                self.spaced = True
                continue
            if kind == "num":
                self._number(found.start(), found.group())
            elif kind == "word":
                self._word(found.group())
            elif kind == "cmd":
                self._command(found.group("cmd"))
            else:
                self._character(found.group())
            if len(self.tokens) > MAX_TOKENS:
                raise Unreadable("too long")
        self._add("end", "")
        return self.tokens

    def _add(self, kind: Kind, text: str) -> None:
        self.tokens.append(Token(kind, text, self.spaced))
        self.spaced = False

    def _number(self, start: int, literal: str) -> None:
        if self.depth == 0 and self.grouped:
            wide = _GROUPED.match(self.text, start)
            if wide is not None and wide.end() > self.at:
                literal, self.at = wide.group(), wide.end()
        self._add("num", _NOT_NUMBER.sub("", literal))

    def _word(self, run: str) -> None:
        lower = run.lower()
        if self._known(run) or (len(run) > 2 and self._known(lower)):
            return
        last = self.tokens[-1] if self.tokens else None
        after_value = last is not None and (last.kind == "num" or last.text in (")", "}", "°"))
        if after_value and lower in UNITS:
            self._add("text", lower)
        elif len(run) == 1:
            self._add("sym", run)
        elif lower in _SHORT_WORDS or len(run) > 3:
            if not self._glued(run):
                self._add("text", run)
        else:
            for letter in run:
                self._letter(letter)

    def _letter(self, letter: str) -> None:
        if not self._known(letter):
            self._add("sym", letter)

    def _known(self, word: str) -> bool:
        if word in FUNCTIONS or word in _ALIASES:
            self._add("fn", _ALIASES.get(word, word))
        elif word in _CONSTANTS:
            self._add("const", _CONSTANTS[word])
        elif word in _LETTERS:
            self._add("sym", _LETTERS[word])
        elif word in ("or", "and"):
            self._add("join", word)
        elif word == "union" or word == "choose":
            self._add("op", _OPERATORS[word])
        elif word == "to":
            self._add("op", ":")
        elif word in ("degrees", "degree", "deg"):
            self._add("op", "°")
        elif word == "percent":
            self._add("op", "%")
        else:
            return False
        return True

    def _glued(self, run: str) -> bool:
        # "sinx", "lnx", "cospi"
        for size in (6, 4, 3, 2):
            head, rest = run[:size], run[size:]
            if head in FUNCTIONS and (len(rest) == 1 or rest in _LETTERS or rest == "pi"):
                self._add("fn", head)
                self._letter(rest)
                return True
        return False

    def _command(self, name: str) -> None:
        if name in _NOTHING:
            self.spaced = True
        elif name in ("dfrac", "tfrac", "cfrac", "frac"):
            self._add("cmd", "frac")
        elif name in ("dbinom", "tbinom"):
            self._add("cmd", "binom")
        elif name in _BUILDERS:
            self._add("cmd", "overline" if name in ("bar", "dot") else name)
        elif name in _WRITTEN:
            self._written(self._group())
        elif name in _STYLED:
            self._styled(name)
        elif name in _RELATIONS:
            self._add("rel", _RELATIONS[name])
        elif name in _OPERATORS:
            self._add("op", _OPERATORS[name])
        elif name in _BRACKETS:
            self._bracket(_BRACKETS[name])
        elif name in _BARS:
            self._add("bar", "|")
        elif name in _JOINS:
            self._add("join", _JOINS[name])
        else:
            self._special(name)

    def _special(self, name: str) -> None:
        if name == "\\":
            self._add("sep", "\\")
        elif name in ("circ", "degree"):
            self._add("op", "°")
        elif name in ("%", "$", "prime", "dots", "ldots", "cdots"):
            self._add("op", {"prime": "'"}.get(name, name if len(name) == 1 else "..."))
        elif name in ("angle", "triangle"):
            if self.tokens and self.tokens[-1].text == "m":  # the measure of an angle
                self.tokens.pop()
            self._add("text", name)
        elif name in ("begin", "end"):
            self._add("env", f"{name} {self._group().strip()}")
        elif name in ("pmod", "bmod", "mod"):
            self._add("op", "mod")
        elif not self._known(name):
            raise Unreadable(name)

    def _styled(self, name: str) -> None:
        inside = self._group() if self.text[self.at : self.at + 1] == "{" else ""
        if name == "mathbb" and inside == "R":
            self._add("const", "reals")
        elif len(inside) > 1 and inside.isalpha() and not self._known(inside):
            self._written(inside)
        elif len(inside) == 1 and inside.isalpha():
            self._letter(inside)
        elif inside and not inside.isalpha():
            if name == "mathrm" and not any(map(str.isdigit, inside)):
                self._written(inside)
            else:
                self._nested(inside)

    def _nested(self, inside: str) -> None:
        # Written and styled text in turns may hold each other
        self.tokens.extend(_Lexer(inside, self.grouped, self.nested + 1).run()[:-1])

    def _written(self, inside: str) -> None:
        words = inside.strip().strip(".,")
        if not words:
            self.spaced = True
        elif words.lower() in ("or", "and"):
            self._add("join", words.lower())
        elif words.lower() in ("to", "degrees", "degree"):
            self._known(words.lower())
        elif words.isalpha() and len(words) == 1:
            self._add("sym", words)
        elif any(map(str.isdigit, words)):
            self._nested(words)
        else:
            self._add("text", words)

    def _group(self) -> str:
        # What the braces hold that stand next; the text is left behind them
        start = self.at
        while self.text[start : start + 1].isspace():
            start += 1
        if self.text[start : start + 1] != "{":
            raise Unreadable("braces expected")
        depth, at = 0, start
        while at < len(self.text):
            if self.text[at] == "{":
                depth += 1
            elif self.text[at] == "}":
                depth -= 1
                if depth == 0:
                    self.at = at + 1
                    return self.text[start + 1 : at]
            at += 1
        raise Unreadable("braces not closed")

    def _bracket(self, shape: str) -> None:
        closes = shape in _CLOSING
        self.depth += -1 if closes else 1
        # A set's braces are brackets; bare braces only group, and are "group" below
        self._add("close" if closes else "open", shape)

    def _character(self, char: str) -> None:
        if char in "{}":
            self._add("open" if char == "{" else "close", "group" if char == "{" else "endgroup")
        elif char in "()[]⌊⌋⌈⌉⟨⟩":
            self._bracket(_BRACKETS.get(char, char))
        elif char in "+-*/^_!%=<>":
            self._sign(char)
        elif char in ",;":
            self._add("sep", char)
        elif char == "|" or char == "∣":
            self._add("bar", "|")
        elif char == "&":
            self._add("sep", "&")
        elif char in ":$°º∘…":
            self._add("op", {":": ":", "$": "$", "…": "..."}.get(char, "°"))
        elif char in _PRIMES:
            self._add("op", "'")
        else:
            self._unicode(char)

    def _sign(self, char: str) -> None:
        pair = self.text[self.at - 1 : self.at + 1]
        if pair in ("<=", ">=", "!=", "==", "=>", "**", "->"):
            self.at += 1
            if pair in ("=>", "->"):
                self._add("join", "so" if pair == "=>" else "to")
            elif pair == "**":
                self._add("op", "^")
            else:
                self._add("rel", "=" if pair == "==" else pair)
        elif char in "=<>":
            self._add("rel", char)
        else:
            self._add("op", char)

    def _unicode(self, char: str) -> None:
        if char in _SUPERSCRIPTS:
            self._script("^", _SUPERSCRIPTS)
        elif char in _SUBSCRIPTS:
            self._script("_", _SUBSCRIPTS)
        elif char in _VULGAR:
            upper, lower = _VULGAR[char]
            self.tokens += [Token("cmd", "frac"), Token("num", str(upper)), Token("num", str(lower))]
        elif char in "±∓∪∩∖":
            self._add("op", char)
        elif char in _OPERATORS:
            self._add("op", _OPERATORS[char])
        elif char in _RELATIONS:
            self._add("rel", _RELATIONS[char])
        elif char in _JOINS:
            self._add("join", _JOINS[char])
        elif not self._known(char):
            raise Unreadable(char)

    def _script(self, sign: str, table: dict[str, str]) -> None:
        start = self.at - 1
        while self.at < len(self.text) and self.text[self.at] in table:
            self.at += 1
        self._add("op", sign)
        self._add("open", "group")
        self._nested("".join(table[char] for char in self.text[start : self.at]))
        self._add("close", "endgroup")


def tokens(text: str, *, grouped: bool = True) -> list[Token]:
    """The tokens of a formula, the last an "end". Raises Unreadable for what is no formula that we know."""
    return _Lexer(text, grouped).run()
