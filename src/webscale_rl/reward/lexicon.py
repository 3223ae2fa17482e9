"""Closed lists of English words that the kinds of answers in words share. Stems are those of `words.stem`."""

from __future__ import annotations

FUNCTION = frozenset(
    """a an the this that these those it its he she they them their his her him hers we our us you your i my me itself
    himself herself themselves there here who whom whose which what where when why how is are was were be been being am
    do does did done doing has have had having will would shall should can could may might must of in on at by for from
    to into onto with within through throughout during as and also both so thus then hence therefore if whether such
    about around between among amongst upon per via while whereas because since due through too very just only indeed
    quite rather really even still yet now once each some any one ones than but or s t re ve ll d m
    according namely much far slightly i.e e.g ie eg etc""".split()
)
"""Words that carry no answer of their own. What turns a meaning round (not, without, before, more) is not here."""

PLAIN = frozenset(
    """answer answers correct final question response name named names called call calls known term termed word
    referred refers refer reference means mean meant meaning stands stand stood represents represent denotes denote
    describes describe described defined defines definition particular namely specifically basically essentially
    actually simply typically usually generally commonly often mainly mostly primarily largely chiefly principally
    main primary principal chief key major most certain specific particular simple following famous popular well
    likely probably probable think believe believed sure definitely certainly clearly obviously
    exactly approximately roughly officially formally originally originated located situated lies lie
    lying found held holds took takes take place places placed taking occurred occurs occur occurring happened happens
    consists consist composed comprised comprises made make makes making given gives give based serves serve served act
    acts acted responsible considered regarded identified classified type types kind kinds sort form forms
    species example examples instance thing things something part parts process processes phenomenon concept idea
    entire whole own full fully large big great small little huge tiny good important significant common general overall
    total actual real true pure natural new old
    original traditional modern modern-day present-day world's one's used uses use using helps help helped
    allows allow allowed enables enable causes caused led leads lead result results resulted resulting
    became become becomes get gets got getting gotten let's let based upon text passage context information
    author article document provided stated states mentioned written wrote created made happen occurs
    way ways mostly entirely completely heavily greatly quickly slowly steadily strongly directly
    person people man woman individual figure someone
    country city town region area place location state nation site
    historical historically traditionally credited attributed credit widely generally thing
    work works working operates functions relative compared mainly
    inside within kind
    bright dark fresh whole people's today currently current year years century""".split()
)
"""Words around an answer that never are the answer, unless the reference says them."""

TRANSPARENT = frozenset(
    """type kind sort form species sense process law theory principle concept method use act practice state idea
    member class group genus piece case instance study field category variety phenomenon technique art city
    town state country island isle river lake effect subset branch example system house name term word colour color
    hormone gas metal language element mineral unit sport genre planet animal science""".split()
)
"""Nouns that, with "of", only say what sort of thing follows: the process of photosynthesis, the city of Paris."""

HEADS = frozenset(
    """reaction process theory law principle effect method technique system disease condition disorder syndrome
    phenomenon tree plant animal bird fish language river city gas element metal mineral rock unit team company album
    song novel book film movie play painting award prize war battle treaty act amendment party dynasty empire religion
    cell muscle bone gland organ hormone acid color colour energy force bond type instrument genre planet star ocean sea
    level levels test model algorithm rule equation formula drug vitamin crop fruit vegetable atom molecule
    reactions molecules atoms""".split()
)
"""Nouns that follow an answer and only name its sort: an oxidation reaction, an oak tree."""

OPPOSITES = """increase:decrease
    increase:reduce increase:fall increase:lower increase:decline increase:diminish rise:fall
    rise:decrease rise:drop rise:decline rise:lower raise:lower grow:shrink expand:contract high:low
    higher:lower more:less more:fewer most:least maximum:minimum maximize:minimize before:after above:below
    over:under up:down upper:lower left:right north:south east:west northern:southern eastern:western front:back
    inside:outside internal:external inner:outer interior:exterior with:without male:female man:woman boy:girl
    king:queen import:export include:exclude accept:reject agree:disagree allow:forbid allow:prohibit
    allow:prevent permit:prohibit permit:forbid cause:prevent gain:lose win:lose won:lost buy:sell lend:borrow
    give:take push:pull open:close hot:cold warm:cool warmer:cooler wet:dry light:dark light:heavy fast:slow
    faster:slower quick:slow big:small large:small larger:smaller greater:smaller bigger:smaller long:short
    longer:shorter old:new older:newer old:young older:younger early:late earlier:later first:last
    positive:negative true:false right:wrong correct:incorrect good:bad better:worse best:worst strong:weak
    stronger:weaker hard:soft thick:thin wide:narrow deep:shallow alive:dead live:die birth:death start:end
    begin:end begin:stop acid:base acidic:alkaline acidic:basic oxidation:reduction convex:concave
    active:passive public:private absolute:relative direct:indirect voluntary:involuntary artificial:natural
    ascending:descending ascend:descend increasing:decreasing credit:debit asset:liability supply:demand
    surplus:deficit profit:loss tension:compression clockwise:counterclockwise clockwise:anticlockwise
    vertical:horizontal parallel:perpendicular series:parallel absorb:emit absorb:release attract:repel
    endothermic:exothermic aerobic:anaerobic benign:malignant acute:chronic systolic:diastolic afferent:efferent
    anterior:posterior dorsal:ventral dominant:recessive homozygous:heterozygous mitosis:meiosis
    prokaryotic:eukaryotic kinetic:potential concave:convex serial:parallel deductive:inductive
    liberal:conservative optimistic:pessimistic majority:minority guilty:innocent legal:illegal war:peace
    victory:defeat attack:defend ally:enemy urban:rural rich:poor freeze:melt evaporate:condense bull:bear
    appreciation:depreciation inflation:deflation ancestor:descendant predator:prey host:parasite
    encourage:discourage support:oppose strengthen:weaken speed:slow approve:reject uphold:overturn
    uphold:strike guarantee:deny divide:unite reunification:division lead:prevent same:different simple:complex
    visible:invisible cation:anion anode:cathode motor:generator sender:receiver sync:async
    synchronous:asynchronous stack:queue carnivore:herbivore bullish:bearish saturated:unsaturated
    renewable:nonrenewable symmetric:asymmetric""".split()

CLASSES = tuple(
    frozenset(line.split())
    for line in (
        "red orange yellow green blue purple violet pink brown black white gray golden silver indigo",
        "north south east west northern southern eastern western northeast northwest southeast southwest central",
        "january february march april may june july august september october november december",
        "monday tuesday wednesday thursday friday saturday sunday",
        "single double triple quadruple monthly daily weekly yearly annual hourly",
        "morning noon afternoon evening night midnight",
        "spring summer autumn fall winter",
        "solid liquid gas plasma",
        "second minute hour day week month year decade century millennium",
        "father mother son daughter brother sister uncle aunt cousin nephew niece husband wife grandfather grandmother",
    )
)
"""Words of which an answer takes one: another of the same row is another answer."""

REVERSING = frozenset(
    "un in im il ir non anti dis de hyper hypo mis counter contra pro pre post sub super intra inter extra a".split()
)
"""Prefixes with which a word says something else: constitutional and unconstitutional, hypertension and hypotension."""

NEGATIONS = frozenset(
    """not no never neither nor without cannot hardly rarely nobody none nothing nowhere isn't aren't wasn't weren't
    don't doesn't didn't won't wouldn't can't couldn't shouldn't hasn't haven't hadn't mustn't ain't isnt arent wasnt
    doesnt didnt dont wont cant""".split()
)
AUXILIARIES = frozenset(
    """is are was were be been am do does did has have had will would can could shall should may might must
    becomes became remains""".split()
)

BRITISH = {
    "aluminium": "aluminum", "grey": "gray", "tyre": "tire", "plough": "plow", "sulphur": "sulfur", "cheque": "check",
    "sulphate": "sulfate", "sulphide": "sulfide", "sulphuric": "sulfuric", "defence": "defense", "offence": "offense",
    "licence": "license", "programme": "program", "draught": "draft", "moustache": "mustache", "pyjamas": "pajamas",
    "kerb": "curb", "sceptic": "skeptic", "sceptical": "skeptical", "manoeuvre": "maneuver", "ageing": "aging",
    "judgement": "judgment", "jewellery": "jewelry", "enrol": "enroll", "fulfil": "fulfill", "mould": "mold",
    "artefact": "artifact", "speciality": "specialty", "storey": "story", "cosy": "cozy", "axe": "ax",
    "aeroplane": "airplane", "practise": "practice", "whisky": "whiskey", "yoghurt": "yogurt", "theatre": "theater",
    "centre": "center", "fibre": "fiber", "metre": "meter", "litre": "liter", "calibre": "caliber", "sabre": "saber",
    "kilometre": "kilometer", "centimetre": "centimeter", "millimetre": "millimeter", "lustre": "luster",
    "spectre": "specter", "sombre": "somber", "meagre": "meager", "analyse": "analyze", "analys": "analyz",
    "catalys": "catalyz", "paralys": "paralyz", "hydrolys": "hydrolyz", "catalyse": "catalyze",
    "paralyse": "paralyze", "hydrolyse": "hydrolyze", "dialogue": "dialog", "catalogue": "catalog",
    "analogue": "analog",
    "towards": "toward", "afterwards": "afterward", "backwards": "backward", "forwards": "forward",
    "learnt": "learned", "burnt": "burned", "spelt": "spelled", "dreamt": "dreamed",
    "travelled": "traveled", "travelling": "traveling", "traveller": "traveler", "labelled": "labeled",
    "modelled": "modeled", "modelling": "modeling", "cancelled": "canceled", "signalling": "signaling",
    "counsellor": "counselor", "marvellous": "marvelous", "woollen": "woolen", "labour": "labor", "colour": "color",
    "oestrogen": "estrogen", "oesophagus": "esophagus", "foetus": "fetus", "foetal": "fetal", "diarrhoea": "diarrhea",
    "mediaeval": "medieval", "encyclopaedia": "encyclopedia", "orthopaedic": "orthopedic", "paediatric": "pediatric",
    "gynaecology": "gynecology", "leukaemia": "leukemia", "anaemia": "anemia", "anaesthesia": "anesthesia",
    "haemorrhage": "hemorrhage", "faeces": "feces", "caesium": "cesium", "amoeba": "ameba", "archaeology": "archeology",
}  # fmt: skip

IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "feet": "foot", "teeth": "tooth", "geese": "goose",
    "mice": "mouse", "lice": "louse", "oxen": "ox", "leaves": "leaf", "wolves": "wolf", "lives": "life",
    "knives": "knife",
    "halves": "half", "shelves": "shelf", "thieves": "thief", "wives": "wife", "loaves": "loaf", "calves": "calf",
    "mitochondria": "mitochondrion", "bacteria": "bacterium", "fungi": "fungus", "nuclei": "nucleus", "algae": "alga",
    "phenomena": "phenomenon", "criteria": "criterion", "radii": "radius", "cacti": "cactus", "stimuli": "stimulus",
    "alumni": "alumnus", "larvae": "larva", "vertebrae": "vertebra", "antennae": "antenna", "formulae": "formula",
    "data": "datum", "media": "medium", "spectra": "spectrum", "quanta": "quantum", "strata": "stratum",
    "ova": "ovum", "axes": "axis", "crises": "crisis", "analyses": "analysis", "hypotheses": "hypothesis",
    "theses": "thesis", "bases": "base", "oases": "oasis", "diagnoses": "diagnosis", "matrices": "matrix",
    "indices": "index", "vertices": "vertex", "appendices": "appendix", "genera": "genus", "ganglia": "ganglion",
    "alveoli": "alveolus", "villi": "villus", "flagella": "flagellum", "cilia": "cilium", "septa": "septum",
    "neuroses": "neurosis", "metastases": "metastasis", "lenses": "lens", "lens": "lens", "atlas": "atlas",
    "atlases": "atlas", "dice": "die", "died": "die", "dying": "die", "dies": "die",
    "wrote": "write", "written": "write", "sang": "sing", "sung": "sing", "began": "begin", "begun": "begin",
    "fell": "fall", "fallen": "fall", "rose": "rise", "risen": "rise", "grew": "grow", "grown": "grow", "gave": "give",
    "given": "give", "took": "take", "taken": "take", "came": "come", "became": "become", "went": "go", "gone": "go",
    "made": "make", "built": "build", "bought": "buy", "brought": "bring", "caught": "catch", "taught": "teach",
    "thought": "think", "fought": "fight", "sought": "seek", "sold": "sell", "told": "tell", "held": "hold",
    "led": "lead", "fed": "feed", "bred": "breed", "fled": "flee", "shed": "shed", "met": "meet", "kept": "keep",
    "slept": "sleep", "left": "left", "lost": "lose", "sent": "send", "spent": "spend", "lent": "lend", "won": "win",
    "ran": "run", "swam": "swim", "swum": "swim", "drank": "drink", "drunk": "drink", "sank": "sink", "sunk": "sink",
    "sinking": "sink", "shrank": "shrink", "ate": "eat", "eaten": "eat", "drew": "draw", "drawn": "draw", "flew": "fly",
    "flown": "fly", "knew": "know", "known": "know", "threw": "throw", "thrown": "throw", "chose": "choose",
    "chosen": "choose", "froze": "freeze", "frozen": "freeze", "spoke": "speak", "spoken": "speak", "broke": "break",
    "broken": "break", "stole": "steal", "stolen": "steal", "wore": "wear", "worn": "wear", "bore": "bear",
    "saw": "see", "seen": "see", "hid": "hide", "hidden": "hide", "rode": "ride", "ridden": "ride", "drove": "drive",
    "driven": "drive", "stood": "stand", "understood": "understand", "paid": "pay", "said": "say", "laid": "lay",
    "shot": "shoot", "struck": "strike", "stuck": "stick", "dug": "dig", "hung": "hang", "bound": "bind",
    "wound": "wound", "lay": "lie", "lain": "lie", "lying": "lie", "shook": "shake", "withdrew": "withdraw",
    "underwent": "undergo", "overthrew": "overthrow", "forgot": "forget", "has": "have", "had": "have", "does": "do",
    "did": "do", "is": "be", "are": "be", "was": "be", "were": "be", "been": "be",
}  # fmt: skip

SAME = {
    "rise": "increase", "grow": "increase", "raise": "increase", "fall": "decrease", "decline": "decrease",
    "drop": "decrease",
    "diminish": "decrease", "reduce": "decrease", "lessen": "decrease", "carry": "transport", "movie": "film",
    "automobile": "car", "physician": "doctor", "begin": "start", "commence": "start", "purchase": "buy",
    "assist": "help",
    "aid": "help", "construct": "build", "utilize": "use", "employ": "use", "rapid": "fast", "quick": "fast",
    "sick": "ill",
    "illness": "disease", "sickness": "disease", "kid": "child", "obtain": "get", "acquire": "get",
    "attorney": "lawyer",
}  # fmt: skip
"""Words that mean the same as a common one wherever a short answer has them; no thesaurus, only what is sure."""
RELATED = {
    "axial": "axis", "solar": "sun", "lunar": "moon", "dental": "tooth", "stellar": "star", "aquatic": "water",
    "cardiac": "heart",
    "hepatic": "liver", "renal": "kidney", "gastric": "stomach", "marine": "sea", "maternal": "mother",
    "paternal": "father",
    "terrestrial": "earth", "regal": "king", "royal": "king", "urban": "city", "nocturnal": "night", "ocular": "eye",
    "vocal": "voice", "manual": "hand", "oral": "mouth", "cerebral": "brain", "pulmonary": "lung", "thermal": "heat",
}  # fmt: skip
"""Adjectives that are built on another root than their noun's, and that noun."""
LY_NOUNS = frozenset(
    "family assembly monopoly anomaly supply butterfly jelly belly ally oligopoly homily lily bully".split()
)

ABBREVIATIONS: dict[str, tuple[str, ...]] = {
    "US": ("united", "states"), "USA": ("united", "states"), "UK": ("united", "kingdom"),
    "UAE": ("united", "arab", "emirates"), "USSR": ("soviet", "union"), "EU": ("european", "union"),
    "UN": ("united", "nations"), "WWI": ("world", "war", "1"), "WW1": ("world", "war", "1"),
    "WWII": ("world", "war", "2"), "WW2": ("world", "war", "2"), "NYC": ("new", "york", "city"), "CO2": ("co2",),
}  # fmt: skip
"""Upper-case words for more than their initials say, or too short for initials to be evidence."""
