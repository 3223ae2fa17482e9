"""Which language a text is in, as py3langid says: 139 languages, BSD, its model of 4.5 MB comes inside its package.

An extra, and only asked if a configuration names languages: it costs three times as much as all rules of the default
preset, and 120 MB of memory. Of nine identifiers that need no download it is the one that installs on every Python from
3.11 to 3.14 and is kept up. Of 1,954 documents in ten languages it named 7 wrongly, mostly tables and code.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from webscale_rl.errors import ConfigError

_SAMPLE = 600
"""So many characters from the middle of a text, where menus are rare: with 1,000 it takes half as long again."""


def language(text: str) -> str:
    """The ISO 639-1 code of the language (639-3 where there is none). Raises ConfigError if py3langid is missing."""
    start = max(0, (len(text) - _SAMPLE) // 2)
    code: str = _identifier().classify(text[start : start + _SAMPLE].replace("\n", " "))[0]
    return code


@cache
def _identifier() -> Any:
    try:
        langid = importlib.import_module("py3langid.langid")
    except ImportError:
        raise ConfigError("stages.heuristics.languages needs py3langid: pip install 'webscale-rl[language]'") from None
    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)


def require() -> None:
    """Load the identifier, before a run begins. Raises ConfigError if it is not installed."""
    _identifier()
