"""Does a sentence stand alone: is every subject named, every reference anchored within the sentence itself?

Declines when in doubt. Judges form only: whether a statement is true or dated it cannot know.
"""

from __future__ import annotations

import re
from functools import lru_cache

from webscale_rl.backends.extractive.words import (
    AUXILIARIES,
    FUNCTION_WORDS,
    GIVEN_NAMES,
    PAST_TO_BASE,
    POINTING,
    PRESENT,
    UNIQUE,
    content,
    words,
)

_ODD = re.compile(
    r"\bthere[.,]|\bsimilarly\b|"
    r" [-–/] |\d\.[A-Z]|\b[a-z]+s(?:which|that|are|such|also)\b|\b(?:bodys|womans|babys|childs|mans)\b|[{}<>"
    r"|\\^~=@#*_;:!?\[\]$€£…`•→]|\.\.|--|https?|www\.|<unk>|\bunk\b|[a-z]{3}[A-Z][a-z]|[a-z]\.[A-Z]|\)[A-Za-z]"
    r"|[a-z]\(|\(\s|\s\)"
    r"|\d[A-Z][a-z]|,[A-Za-z]|\b[A-Z]{14}"
    r"|(?<!\bMr)(?<!\bDr)(?<!\bMs)(?<!\bSt)(?<!\bMt)(?<!\bJr)(?<!\bSr)(?<!\bMrs)(?<!\b[A-Z])\.\s+[A-Z]|\d [A-Z]\.\s"
)
_MONEY_SIGN = re.compile(r"(?:US|A|C|NZ|HK)?[$€£](?=\s?\d)")
_PERSONAL = re.compile(
    r"\b(?:we|our|ours|us|my|me|mine|you|your|yours|myself|ourselves|yourself)\b|\bI (?!and\b|or\b|in\b|of\b|is\b"
    r"|was\b)[a-z]"
    r"|\b(?:hers|theirs)\b",
    re.IGNORECASE,
)
_THIRD = re.compile(r"\b(?:he|she|it|they|him|them|his|her|its|their)\b", re.IGNORECASE)
_NEVER = frozenset(
    """we our ours us my me mine you your yours this these here above below following aforementioned said says told
    tells today tomorrow yesterday now currently recently ago upcoming should perhaps maybe probably would
    if unless click please
    let we’re you’re don’t I’m we'll don't I've you'll chapter section figure Figure Section Chapter""".split()
)
_OPENING = re.compile(
    r"^(?:In|On|At|By|During|After|Before|Since|From|With|For|Following|[A-Z][a-z]+ing)\b[^,]*(?:,\s*|$)"
)
_COMPARED = re.compile(
    r"\b(?:(?<!or )(?<!two )more|less|fewer|larger|smaller|bigger|higher|lower|greater|better|worse|older|younger"
    r"|longer|shorter|also|too|even|Affected|"
    r"Patients|Individuals|People with the|Clients|Symptoms|Signs|Treatment|Diagnosis|Testing)\b"
)
_HAVE_ONE = re.compile(r"\b(?:have|had|has|with|of|use|buy|get|own) one\b[ .,]")
_US = re.compile(r"\bUS\b|\bU\.S\b")
_POINTER = re.compile(
    r"\b(?:this|these|those(?! (?:who|with|that|in|of|which|from|for)\b)|such(?! as\b)|here|above|below|following"
    r"|aforementioned|"
    r"former(?=[,. ]+(?:is|was|and|has)\b)|latter|thereof|therein|herein|hereby|latter's|the same"
    r"|the other|others|another|the two|the three|"
    r"both(?! \w+ and\b| the\b)|either of|neither of|each of|one of|some of|many of|most of|all of|the former"
    r"|said|says|told|tells|notes|"
    r"noted|adds|explains|explained|quoted|argues|asked|replied)\b",
    re.IGNORECASE,
)
_RELATIVE_TIME = re.compile(
    r"\b(?:today|tomorrow|yesterday|tonight|now|nowadays|currently|recently|recent|presently|ago|upcoming|so far"
    r"|to date|at present|"
    r"(?:last|next|past|this|previous|coming|following|same|that) (?:week|month|year|decade|century|season|\d+"
    r"|one|four|five|six|ten|spring|summer|fall|autumn|winter|"
    r"night|day|time|weekend|few|two|three|several|quarter|January|February|March|April|May|June|July|August|September|"
    r"October|November|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)s?|(?:on |until |since "
    r"|by )?(?:Mon|Tues|Wednes|Thurs|"
    r"Fri|Satur|Sun)day|meanwhile|later that|at the time|at that time|by then|soon|earlier|later|newly|latest|new"
    r"|current|on track|planned|to be announced)\b",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"\b(?:figure|fig\.|table|section|chapter|appendix|equation|theorem|lemma|proposition|exercise|page|article"
    r"|paper|author|authors|"
    r"reader|readers|click|link|links|see|shown|download|subscribe|read more|learn more|blog|post|e-?mail|photo"
    r"|image|video|copyright|"
    r"all rights reserved|module|tutorial|lesson|webinar|participants?|respondents?|subjects|sample|study|survey"
    r"|hypothetical|suppose|"
    r"assume|imagine|consider|let|please|feel free|sign up|contact|register|abstract|thesis|credit|quiz|press"
    r"|playbook|guide)\b",
    re.IGNORECASE,
)
_OPINION = re.compile(
    r"\b(?:should|perhaps|maybe|probably|seems?|unfortunately|fortunately|hopefully|obviously|surely|certainly"
    r"|arguably|of course|"
    r"amazing|wonderful|fantastic|awesome|beautiful|stunning|incredible|delicious|proud|excited|best|great"
    r"|allegedly|reportedly|"
    r"lovely|gorgeous|superb|excellent|ideal|perfect|luxury|affordable|world-class|state-of-the-art|renowned"
    r"|claims?|believes?|thinks?|"
    r"rumou?red|likely|would|if|unless)\b",
    re.IGNORECASE,
)
_BAD_START = re.compile(
    r"(?:And|But|Or|So|Then|Also|Thus|Hence|Therefore|Yet|Still|Instead|Again|Another|Other|Others|Both|Either"
    r"|Neither|Each|Every|"
    r"Some|Many|Most|Few|Several|All|Any|None|Not|No|More|Much|Such|That|What|Which|Who|How|Why|Where|Here"
    r"|Because|Since then|"
    r"If|Unless|Whether|Like|Unlike|Similar|Similarly|Conversely|Likewise|Otherwise|Nevertheless|Nonetheless"
    r"|Consequently|Accordingly|"
    r"First|Second|Third|Firstly|Secondly|Thirdly|Finally|Lastly|Next|Once|Even|Just|Only|One|Two|Three|Four|Five"
    r"|Six|Part|Nor|As a|As an|"
    r"Later|Earlier|Afterwards?|Eventually|Subsequently|Soon|Initially|Originally|Together|Alternatively"
    r"|Depending|Note|Notes|See|"
    r"Background|Objective|Objectives|Methods?|Results?|Conclusions?|Purpose|Aims?|Introduction|Summary"
    r"|References|Sources?|Example|Answer|"
    r"Question|Solution|Step|Use|Using|Make|Add|Try|Take|Get|Go|Keep|Put|Do|Be|Have|Has|Is|Are|Was|Were|Can|Could"
    r"|Did|Does|Will|Should|"
    r"Let|Find|Give|Write|Read|Check|Visit|Call|Turn|Set|Place|Cover|Mix|Stir|Pour|Heat|Cook|Bake|Serve|Calculate"
    r"|Compute|Determine|"
    r"Show|Prove|Explain|Describe|Discuss|Compare|List|Name|Draw|Sketch|Graph|Solve|Evaluate|Simplify|Obtain|Open"
    r"|Select|Choose|Enter|Run|Install|Create|Send|Follow|Start|Begin|Remember|Remove|Avoid|Apply|Submit|Request"
    r"|Complete|Ensure|Provide|Include|Returns?|Located|"
    r"Named|Founded|Born|Known|Based|Built|Shown|Given|Including|Except|Specifically|In particular|For example"
    r"|For instance|In this|In "
    r"that|In these|In such|In contrast|On the other|At this|By this|Of these|From this|To this|With this|As well"
    r"|As such|As noted|As mentioned)\b"
)
_LEAD = re.compile(
    r"(?:However|In addition|Additionally|Moreover|Furthermore|In fact|Indeed|Generally|In general|Today|Historically|"
    r"Typically|Usually|As a result|For example|For instance|Finally|Meanwhile|Specifically|In particular"
    r"|Eventually|Subsequently), "
    r"(?=[A-Za-z])"
)
_FINITE = (PAST_TO_BASE.keys() | PRESENT) - frozenset(
    "used based named called known made held led built left means forms uses stores range".split()
)
_TOKEN = re.compile(r"[\w’'-]+|[^\w\s]")
_ANCHORING = frozenset("of that who whose where between called known named entitled whom".split())
_LOOSE = frozenset("for in on at to with from by which when used associated involving against during".split())
_RANKED = re.compile(
    r"(?:first|second|third|fourth|fifth|last|only|main|chief|primary|[a-z]{3,}est|most|least|\d+(?:st|nd|rd|th))$"
)


def trimmed(sentence: str) -> str:
    """The sentence without a connective that ties it to the one before."""
    match = _LEAD.match(sentence)
    if not match:
        return sentence
    rest = sentence[match.end() :]
    return rest[:1].upper() + rest[1:]


def plausible(sentence: str) -> bool:
    """A cheap look first: the size, the full stop, and no word after the first that is never borne."""
    if not 7 <= sentence.count(" ") + 1 <= 40 or not sentence.endswith("."):
        return False
    return _NEVER.isdisjoint(sentence.split(" ")[1:])


@lru_cache(maxsize=2048)
def stands_alone(sentence: str, definites: int = 0) -> bool:
    """Whether a clean sentence can be understood by someone who sees nothing else of its document.

    `definites` says how many "the ..." without an anchor are borne: in a definition "the organ" is any such organ.
    """
    count = sentence.count(" ") + 1
    if not 7 <= count <= 36 or not sentence.endswith(".") or not (sentence[0].isupper() or sentence[0].isdigit()):
        return False
    if _ODD.search(_MONEY_SIGN.sub("", sentence)) or not _balanced(sentence) or _BAD_START.match(sentence):
        return False
    personal = _PERSONAL.search(_US.sub("America", sentence))
    if personal or _POINTER.search(sentence) or _DOCUMENT.search(sentence):
        return False
    if _RELATIVE_TIME.search(sentence) or _OPINION.search(sentence):
        return False
    if _HAVE_ONE.search(sentence) or not _pronouns_resolved(sentence):
        return False
    return has_verb(sentence) and dangling_definites(sentence) <= definites


def _pronouns_resolved(sentence: str) -> bool:
    """Whether each pronoun comes late enough for the sentence itself to have named what it means."""
    match = _THIRD.search(sentence)
    if not match:
        return True
    before = _OPENING.sub("", sentence[: match.start()])
    if match.group().casefold() in ("its", "their"):
        return len(content(before)) >= 1
    if match.group().casefold() in ("his", "her"):
        return bool(re.search(r"\b[A-Z][a-z]{2}", before)) and len(before) > 4
    human = match.group().casefold() in ("he", "she", "him")
    return len(content(before)) >= 4 and (not human or any(word in GIVEN_NAMES for word in words(before)))


def compares(sentence: str) -> bool:
    """Whether something is called larger or more without being told than what, or "also" than what else."""
    return "than" not in sentence and bool(_COMPARED.search(sentence))


def has_verb(sentence: str) -> bool:
    """Whether some word is surely a finite verb."""
    return any(token in AUXILIARIES or token in PAST_TO_BASE or token in PRESENT for token in _TOKEN.findall(sentence))


def dangling_definites(sentence: str) -> int:
    """How many "the ..." mean a thing that only the document has introduced."""
    found = _TOKEN.findall(sentence)
    return sum(token in ("the", "The") and not _anchored(found, at + 1) for at, token in enumerate(found))


def _anchored(found: list[str], start: int) -> bool:
    end = start
    while end < len(found) and _in_phrase(found[end]):
        end += 1
    phrase = [token.casefold() for token in found[start:end]]
    following = found[end] if end < len(found) else "."
    if following[0].isupper() or following[0].isdigit():
        return not (phrase and phrase[-1] in POINTING and len(phrase) == 1 and following[0].isdigit())
    if not phrase:
        return following not in (",", ".")
    head = phrase[-1].removesuffix("'s").removesuffix("’s")
    earlier = {token.casefold().rstrip("s") for token in found[: start - 1]}
    if head in UNIQUE and head not in POINTING:
        return True
    if any(_RANKED.match(token) for token in phrase) and following not in (".", ","):
        return True
    if following in _ANCHORING:
        return start > 1 or following != "that" or len(phrase) > 1
    if head.rstrip("s") in earlier and start > 4:
        return True
    return following in _LOOSE and head not in POINTING and head.removesuffix("s") not in POINTING


def _in_phrase(token: str) -> bool:
    return token[0].islower() and not (token in FUNCTION_WORDS or token in AUXILIARIES or token in _FINITE)


def _balanced(sentence: str) -> bool:
    if sentence.count("(") != sentence.count(")") or sentence.count('"') % 2:
        return False
    return sentence.count("“") == sentence.count("”")
