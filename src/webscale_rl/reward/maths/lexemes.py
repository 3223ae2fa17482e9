"""What single signs, commands and words of a formula mean: LaTeX, Unicode and plain spellings of the same."""

from __future__ import annotations

GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma "
    "tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar partial "
    "nabla"
)
LETTERS = {name: name.removeprefix("var") for name in GREEK.split()}
LETTERS |= dict(zip("αβγδεζηθικλμνξρστυφχψωΓΔΘΛΞΣΦΨΩℓ∂", (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell partial"
).split(), strict=True))  # fmt: skip
FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth log ln lg exp abs floor "
    "ceil min max gcd lcm sqrt cbrt det arg Re Im".split()
)
ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "cosec": "csc", "tg": "tan", "ctg": "cot"}
ALIASES |= {"ceiling": "ceil", "√": "sqrt", "∛": "cbrt"}
RELATIONS = {
    "le": "<=",
    "leq": "<=",
    "leqslant": "<=",
    "ge": ">=",
    "geq": ">=",
    "geqslant": ">=",
    "lt": "<",
    "gt": ">",
}
RELATIONS |= {"neq": "!=", "ne": "!=", "approx": "~", "in": "in", "equiv": "=", "sim": "~", "simeq": "~", "cong": "~"}
RELATIONS |= {"≤": "<=", "⩽": "<=", "≥": ">=", "⩾": ">=", "≠": "!=", "≈": "~", "∈": "in", "≡": "=", "~": "~"}
OPERATORS = {
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
OPERATORS |= {"setminus": "∖", "backslash": "∖", "over": "/", "union": "∪", "choose": "choose", "star": "*"}
OPERATORS |= dict.fromkeys("×·∙⋅•∗", "*") | dict.fromkeys("÷∕⁄", "/") | dict.fromkeys("−–‒﹣－", "-") | {"＋": "+"}
CONSTANTS = {"pi": "pi", "π": "pi", "infty": "oo", "∞": "oo", "infinity": "oo", "inf": "oo", "e": "e", "i": "i"}
CONSTANTS |= {"emptyset": "empty", "varnothing": "empty", "∅": "empty", "ℝ": "reals", "imath": "i", "ⅈ": "i"}
BRACKETS = {
    "langle": "(",
    "rangle": ")",
    "⟨": "(",
    "⟩": ")",
    "lbrace": "{",
    "rbrace": "}",
    "lbrack": "[",
    "rbrack": "]",
}
BRACKETS |= {
    "lparen": "(",
    "rparen": ")",
    "{": "{",
    "}": "}",
    "lfloor": "⌊",
    "rfloor": "⌋",
    "lceil": "⌈",
    "rceil": "⌉",
}
CLOSING = frozenset(")]}⌋⌉")
BARS = frozenset({"vert", "lvert", "rvert", "mid", "|", "Vert"})
NOTHING = frozenset(
    "left right big Big bigl bigr Bigl Bigr bigg Bigg biggl biggr Biggl Biggr displaystyle textstyle limits nolimits "
    "quad qquad , ; : ! > thinspace enspace mathstrut hfill noindent null".split()
) | {" ", "\n"}  # fmt: skip
WRITTEN = frozenset("text textbf textit textrm mbox hbox textnormal texttt emph textsf".split())
STYLED = frozenset("mathrm mathbf mathit mathsf mathcal mathbb operatorname boldsymbol bm rm vec hat mathop ce".split())
BUILDERS = frozenset("frac sqrt binom overline bar dot".split())
JOINS = {"or": "or", "and": "and", "lor": "or", "vee": "or", "land": "and", "wedge": "and", "∨": "or", "∧": "and"}
JOINS |= {
    "implies": "so",
    "Rightarrow": "so",
    "Longrightarrow": "so",
    "⇒": "so",
    "→": "to",
    "to": "to",
    "rightarrow": "to",
}
UNITS = frozenset(
    "cm mm km kg mg ml ft mi lb lbs oz hr hrs min sec mph kph in yd nm kw kwh mol hz khz mhz ghz mpa kpa pa ev kev "
    "mev kj kcal cal gal pt qt rad deg cents cent units unit dollars degrees degree inches feet miles meters minutes "
    "hours".split()
)
SHORT_WORDS = frozenset(
    "is the if for are not all no of so we to at by an as be it its on yes per has any let but was can may one two "
    "ten up day ago age men odd sum end how who why our his her new old now none".split()
)
SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿˣⁱ", "0123456789+-nxi", strict=True))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙₓᵢ", "0123456789+-nxi", strict=True))
VULGAR = {
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
VULGAR |= {"⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8)}
PRIMES = {"'": "'", "′": "'", "’": "'", "″": "''"}
