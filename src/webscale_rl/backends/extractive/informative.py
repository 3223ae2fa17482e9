"""The filter: is a page prose that carries facts, or is it menus, tables, spam or noise?

Works on the shape of sentences, so pages of any language can pass; the marks of spam are English.
"""

from __future__ import annotations

import re
from itertools import pairwise

from webscale_rl.backends.extractive.page import Page, function_share
from webscale_rl.stages.filter import FilterReply

_SENTENCE_END = re.compile(r"(?<=[^\W\d_])[.!?؟](?=\s+[^\W\d_]|\s*$)|[。！？।]")
_LETTER_RUN = re.compile(r"[^\W\d_]+")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_REDIRECT = re.compile(r"\s*#(?:REDIRECT|redirect|Redirect)\b")
_REPEALED = re.compile(r"\b(?:Repealed|Reserved|Omitted|Expired|Transferred)\.?\s*$")
_ADDRESSED = re.compile(r"\b(?:you|your|yours|you'll|you're|our|we)\b", re.IGNORECASE)
_PLEA = re.compile(
    r"(?i)\bdear (?:sir|madam|friend|,)|\byour assistance\b|strictly confidential|urgent (?:and|private|business|reply)"
    r"|\blagos\W+nigeria|fortune 500 company|\b(?:no obligation|credit cards? today|play now|stop paying)\b"
    r"|\b(?:removal instructions|health insurance\?|abidjan|poker)\b"
    r"|\ban? \d\d year old \w+ \w+ from|<body lang=|<html"
)
_COMMAND = re.compile(r"^\s*(?:`[^`\n]+`\s*$|```)", re.MULTILINE)
_SPAM = re.compile(
    r"\b(?:click (?:here|below)|unsubscribe|opt[- ]?out|removed? from (?:our|this|the|future) (?:mailing|mailings"
    r"|list)|money[- ]back|risk[- ]free|act now|order (?:now|today)|"
    r"call (?:now|today|toll)|limited time|special offer|100% free|absolutely free|free (?:trial|quote"
    r"|consultation|gift|report|info)|no obligation|"
    r"earn \$|make money|extra income|work (?:from|at) home|get paid|financial freedom|lowest (?:price|rate)s?"
    r"|refinanc|viagra|weight loss|lose weight|"
    r"credit cards? accepted|this (?:e-?mail|message) (?:is|was) (?:sent|not spam|being sent|brought)"
    r"|bulk e-?mail|e-?mail addresses|mlm|reply to this|"
    r"subject line|remove in the subject|your e-?mail|confidential|transfer of|next of kin|dear (?:sir|friend)"
    r"|guaranteed?|buy now|toll[- ]free|"
    r"winners?|congratulations|adult|xxx|casino|you(?:'ll| will) (?:receive|get)|urgent|cash|debts?|mortgage rates?)\b",
    re.IGNORECASE,
)


def judge(page: Page) -> FilterReply:
    """The verdict on a page, with the counts that it rests on."""
    text = page.text
    if not text.strip() or _REDIRECT.match(text) or (len(text) < 1000 and _REPEALED.search(text)):
        return FilterReply("a redirect, a repealed section or an empty page", informative=False, self_contained=False)
    text = text.replace("<unk>", "unk")
    letters = sum(len(run) for run in _LETTER_RUN.findall(text))
    visible = len(text) - text.count(" ") - text.count("\n") - text.count("\t")
    if letters < 0.55 * visible:
        return FilterReply(
            f"symbols and numbers: {letters} of {visible} characters are letters",
            informative=False,
            self_contained=False,
        )
    if text.count("\ufffd") + len(re.findall(r"\w\?+\w", text)) > len(text) / 100:
        return FilterReply("characters that were not decoded", informative=False, self_contained=False)
    tags = len(_TAG.findall(text))
    spam = len(_SPAM.findall(text[:12000]))
    if tags > 30 and tags * (60 if _SPAM.search(text) else 25) > len(text):
        return FilterReply(f"markup: {tags} tags", informative=False, self_contained=False)
    shouting = text.count("!") + sum(word.isupper() and len(word) > 3 for word in text[:6000].split())
    size = len(text[:12000])
    addressed = len(_ADDRESSED.findall(text[:12000]))
    pushy = spam * 900 > size or (spam * 1500 > size and (shouting * 200 > size or addressed * 60 > size))
    if (
        (spam >= 2 and pushy and addressed * 400 > size)
        or (spam >= 4 and spam * 500 > size)
        or (spam >= 1 and addressed * 130 > size and size < 4000)
        or _PLEA.search(text[:1500])
    ):
        return FilterReply(f"an advertisement: {spam} phrases of advertising", informative=False, self_contained=False)
    if len(_COMMAND.findall(text)) >= 3 and len(text) < 20_000:
        return FilterReply("a reference page with commands", informative=True, self_contained=True)
    if _ragged(text):
        return FilterReply("a list of unconnected lines", informative=False, self_contained=False)
    good, covered = _prose(page)
    if not page.english:
        marks = len(_SENTENCE_END.findall(text))
        ok = marks >= 3 and marks * 400 > len(text) and good + marks >= 4
        return FilterReply(f"not English; {marks} sentence marks", informative=ok, self_contained=ok)
    share = covered / max(1, len(text))
    long = covered >= 180 and share >= 0.3
    informative = long or good >= 12 or (good >= 3 and share >= 0.12)
    complete = good >= 2 or long
    return FilterReply(
        f"{good} sentences of prose, {share:.0%} of the page", informative=informative, self_contained=complete
    )


def _ragged(text: str) -> bool:
    """Whether most lines are titles of something: as long as prose, but neither ending nor going on as prose does."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) < 12:
        return False
    loose = sum(
        15 <= len(line) <= 160 and line[-1].isalnum() and following[0].isalnum() and not following[0].islower()
        for line, following in pairwise(lines)
    )
    ends = sum(line[-1] in ".!?:;,)" for line in lines)
    return loose > 0.4 * len(lines) and ends < 0.25 * len(lines) and "\n\n" not in text


def _prose(page: Page) -> tuple[int, int]:
    """How many sentences read as prose, and how many characters they cover; of a statute, how many clauses."""
    good = covered = 0
    told: set[int] = set()
    for sentence in page.sentences:
        if len(sentence.clean) >= 30 and 0.2 <= function_share(sentence.clean) <= 0.8:
            good += 1
            covered += len(sentence.raw)
            told.add(sentence.block)
    for number, block in enumerate(page.blocks[:400]):
        text = block.text.rstrip()
        if number not in told and len(text) >= 60 and text[-1] in ".;:,—" and 0.25 <= function_share(text) <= 0.8:
            good += 1
            covered += len(text)
    return good, covered
