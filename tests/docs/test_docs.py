"""What the documentation says is true: its code runs, its tables are the code's, and nothing is left out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import webscale_rl
from benchmarks.llm_server import LLMServer
from tests.docs.pages import PAGES, PROSE, ROOT, RUN, SHOWN, Block, blocks, environment, execute
from webscale_rl import registry
from webscale_rl.backend import BackendError, Usage
from webscale_rl.cli import app
from webscale_rl.config import Run
from webscale_rl.corpus import UNREADABLE_REASONS, readers
from webscale_rl.dataset.card import COLUMNS
from webscale_rl.dataset.export import forms
from webscale_rl.dataset.rows import DROPPED_COLUMNS
from webscale_rl.engine.calls import OK, Call, EndpointState, TrafficState
from webscale_rl.engine.events import Event
from webscale_rl.engine.metrics import CallCounters, RunCollector
from webscale_rl.engine.progress import Progress
from webscale_rl.report.reference import reference

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def page(name: str) -> str:
    """The text of a page."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next one of its level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no section {title!r}"
    return found[1]


def unnamed(names: object, text: str) -> list[str]:
    """Those of the names that the text does not hold as code."""
    code = " ".join(re.findall(r"`[^`\n]+`", text))
    return [name for name in sorted(names) if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", code)]  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with LLMServer() as running:
        yield running.url


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_code_block_runs(path: Path, server: str, tmp_path: Path) -> None:
    for folder in ("docs", "examples"):  # as in a clone
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for block in blocks(path):
        if block.not_run is None and (block.language in RUN or block.file is not None):
            execute(block, tmp_path, server)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_block_is_run_or_says_why_not(path: Path) -> None:
    for block in blocks(path):
        assert block.language in RUN | SHOWN | {"yaml"}, f"{block}: nobody knows what to do with {block.language!r}"
        assert block.not_run is None or len(block.not_run.split()) > 1, f"{block}: the mark gives no reason"
        assert block.language != "yaml" or block.file or block.not_run, f"{block}: open it with '# NAME.yaml'"


def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    def shape(output: str) -> tuple[list[str], list[str], list[str], str]:
        lines = output.splitlines()
        table = [line for line in lines if re.match(r"\w+ +(documents|pairs) ", line)]
        books = [line.split(":")[0] for line in lines if " seen = " in line]
        pair = [word for word in ("persona", "question", "answer", "evidence") if f"\n  {word} " in output]
        return [line.split()[0] for line in table], books, pair, lines[-1]

    command = "webscale-rl run sample: --out runs/demo"
    (shown,) = (block.text for block in blocks(ROOT / "README.md") if block.text.startswith(f"$ {command}"))
    printed = subprocess.run(
        command,
        shell=True,
        cwd=tmp_path,
        env=environment(installed=True),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert shape(shown) == shape(printed)
    assert command in page("Makefile").replace("$(BIN)/", "")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_and_prints_something(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(path)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip()


def test_the_reference_of_the_configuration_is_the_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert page("docs/configuration.md") == reference(), (
        "python -m webscale_rl.report.reference > docs/configuration.md"
    )


def test_every_command_and_option_is_documented_with_its_own_help() -> None:
    text = page("docs/cli.md")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert re.findall(r"^## webscale-rl (\S+)", text, re.MULTILINE) == list(commands)
    for name, command in commands.items():
        told = section(text, f"webscale-rl {name}")
        assert " ".join(command.help.split()) in told
        for option in command.params:
            row = f"| {', '.join(f'`{spelling}`' for spelling in option.opts)} | {option.help} |"
            assert row in told, f"{name}: {row}"


def test_every_stage_has_a_section_with_its_slots_and_reasons() -> None:
    text = page("docs/stages.md")
    for name in registry.names("stages", "takes"):
        stage = registry.load("stages", name, "takes")
        reply = stage.reply_type.__struct_fields__ if stage.reply_type else ()
        assert unnamed({*stage.reasons, *stage.slots, *reply}, section(text, name)) == []
    for name in registry.names("sieves", "judge"):
        assert unnamed(registry.load("sieves", name, "judge").reasons, section(text, name)) == []
    assert unnamed(UNREADABLE_REASONS, section(text, "read")) == []
    assert [name for name in Run().sieves if name not in registry.names("sieves", "judge")] == []


def test_every_backend_has_a_section_and_every_error_a_row() -> None:
    text = page("docs/backends.md")
    for name in registry.names("backends", "paid"):
        section(text, name)
    assert unnamed({error.kind for error in BackendError.__subclasses__() if hasattr(error, "kind")}, text) == []


def test_every_reader_and_its_endings_are_documented() -> None:
    plain = {ending for ending in readers.endings() if not ending.endswith((".gz", ".zst"))}
    assert unnamed(readers.names(), page("docs/tutorial.md")) == []
    assert [ending for ending in plain if f"`{ending}`" not in page("docs/tutorial.md")] == []


def test_every_column_and_exporter_is_documented() -> None:
    text = page("docs/dataset.md")
    assert unnamed(COLUMNS, section(text, "dataset/")) == []
    assert unnamed(COLUMNS, page("README.md")) == []
    assert unnamed(DROPPED_COLUMNS, section(text, "dropped/")) == []
    assert unnamed(forms(), section(page("docs/export.md"), "Forms")) == []


def test_every_field_of_an_event_and_every_metric_is_documented() -> None:
    class Traffic:
        def state(self) -> TrafficState:
            return TrafficState(0, 0, 0, {"a": EndpointState(0, 1)})

    text = page("docs/observability.md")
    assert unnamed(Event.__struct_fields__, section(text, "events.jsonl")) == []
    counters, progress = CallCounters(), Progress({})
    counters(Call(0.0, "s", "m", "e", 1, 0.0, 0.0, Usage(1, 1), OK))
    progress.traffic = Traffic()  # type: ignore[assignment]
    for unit in ("document", "pair"):
        progress.tally.end(unit, "", "kept")
    told = dict(re.findall(r"^\| `(webscale_rl_\w+?)(?:_total)?` \| (.*?) ?\|", text, re.MULTILINE))
    families = list(RunCollector(counters, progress).collect())
    assert list(told) == [family.name for family in families]
    for family in families:
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert set(re.findall(r"`(\w+)`", told[family.name])) == labels, family.name


def test_every_public_name_is_documented() -> None:
    public = {name for name in webscale_rl.__all__ if not name.startswith("_")}
    assert unnamed(public - {"Brief", "Drop", "Failure", "Pair"}, page("docs/python.md")) == []
    assert unnamed({"Brief", "Drop", "Failure", "Pair"}, page("ARCHITECTURE.md")) == []


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_links_resolve(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{path.name}: {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
            assert anchor in slugs, f"{path.name}: {target}"


def test_every_page_is_on_the_map() -> None:
    for path in PAGES[1:]:
        assert path.name == "index.md" or f"({path.name})" in page("docs/index.md")


def test_the_changelog_has_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", page("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert webscale_rl.__version__ in headings


def test_a_block_of_a_page_fails_if_its_command_does(tmp_path: Path) -> None:
    block = Block("page.md", 1, "bash", "false | true\n", None, None)
    with pytest.raises(AssertionError, match=r"page\.md:1 ended with 1"):
        execute(block, tmp_path, "")
