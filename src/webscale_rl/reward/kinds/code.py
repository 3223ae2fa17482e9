"""Code: identifiers, commands, operators, file names, chemical formulas. Case and punctuation matter.

Dressing does not: ticks, quotation marks, a closing full stop, a prompt's "$", the parentheses of a call. In a sentence
the reference must stand between ticks or quotation marks, or with nothing beside it but words of the question and words
that say nothing. Not covered: code that does the same in other words.
"""

from __future__ import annotations

import re
from functools import lru_cache

from webscale_rl.reward.lexicon import FUNCTION, NEGATIONS, PLAIN
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.scene import best
from webscale_rl.reward.text import clean
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import LONGEST, read

_TICKS = re.compile(r"```[a-zA-Z0-9_+-]{0,20}\n(.{1,2000}?)\n?```|`([^`\n]{1,400})`", re.DOTALL)
_QUOTED = re.compile(r"\"([^\"\n]{1,200})\"|(?<!\w)'([^'\n]{1,200})'(?!\w)")
_LATEX = re.compile(r"\\(?:text|textbf|texttt|mathrm|mathtt|mathsf|operatorname|ce)\s?\{([^{}]{0,200})\}")
_BIG_O = re.compile(r"[OΘΩ]\s?\(.{1,60}\)")
_CALL = re.compile(r"([A-Za-z_][\w.]{0,80})\([^()]{0,80}\)")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]{0,30})\s?/?>")
_FORMULA = re.compile(r"(?:[A-Z][a-z]?\d{0,3}|\((?:[A-Z][a-z]?\d{0,3}){1,6}\)\d{0,2}){1,12}(?:\^?\d?[+-])?")
_IDENTIFIER = re.compile(
    r"\w+(?:::\w+)+|\w*_\w+|__\w+__|[A-Za-z_][\w.]*\(.{0,80}\)|[a-z]+[A-Z]\w*|\.?\w[\w-]*\.(?:py|js|ts|json"
    r"|ya?ml|toml|txt|md|sh|cpp|c|h|java|rs"
    r"|go|html|css|xml|ini|cfg|conf|lock|csv|sql|rb|php|exe|dll|so|log|env)|--?[a-z][\w-]*|\$\w+"
    r"|[a-z_]\w+(?:->|\.)[a-z_]\w+\(?\)?|</?[a-z][\w-]*/?>|#\w+|@\w+|[A-Z]+_[A-Z_]+"
)
_OPERATOR = re.compile(r"[-+*/%=<>!&|^~?:.@#$\\]{1,4}")
_COMMAND = re.compile(
    r"(?:\$ )?(?:git|docker|npm|pip|ls|cd|sudo|apt|apt-get|kubectl|chmod|chown|grep|curl|wget|python3?|node"
    r"|cargo|make|ssh|scp|tar|ps|kill|cat"
    r"|mkdir|rm|mv|cp|find|sed|awk|systemctl|brew|yarn|go|rustc|gcc|mvn|terraform|helm|aws|gcloud|psql"
    r"|mysql)\s[-\w./=<>:~ ]{1,120}"
)
_REGEX = re.compile(r"\S*\\[dwsbDWSB]\S*|\^\S+\$|\[[^\]]{1,40}\][+*?{]\S*")
_ASKED = re.compile(
    r"\b(?:command|function|method|keyword|operator|tag|attribute|property|class|module|library|header|flag"
    r"|option|variable|environment|file|filename"
    r"|extension|syntax|code|statement|directive|symbol|selector|decorator|package|python|javascript|java"
    r"|c\+\+|sql|html|css|bash|linux|unix|regex|git"
    r"|regular expression|container|api|data type)\b",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(
    r"\b(?:python|javascript|typescript|java|c\+\+|sql|html|css|bash|linux|unix|git|npm|docker|rust|golang)\b.{0,60}"
    r"\b(?:keyword|command|function|method|property|tag|attribute|operator|class|module|selector|type|statement|flag)\b"
    r"|\b(?:keyword|command|function|method|property|tag|attribute|operator|class|module|selector|type"
    r"|statement|flag)\b.{0,60}"
    r"\b(?:python|javascript|typescript|java|sql|html|css|bash|linux|unix|git|npm|docker|rust|golang)\b",
    re.IGNORECASE,
)
_NOUNS = frozenset(
    """function method command operator tag keyword property class module library variable attribute flag option file
    type
    statement selector directive symbol syntax code expression regex pattern header decorator package container
    run execute write type enter call calls invoke returns return complexity runtime time notation formula chemical
    python javascript java sql html css bash git terminal shell line""".split()
)
_ALTERNATIVE = re.compile(r"\b(?:or|either|maybe|perhaps|might|could|possibly|rather than|instead of)\b", re.IGNORECASE)


def infer(answer: str, question: str = "") -> Reference | None:
    """What is spelt as code is: ticks, underscores, ::, calls, file endings, options, operators, formulas."""
    text = clean(answer)
    bare = _bare(text)
    if not bare or len(bare) > 200:
        return None
    asked = _ASKED.search(question[:2000]) is not None
    shaped = (
        (text.startswith("`") and text.endswith("`"))
        or _IDENTIFIER.fullmatch(bare) or _BIG_O.fullmatch(bare) or _COMMAND.fullmatch(bare) or _REGEX.fullmatch(bare)
        or (_OPERATOR.fullmatch(bare) and asked)
        or (_FORMULA.fullmatch(bare) and any(map(str.isdecimal, bare)) and sum(map(str.isupper, bare)) > 1)
        or (_FORMULA.fullmatch(bare) and "formula" in question.casefold() and len(bare) <= 20)
        or (re.fullmatch(r"[a-z][a-z-]{0,20}", bare) and _LANGUAGE.search(question[:2000]))
        or (asked and bare.isupper() and bare.isalpha() and len(bare) > 1 and "stand" not in question)
    )  # fmt: skip
    return Reference(answer, "code") if shaped else None


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer is the same code, or a sentence that asserts it."""
    if len(answer) > LONGEST:
        return Match(None, "long")
    return best(_compare(wording, answer, question) for wording in (reference.answer, *reference.aliases))


def _compare(wording: str, answer: str, question: str) -> Match:
    wanted = _forms(wording)
    text = clean(answer)
    if not text:
        return Match(False, "empty")
    if _forms(text) & wanted:
        return Match(True, "equal")
    ticked = _spans(_TICKS, text)
    spans = ticked or (_spans(_QUOTED, text) if not _QUOTED.fullmatch(wording.strip()) else [])
    negated = any(word.plain in NEGATIONS for word in read(_TICKS.sub(" ", text)).words)
    if spans:
        return _delimited(wanted, text, spans, negated)
    place = _place(wanted, text)
    if place is None:
        words = read(text).words
        return Match(False if len(words) <= 4 or not _loosely(wanted, text) else None, "other_code")
    rest = read(text[: place[0]] + " , " + text[place[1] :])
    if negated or _ALTERNATIVE.search(text):
        return Match(False if negated else None, "denied" if negated else "alternatives")
    known = read(question).content
    new = [word for word in rest.words if word.stem not in known and word.plain not in FUNCTION | PLAIN | _NOUNS]
    if new:
        return Match(None if len(rest.words) > 2 else False, "beside")
    return Match(True, "asserted")


def _delimited(wanted: frozenset[str], text: str, spans: list[str], negated: bool) -> Match:
    first = _forms(spans[0])
    if not any(_forms(span) & wanted for span in spans):
        return Match(False, "other_code")
    if negated:
        return Match(False if len(spans) == 1 else None, "denied")
    if len(spans) > 1 and _ALTERNATIVE.search(text):
        return Match(False, "alternatives")
    if not first & wanted:
        return Match(None, "several")
    if len(spans) == 1 and _ALTERNATIVE.search(text):
        return Match(None, "alternatives")
    return Match(True, "delimited")


def _spans(pattern: re.Pattern[str], text: str) -> list[str]:
    found = [next(part for part in match if part) for match in pattern.findall(text) if any(match)]
    return list(dict.fromkeys(span.strip() for span in found))


@lru_cache(maxsize=1024)
def _forms(text: str) -> frozenset[str]:
    """The spellings that are one: with and without what dresses code."""
    bare = _bare(text)
    forms = {bare}
    if "\\" in text or "$" in text:
        plain = _LATEX.sub(r"\1", text).replace("$", "").replace("_{", "").replace("{", "").replace("}", "")
        forms.add(_bare(re.sub(r"_(?=\d)", "", plain).replace("\\ ", " ").replace("\\,", "")))
    for form in list(forms):
        if _BIG_O.fullmatch(form):
            inner = re.sub(r"\\?(log|ln|lg)", r"\1", form)
            forms.add(re.sub(r"[\s*·()\\]", "", inner).replace("^2", "2"))
        call = _CALL.fullmatch(form)
        if call and not _BIG_O.fullmatch(form):
            forms.add(call[1])
        tag = _TAG.fullmatch(form)
        if tag:
            forms.add(tag[1])
        if re.fullmatch(r"\$[A-Za-z_]\w*", form):
            forms.add(form[1:])
        if re.fullmatch(r"(?i)select \w+", form) and form.isupper():
            forms.add(form[7:])
    return frozenset(form for form in forms if form)


def _bare(text: str) -> str:
    text = clean(text)
    fenced = re.fullmatch(r"```[a-zA-Z0-9_+-]{0,20}\n(.{1,2000}?)\n?```", text, re.DOTALL)
    text = fenced[1] if fenced else text
    text = " ".join(text.split())
    while len(text) > 2 and text[0] == text[-1] and text[0] in "`\"'":
        text = text[1:-1].strip()
    if (
        text.endswith((".", ";", ":", ","))
        and len(text) > 2
        and text[-2:] not in ("..", "::")
        and text[-2].isalnum() | (text[-2] in ")`\"'>")
    ):
        text = text[:-1].rstrip()
        if len(text) > 2 and text[0] == text[-1] and text[0] in "`\"'":
            text = text[1:-1].strip()
    return text.removeprefix("$ ").removeprefix("> ") if len(text) > 3 else text


def _place(wanted: frozenset[str], text: str) -> tuple[int, int] | None:
    """Where the longest spelling stands alone in a text, not as a part of other code."""
    flat = text
    for form in sorted(wanted, key=len, reverse=True):
        if len(form) == 1 and form.isalpha() and form.islower():
            continue
        at = flat.find(form)
        while at >= 0:
            before, after = flat[at - 1 : at], flat[at + len(form) : at + len(form) + 2]
            closed = not after[:1] or after[:1] in " \n,;)\"'" or (after[:1] in ".:?!" and after[1:] in ("", " ", "\n"))
            if (not before or before in " \n(\"'") and closed:
                return at, at + len(form)
            at = flat.find(form, at + 1)
    return None


def _loosely(wanted: frozenset[str], text: str) -> bool:
    folded = text.casefold()
    return any(form.casefold() in folded for form in wanted)
