"""Other wordings of one and the same thing that no rule can derive: countries, cities, substances, a few abbreviations.

A closed table of what is sure, not a thesaurus. A question that asks for the very wording ("What is the chemical symbol
for gold?", "What does DNA stand for?") leaves none.
"""

from __future__ import annotations

import re
from functools import lru_cache

from webscale_rl.reward.text import fold

_SAME = tuple(
    tuple(line.split(";"))
    for line in (
        "United States;United States of America;USA;U.S.;US;America;U.S.A.",
        "United Kingdom;UK;U.K.;Great Britain;Britain;United Kingdom of Great Britain and Northern Ireland",
        "Soviet Union;USSR;U.S.S.R.;Union of Soviet Socialist Republics",
        "Russia;Russian Federation",
        "China;People's Republic of China;PRC",
        "South Korea;Republic of Korea;ROK",
        "North Korea;Democratic People's Republic of Korea;DPRK",
        "Czech Republic;Czechia",
        "Netherlands;the Netherlands;Holland",
        "Ivory Coast;Côte d'Ivoire",
        "Myanmar;Burma",
        "United Arab Emirates;UAE;U.A.E.",
        "Iran;Islamic Republic of Iran",
        "Germany;Federal Republic of Germany",
        "Ireland;Republic of Ireland",
        "Turkey;Türkiye",
        "Eswatini;Swaziland",
        "East Timor;Timor-Leste",
        "Cape Verde;Cabo Verde",
        "Vatican City;Holy See;Vatican",
        "North Macedonia;Republic of North Macedonia",
        "Taiwan;Republic of China",
        "New York City;NYC;New York, New York;New York City, New York",
        "Los Angeles;LA;L.A.;Los Angeles, California",
        "Washington, D.C.;Washington DC;Washington, DC;District of Columbia",
        "Mumbai;Bombay",
        "Kolkata;Calcutta",
        "Chennai;Madras",
        "Kyiv;Kiev",
        "Beijing;Peking",
        "Ho Chi Minh City;Saigon",
        "Florence;Firenze",
        "Mount Everest;Everest;Sagarmatha;Chomolungma",
        "Denali;Mount McKinley",
        "Uluru;Ayers Rock",
        "European Union;EU;E.U.",
        "United Nations;UN;U.N.",
        "World War I;First World War;World War 1;WWI;WW1;the Great War",
        "World War II;Second World War;World War 2;WWII;WW2",
        "carbon dioxide;CO2",
        "water;H2O",
        "sodium chloride;NaCl;table salt;common salt",
        "nitrogen;N2;nitrogen gas;dinitrogen",
        "oxygen;O2;oxygen gas;dioxygen",
        "hydrogen;H2;hydrogen gas;dihydrogen",
        "ozone;O3",
        "methane;CH4",
        "ammonia;NH3",
        "hydrogen peroxide;H2O2",
        "hydrochloric acid;HCl",
        "sulfuric acid;sulphuric acid;H2SO4",
        "nitric acid;HNO3",
        "sodium hydroxide;NaOH;caustic soda;lye",
        "calcium carbonate;CaCO3",
        "sodium bicarbonate;NaHCO3;baking soda",
        "sulfur dioxide;SO2",
        "nitrogen dioxide;NO2",
        "nitrous oxide;N2O;laughing gas",
        "adenosine triphosphate;ATP",
        "deoxyribonucleic acid;DNA",
        "ribonucleic acid;RNA",
        "vitamin C;ascorbic acid",
        "influenza;flu;the flu",
        "television;TV",
        "ampere;amp;A",
        "kilogram;kg",
        "hertz;Hz",
        "newton;N",
        "joule;J",
        "watt;W",
        "pascal;Pa",
        "volt;V",
        "ohm;Ω",
        "coulomb;C",
        "kelvin;K",
        "mole;mol",
        "meter;metre;m",
        "candela;cd",
        "tesla;T",
        "farad;F",
        "soccer;association football",
    )
)
_TABLE = {fold(one): same for same in _SAME for one in same}
_WORDING_ASKED = re.compile(
    r"\b(?:formula|symbol|stands? for|abbreviat\w+|acronym|initials|full (?:name|form)|former(?:ly)?|previously"
    r"|old name|original(?:ly)? (?:name|called)|renamed|rename|known as before|changed? its name|another name"
    r"|other name|also known|common name|scientific name)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=512)
def also(answer: str, question: str = "") -> tuple[str, ...]:
    """Other wordings of an answer, none if the question asks for the wording itself."""
    same = _TABLE.get(fold(answer).removeprefix("the ").rstrip("."), ())
    if not same or _WORDING_ASKED.search(question):
        return ()
    asked = fold(question)
    return tuple(one for one in same if one != answer and fold(one) not in asked)
