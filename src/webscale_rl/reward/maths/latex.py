"""From LaTeX, Unicode and plain notation to tokens: one linear pass, nothing is evaluated.

Layout is dropped (`\\left`, `\\,`, `\\displaystyle`), spellings are unified (`\\dfrac`, `\\times`, `√`, `²`, `≤`), and
words are told from variables: "sqrt" is a function, "cm" after a number is a unit, "xy" is x times y, "Evelyn" a word.
Not covered, and refused: sums, integrals, limits, `\\begin{cases}`, numbers with a decimal comma.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from webscale_rl.reward.maths import lexemes

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
        after_value = last is not None and (last.kind in ("num", "text") or last.text in (")", "}", "°"))
        if after_value and lower in lexemes.UNITS:
            self._add("text", lower)
        elif len(run) == 1:
            self._add("sym", run)
        elif lower in lexemes.SHORT_WORDS or len(run) > 3:
            if not self._glued(run):
                self._add("text", run)
        else:
            for letter in run:
                self._letter(letter)

    def _letter(self, letter: str) -> None:
        if not self._known(letter):
            self._add("sym", letter)

    def _known(self, word: str) -> bool:
        if word in lexemes.FUNCTIONS or word in lexemes.ALIASES:
            self._add("fn", lexemes.ALIASES.get(word, word))
        elif word in lexemes.CONSTANTS:
            self._add("const", lexemes.CONSTANTS[word])
        elif word in lexemes.LETTERS:
            self._add("sym", lexemes.LETTERS[word])
        elif word in ("or", "and"):
            self._add("join", word)
        elif word == "union" or word == "choose":
            self._add("op", lexemes.OPERATORS[word])
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
            if head in lexemes.FUNCTIONS and (len(rest) == 1 or rest in lexemes.LETTERS or rest == "pi"):
                self._add("fn", head)
                self._letter(rest)
                return True
        return False

    def _command(self, name: str) -> None:
        if name in lexemes.NOTHING:
            self.spaced = True
        elif name in ("dfrac", "tfrac", "cfrac", "frac"):
            self._add("cmd", "frac")
        elif name in ("dbinom", "tbinom"):
            self._add("cmd", "binom")
        elif name in lexemes.BUILDERS:
            self._add("cmd", "overline" if name in ("bar", "dot") else name)
        elif name in lexemes.WRITTEN:
            self._written(self._group())
        elif name in lexemes.STYLED:
            self._styled(name)
        elif name in lexemes.RELATIONS:
            self._add("rel", lexemes.RELATIONS[name])
        elif name in lexemes.OPERATORS:
            self._add("op", lexemes.OPERATORS[name])
        elif name in lexemes.BRACKETS:
            self._bracket(lexemes.BRACKETS[name])
        elif name in lexemes.BARS:
            self._add("bar", "|")
        elif name in lexemes.JOINS:
            self._add("join", lexemes.JOINS[name])
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
        closes = shape in lexemes.CLOSING
        self.depth += -1 if closes else 1
        # A set's braces are brackets; bare braces only group, and are "group" below
        self._add("close" if closes else "open", shape)

    def _character(self, char: str) -> None:
        if char in "{}":
            self._add("open" if char == "{" else "close", "group" if char == "{" else "endgroup")
        elif char in "()[]⌊⌋⌈⌉⟨⟩":
            self._bracket(lexemes.BRACKETS.get(char, char))
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
        elif char in lexemes.PRIMES:
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
        if char in lexemes.SUPERSCRIPTS:
            self._script("^", lexemes.SUPERSCRIPTS)
        elif char in lexemes.SUBSCRIPTS:
            self._script("_", lexemes.SUBSCRIPTS)
        elif char in lexemes.VULGAR:
            upper, lower = lexemes.VULGAR[char]
            self.tokens += [Token("cmd", "frac"), Token("num", str(upper)), Token("num", str(lower))]
        elif char in "±∓∪∩∖":
            self._add("op", char)
        elif char in lexemes.OPERATORS:
            self._add("op", lexemes.OPERATORS[char])
        elif char in lexemes.RELATIONS:
            self._add("rel", lexemes.RELATIONS[char])
        elif char in lexemes.JOINS:
            self._add("join", lexemes.JOINS[char])
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
