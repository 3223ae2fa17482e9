"""The folder is the registry; what stands outside it is named by its dotted path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from webscale_rl import registry
from webscale_rl.errors import ConfigError

PACKAGES = {"stages": "takes", "sieves": "judge", "backends": "paid", "dataset.exporters": "form"}
SRC = Path(registry.__file__).parent


def test_every_file_that_holds_a_part_is_a_name() -> None:
    stages = ["agree", "check", "classify", "filter", "generate", "heuristics", "precheck"]
    assert registry.names("stages", "takes") == stages
    assert registry.names("sieves", "judge") == ["balance", "decontaminate", "dedup"]
    assert registry.names("backends", "paid") == ["batch", "extractive", "openai"]
    trainers = ["nemo_gym", "nemo_rl", "open_instruct", "openrlhf", "sft", "skyrl", "trl", "verifiers", "verl"]
    assert registry.names("dataset.exporters", "form") == ["jsonl", *trainers, "webscale"]


@pytest.mark.parametrize(("package", "attribute"), PACKAGES.items())
def test_a_part_is_called_as_its_file_is(package: str, attribute: str) -> None:
    for name in registry.names(package, attribute):
        part = registry.load(package, name, attribute)
        assert part.__module__.startswith(f"webscale_rl.{package}.{name}")
        word = (getattr(part, "name", None) or part.form).replace("-", "_")
        assert word == ("openai" if name == "batch" else name)  # the dataset is the same, whichever way the calls went


def test_a_misspelt_name_is_told_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"stages: there is no 'chekc'; did you mean 'check'\? .*'module:Class'"):
        registry.load("stages", "chekc", "takes")
    with pytest.raises(ConfigError, match=r"sieves: there is no 'xyz'; known: balance, decontaminate, dedup"):
        registry.load("sieves", "xyz", "judge")


@pytest.mark.parametrize("name", ["document_text", "__init__", "", "a/b", "filter ", "sys"])
def test_a_file_without_a_part_and_a_name_that_is_none_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="stages: there is no "):
        registry.load("stages", name, "takes")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a user's own modules, in which the program runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


def test_a_users_part_stands_beside_the_configuration_that_names_it(own: Path) -> None:
    (own / "my_parts.py").write_text("class Mine:\n    takes = int\nclass Plain: pass\n")
    assert registry.load("stages", "my_parts:Mine", "takes") is registry.load("stages", "my_parts.Mine", "takes")
    with pytest.raises(ConfigError, match="my_parts:Plain: lacks 'takes'"):
        registry.load("stages", "my_parts:Plain", "takes")
    with pytest.raises(ConfigError, match="my_parts:Other: module 'my_parts' has no 'Other'"):
        registry.load("stages", "my_parts:Other", "takes")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("no_such_module_x:Mine", "cannot import 'no_such_module_x'.*run where it is importable"),
        ("broken_part:Mine", "cannot import 'broken_part'"),
        (":Mine", "names no module"),
        (".mine", "names no module"),
        ("..mine:Mine", "names no module"),
        ("os:", "has no ''"),
    ],
)
def test_a_path_that_cannot_be_imported_gets_one_clear_line(own: Path, path: str, told: str) -> None:
    (own / "broken_part.py").write_text("class Mine:\n  takes =\n")
    with pytest.raises(ConfigError, match=told) as caught:
        registry.load("stages", path, "takes")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_part_that_a_module_merely_imports_is_not_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import webscale_rl.stages

    (tmp_path / "check_again.py").write_text("class Again:\n    takes = int\n")
    (tmp_path / "check_a.py").write_text(
        "from webscale_rl.stages.check_again import Again\nfrom webscale_rl.stages.check import Check\n"
    )
    monkeypatch.setattr(webscale_rl.stages, "__path__", [*webscale_rl.stages.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    assert registry.load("stages", "check_again", "takes").__name__ == "Again"
    with pytest.raises(ConfigError, match="there is no 'check_a'"):
        registry.load("stages", "check_a", "takes")
