"""A language is named by a package that need not be installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.records import TEXT, document, stage
from webscale_rl.errors import ConfigError
from webscale_rl.stages.heuristic_rules import language
from webscale_rl.types import Drop

GERMAN = "Der Eiffelturm ist ein 330 Meter hoher Eisenfachwerkturm in Paris. " * 4


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    language._identifier.cache_clear()
    yield
    language._identifier.cache_clear()


def test_without_the_package_the_run_is_refused_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    with pytest.raises(ConfigError, match=r"needs py3langid: pip install 'webscale-rl\[language\]'"):
        stage("heuristics", languages=("en",))
    stage("heuristics", languages=None)


def test_it_is_asked_of_the_middle_of_a_text_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class LanguageIdentifier:
        @classmethod
        def from_model_file(cls, path: str) -> LanguageIdentifier:
            return cls()

        def classify(self, text: str) -> tuple[str, float]:
            asked.append(text)
            return "de", -1.0

    module = ModuleType("py3langid.langid")
    module.__dict__.update(LanguageIdentifier=LanguageIdentifier, MODEL_FILE="data/model")
    monkeypatch.setitem(sys.modules, "py3langid", ModuleType("py3langid"))
    monkeypatch.setitem(sys.modules, "py3langid.langid", module)
    text = document("Menu\n" * 200 + "x" * 600 + "\nFoot" * 200)
    rule = stage("heuristics", preset="paper", languages=("en", "fr"))
    assert rule.decide(text, None) == Drop("heuristics", "languages", "de, allowed en fr")
    assert asked == ["x" * 600]
    assert stage("heuristics", preset="paper", languages=("de",)).decide(text, None) == [text]


def test_languages_are_told_apart() -> None:
    pytest.importorskip("py3langid")
    english = stage("heuristics", preset="paper", min_tokens=10, languages=("en",))
    assert english.decide(document(TEXT), None) == [document(TEXT)]
    assert english.decide(document(GERMAN), None) == Drop("heuristics", "languages", "de, allowed en")
