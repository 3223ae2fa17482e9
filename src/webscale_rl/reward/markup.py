"""The markup that models put around a value, taken off: LaTeX's math mode, text commands and spacing, Markdown's bold.

What is left reads as plain text: "$1{,}234\\,\\text{km}$" is "1,234 km", "5^{\\circ}" is "5°". Fractions, roots and other
structure stay. Not covered: macros with several arguments, nested text commands (one level is taken off).
"""

from __future__ import annotations

import re

_NEEDED = re.compile(r"[\\$*`_{]")
_MATH = re.compile(r"(?<![\\$])\$\$?(?! )([^$\n]{1,400}?)(?<![ \\])\$\$?(?!\d)")
_COMMAND = re.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|operatorname|boxed|mbox|rm|emph|unit|si)\s?\{([^{}]{0,400})\}"
)
_DEGREES = re.compile(r"\s?\^\s?\{?\s?\\circ\s?\}?|\\degree\b|\\textdegree\b")
_SPACING = re.compile(r"\\[,;:!> ]|\\q?quad\b|~(?=\\|[A-Za-z])|\\(?:left|right|displaystyle)\b")
_DELIMITERS = re.compile(r"\\[()\[\]]")
_EXPONENT = re.compile(r"\^\s?\{\s?([-+]?[\w.]{1,20})\s?\}")
_EMPHASIS = re.compile(
    r"\*\*([^*\n]{1,400})\*\*|(?<![\w*])\*([^*\s][^*\n]{0,400})\*(?![\w*])|`([^`\n]{1,400})`|__([^_\n]{1,400})__"
)
_SYMBOL = {
    "times": "×", "cdot": "·", "pm": "±", "approx": "≈", "sim": "~", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥",
    "lt": "<", "gt": ">", "pi": "π", "mu": "μ", "Omega": "Ω", "ohm": "Ω", "infty": "∞", "to": "→", "pounds": "£",
    "euro": "€", "ldots": "…", "dots": "…",
}  # fmt: skip
_NAMED = re.compile(rf"\\({'|'.join(sorted(_SYMBOL, key=len, reverse=True))})(?![A-Za-z])\s?")
_SPACES = re.compile(r"  +")
_ESCAPED = re.compile(r"\\([%$&#_])")


def plain(text: str) -> str:
    """The text without markup, in one line; linear in the text."""
    if "\n" in text:
        text = " ".join(text.split())
    if not _NEEDED.search(text):
        return text
    text = _EMPHASIS.sub(lambda match: next(part for part in match.groups() if part is not None), text)
    text = _MATH.sub(r"\1", text)
    if "\\" in text or "{" in text:
        text = text.replace("{,}", ",").replace("\\,", " ").replace("\\!", "")
        text = _COMMAND.sub(r"\1", text)
        text = _DELIMITERS.sub(" ", _SPACING.sub(" ", _DEGREES.sub("°", text)))
        text = _NAMED.sub(lambda match: _SYMBOL[match[1]], text)
        text = _EXPONENT.sub(r"^\1", _ESCAPED.sub(r"\1", text))
    return _SPACES.sub(" ", text).strip()
