"""Closed lists of English words, and how two words or two numbers are compared. No grammar beyond this."""

from __future__ import annotations

import re
from functools import lru_cache

FUNCTION_WORDS = frozenset(
    """a about above across after against all along also although am among an and another any are around as at away
    back be became because become becomes been before behind being below beneath between beyond both but by can
    cannot could did do does done down during each either else even ever every few for from further had has have
    having he her here hers herself him himself his how however i if in into is it its itself just less like many
    may me might mine more most much must my myself near neither no nor not now of off often on once one only onto
    or other others our ours out over own per rather same shall she should since so some still such than that the
    their theirs them themselves then there these they this those through throughout thus to together too toward
    towards under until up upon us used using very via was we well were what when where whether which while who whom
    whose why will with within without would yet you your yours""".split()
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty""".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "dozen": 12}
SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

# Auxiliaries, and what else is surely a finite verb.
AUXILIARIES = frozenset(
    "is are was were has have had can could may might will would shall should must do does did".split()
)
IRREGULAR = {
    "became": "become", "began": "begin", "bought": "buy", "broke": "break", "brought": "bring", "built": "build",
    "came": "come", "caught": "catch", "chose": "choose", "died": "die", "drew": "draw", "fell": "fall",
    "fled": "flee", "flew": "fly", "fought": "fight", "found": "find", "froze": "freeze", "gave": "give", "got": "get",
    "grew": "grow", "held": "hold", "hid": "hide", "kept": "keep", "knew": "know", "laid": "lay", "led": "lead",
    "left": "leave", "lost": "lose", "made": "make", "meant": "mean", "met": "meet", "overtook": "overtake",
    "paid": "pay",
    "ran": "run", "rose": "rise", "said": "say", "sang": "sing", "sank": "sink", "saw": "see", "sent": "send",
    "shot": "shoot", "shrank": "shrink", "sold": "sell", "spoke": "speak", "spent": "spend", "stood": "stand",
    "stole": "steal", "struck": "strike", "swam": "swim", "swore": "swear", "taught": "teach", "took": "take",
    "threw": "throw", "told": "tell", "undertook": "undertake", "underwent": "undergo", "went": "go", "withdrew":
    "withdraw", "won": "win", "wore": "wear", "wrote": "write",
}  # fmt: skip
# Past forms less "d", and less "ed", or with their base after a colon. Closed lists, for the base must be safe.
_ADD_E = """abolished:abolish acquired arranged arrived assumed based ceased changed charged closed colonized combined
    completed composed comprised conceived concluded continued created damaged decided declared declined defined
    described designed devised dissolved divided emerged encouraged ended:end enlarged evolved excluded exploded
    explored forced generated graduated hosted:host imposed improved included increased introduced inaugurated
    incorporated initiated inspired invaded issued launched:launch legalized licensed located merged moved named
    nationalized negotiated organized originated outlined:outline participated passed:pass performed:perform
    placed:place ratified:ratify raised realized received reduced refused relocated released removed renamed
    replaced required reserved resigned:resign resolved retired revived revised ruled secured served
    settled:settle shared signed:sign solved stated struggled survived terminated united used utilized voted""".split()
_PLAIN = """abandoned accepted added adopted allowed announced:announce appeared appointed approved:approve attacked
    attempted attended awarded banned:ban captured:capture carried:carry claimed collapsed:collapse collected
    conducted confirmed conquered constructed contained converted crossed crashed defeated delivered:deliver
    demonstrated:demonstrate destroyed detected developed discovered earned:earn elected employed enacted:enact
    entered established expanded expelled:expel extended failed filed:file finished followed formed
    formulated:formulate founded gained granted handed happened headed helped identified:identify implemented
    invented investigated:investigate joined killed landed lasted married:marry learned occurred:occur obtained
    opened operated:operate ordered planted played:play printed produced:produce prohibited promoted:promote
    proposed:propose proved:prove published reached rebuilt:rebuild recorded recovered referred:refer reformed
    rejected reopened reported represented resulted returned revealed scored:score seized:seize separated:separate
    shifted showed:show started stopped:stop studied:study succeeded suffered suggested supported surrendered
    synthesized:synthesize transferred:transfer traveled turned tried:try visited wanted warned withdrawn:withdraw
    worked""".split()


def _bases() -> dict[str, str]:
    bases = dict(IRREGULAR)
    for entries, cut in ((_ADD_E, 1), (_PLAIN, 2)):
        for entry in entries:
            past, _, base = entry.partition(":")
            bases[past] = base or past[:-cut]
    del bases["withdrawn"]
    return bases


PAST_TO_BASE = _bases()

PRESENT = frozenset(
    """sets governs manages leads joins links connects combines creates defines supplies stores collects builds
    publishes hosts advises oversees enforces issues elects accounts affects allows begins carries causes comes
    comprises consists contains controls costs covers denotes depends describes develops employs enables ends
    exceeds extends flows forms gives goes grows helps holds includes involves keeps lasts leads lies lives makes
    means measures meets moves needs occurs offers operates orbits owns passes pays performs plays possesses
    prevents produces protects provides ranges reaches receives refers reflects regulates releases remains
    represents requires results rises runs sends separates serves shows spans spends stands stores studies
    supports takes travels turns uses varies weighs works affect cause contain include produce occur consist
    provide require allow receive live""".split()
)
# Things there is one of, or that every reader has in mind: "the sun" needs no antecedent.
UNIQUE = frozenset(
    """sun moon earth world universe sky sea ocean atmosphere weather climate environment equator planet globe internet
    web public people economy government state law past present future time day night morning evening year century
    decade body brain heart skin blood bloodstream liver kidney kidneys lung lungs eye eyes ear ears nose mouth
    throat neck head face hand hands foot feet leg legs arm arms chest back stomach abdomen bowel intestine
    intestines pancreas spleen bladder uterus womb spine skull bone bones muscle muscles joint joints nerves retina
    cornea cell cells nucleus thyroid placenta cerebellum cortex ground surface air water rain wind north south east
    west northeast northwest southeast southwest majority minority rest remainder most same other others way ways
    use ability presence absence number amount latter elderly poor rich young unemployed media press police army
    military navy church bible market workplace household mind self human humans child children economy spinal cord
    immune system nervous cardiovascular digestive respiratory circulatory central tract solar galaxy stars alphabet
    dictionary law constitution middle top bottom end beginning start left right inside outside tongue teeth lips
    fingers toes hair nails knee hip shoulder elbow wrist ankle forehead scalp jaw cranium womb colon rectum
    esophagus aorta arteries veins vagina penis prostate ovaries testes breast breasts fetus heartbeat gut airways
    limbs trunk""".split()
)
# Nouns that point back at something named before, even when a short "in 1998" follows.
POINTING = frozenset(
    """company firm corporation organization organisation agency department study film movie book novel city town
    village country nation disease disorder condition syndrome illness patient patients author authors game team
    program programme project site website tool algorithm approach model group band song album show series episode
    station school college university building area region island river battle election bill man woman boy girl
    paper article app application product device test treatment drug medicine method technique result results
    findings experiment researchers scientists participants subjects problem question example case event issue law
    act rule law plan report document guide section chapter figure table data procedure process system story text
    passage field topic subject matter term command function file user customer client server page module lesson
    course student students teacher class""".split()
)
NOT_GENUS = frozenset(
    """finding characteristic backbone heart foundation cornerstone force leader important key major common good
    great best useful
    popular
    example part way thing result matter issue problem reason lot number variety popularly challenge well-known
    favorite favourite nice perfect ideal bit big huge crucial critical essential vital valuable powerful difficult
    easy wonderful beautiful interesting likely different similar necessary subject topic goal aim step tip list
    question point fact difference true false real simple factor cause risk symptom sign complication component
    element member feature concern area topics option benefit advantage disadvantage concept tool must opportunity
    pleasure long strong serious significant typical good bad better idea question look case""".split()
)
GIVEN_NAMES = frozenset(
    """aaron adam alan albert alexander alfred alice amy andrew angela ann anna anne anthony antoine arthur barbara
    benjamin bernard bill bob brian bruce carl carlos carol caroline catherine charles charlotte chris christian
    christopher claude daniel david deborah dennis diana diego donald dorothy douglas edgar edward edwin elizabeth
    emily emma eric ernest eugene eva evelyn felix ferdinand frances francis francisco frank franz fred frederick
    friedrich gary geoffrey george gerald gilbert giovanni gordon grace graham gregory guy hans harold harry
    heinrich helen henri henry herbert howard hugh ian isaac jack jacob james jane jason jean jeffrey jennifer
    jessica jim joan joe johann john jonathan jorge jose joseph joshua juan judith julia julian julie karen karl
    kate katherine keith kenneth kevin larry laura laurence lawrence leo leon leonard leonardo lewis linda lisa
    louis louise lucy luis margaret maria marie mark martha martin mary matthew max mary michael michelle mike
    miguel nancy neil nicholas nicolas oliver oscar otto patricia patrick paul pedro peter philip phillip pierre
    rachel ralph raymond rebecca richard robert roger ronald rosa roy russell ruth ryan samuel sandra sara sarah
    scott sean sigmund simon sophie stanley stephen steve steven stuart susan theodore thomas tim timothy tom tony
    victor victoria vincent virginia walter wilhelm william""".split()
)

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_NUMERIC = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SUFFIX = re.compile(r"(?:ations?|ions?|ing|edly|ed|ies|ers?|ly|al|ic|ism|ous|ity|es|s|y|e)$")


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [word.casefold() for word in _WORD.findall(text)]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A crude stem: what two forms of one word nearly always share."""
    word = word.casefold().removesuffix("'s").removesuffix("’s")
    word = PAST_TO_BASE.get(word, word)
    cut = _SUFFIX.sub("", word)
    return (cut if len(cut) >= 4 else word.removesuffix("s"))[:9]


def content(text: str) -> list[str]:
    """The stems of the words that carry meaning, in order."""
    return [stem(word) for word in words(text) if word not in FUNCTION_WORDS and (len(word) > 1 or word.isdigit())]


def values(text: str) -> list[float]:
    """The numbers in a text by value, whether in digits or in words: "1,200", "twelve", "3 million"."""
    found: list[float] = []
    for token in re.findall(r"\d[\d,]*(?:\.\d+)?|[a-z]+", text.casefold()):
        if token[0].isdigit():
            digits = token.replace(",", "")
            found.append(float(digits) if len(digits) < 30 else 0.0)
        elif token in NUMBER_WORDS:
            found.append(float(NUMBER_WORDS[token]))
        elif token in SCALES and found:
            found[-1] *= SCALES[token]
    return found
