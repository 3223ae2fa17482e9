"""The taxonomy: the packaged ten domains are good, and a user's own are refused with one clear line per fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.records import TAXONOMY
from webscale_rl.domains import Taxonomy
from webscale_rl.errors import DomainError
from webscale_rl.normalise import restates
from webscale_rl.stages.precheck import refers_to_text

PAPER = (
    "Math",
    "Technology & Engineering",
    "Coding",
    "Social Science",
    "Natural Science",
    "Travel & Lifestyle",
    "Commerce & Economics",
    "Medicine & Health",
    "Education",
    "Other",
)
EVERY = [(domain, example) for domain in TAXONOMY.domains for example in domain.examples]


def test_the_packaged_domains_are_the_papers_ten() -> None:
    assert {domain.name for domain in TAXONOMY.domains} == set(PAPER)
    assert len(TAXONOMY.domains) == 10
    assert TAXONOMY.domains[-1].name == "Other"


@pytest.mark.parametrize("domain", TAXONOMY.domains, ids=lambda domain: domain.folder)
def test_every_domain_says_what_belongs_to_it_who_reads_it_and_what_a_good_pair_is(domain: Any) -> None:
    assert len(domain.definition) > 100
    assert len(domain.boundaries) > 100
    assert len(set(domain.personas)) >= 5
    assert len(domain.keywords) >= 20 or domain.name == "Other"
    assert len(domain.examples) >= 6
    assert len({example.answer_type for example in domain.examples}) >= 5
    assert len({example.persona for example in domain.examples}) == len(domain.examples)
    assert domain.folder == "_".join(domain.name.lower().replace("&", " ").split())


@pytest.mark.parametrize(("domain", "example"), EVERY)
def test_every_worked_example_is_right_by_our_own_rules(domain: Any, example: Any) -> None:
    assert "".join(example.evidence.split()) in "".join(example.document.split())
    assert not restates(example.question, example.answer) or example.answer_type in ("choice", "yes_no")
    assert not refers_to_text(example.question)
    assert len(example.answer.split()) <= 12
    assert len(example.document.split()) >= 50


def test_no_worked_example_stands_twice() -> None:
    assert len({example.question for _, example in EVERY}) == len(EVERY) == len({e.document for _, e in EVERY})


@pytest.mark.parametrize("name", PAPER)
def test_a_domain_is_found_however_a_reply_spells_it(name: str) -> None:
    spelled = {name, name.lower(), name.upper(), f" {name}\n", f'"{name}"', f"{name}.", f"**{name}**", f"- {name}"}
    spelled |= {each.replace("&", "and") for each in spelled}
    spelled |= {each.replace(" & ", "&") for each in spelled} | {each.replace(" ", "  ") for each in spelled}
    spelled |= {name.replace("&", "AND")}
    for each in spelled:
        found = TAXONOMY.find(each)
        assert found is not None, each
        assert found.name == name, each


@pytest.mark.parametrize("name", ["", "Maths & Co", "Technology", "Science", "&", "and", "Math, Coding", "Otherwise"])
def test_what_is_no_domain_is_not_found(name: str) -> None:
    assert TAXONOMY.find(name) is None


def test_the_definitions_name_every_domain_once_with_its_meaning() -> None:
    lines = TAXONOMY.definitions.split("\n")
    assert [line.split(":")[0] for line in lines] == [f"- {domain.name}" for domain in TAXONOMY.domains]
    assert all(domain.boundaries in line for domain, line in zip(TAXONOMY.domains, lines, strict=True))


def test_few_shot_examples_are_the_same_for_a_domain_and_a_seed() -> None:
    again = Taxonomy.load()
    for domain in TAXONOMY.domains:
        chosen = TAXONOMY.few_shot(domain.name, 2, 0)
        assert chosen == again.few_shot(domain.name, 2, 0)
        assert len(set(chosen)) == 2
        assert set(chosen) <= set(domain.examples)
    assert len({TAXONOMY.few_shot("Math", 2, seed) for seed in range(20)}) > 5, "the seed chooses"
    assert TAXONOMY.few_shot("Math", 0, 0) == ()
    assert TAXONOMY.few_shot("Math", 4, 3)[:2] == TAXONOMY.few_shot("Math", 2, 3), "more examples keep the first ones"


def example(**fields: Any) -> dict[str, Any]:
    return {
        "document": "Oak is hard.\nBeech is harder.",
        "persona": "a joiner",
        "question": "Which wood is harder than oak?",
        "answer": "beech",
        "answer_type": "name",
        "evidence": "hard. Beech is harder",
    } | fields


def domain(root: Path, folder: str, name: str, examples: list[Any] | str | None = None, **fields: Any) -> Path:
    """A domain folder. YAML is a superset of JSON."""
    path = root / folder
    path.mkdir(parents=True)
    (path / "domain.yaml").write_text(json.dumps({"name": name, "definition": "d"} | fields), encoding="utf-8")
    if examples is not None:
        text = examples if isinstance(examples, str) else "\n".join(json.dumps(e, ensure_ascii=False) for e in examples)
        (path / "examples.jsonl").write_text(text, encoding="utf-8")
    return path


def test_a_domain_that_has_too_few_borrows_from_other_then_from_the_rest(tmp_path: Path) -> None:
    domain(tmp_path, "wood", "Wood", [example(question="w1")])
    domain(tmp_path, "metal", "Metal", [example(question="m1"), example(question="m2")])
    domain(tmp_path, "a_other", "other", [example(question="o1"), example(question="o2")])
    domain(tmp_path, "stone", "Stone")
    taxonomy = Taxonomy.load(tmp_path)
    assert [each.folder for each in taxonomy.domains] == ["metal", "stone", "wood", "a_other"], "Other is last"

    def questions(name: str, count: int) -> list[str]:
        return [shown.question for shown in taxonomy.few_shot(name, count, 0)]

    assert questions("Wood", 1) == ["w1"]
    assert questions("Wood", 3) == ["w1", "o1", "o2"]
    assert questions("Stone", 2) == ["o1", "o2"]
    assert questions("Wood", 20) == ["w1", "o1", "o2", "m1", "m2"]
    assert sorted(questions("other", 20)) == ["m1", "m2", "o1", "o2", "w1"]
    assert questions("no such domain", 3) == ["o1", "o2", "w1"]


def test_an_own_folder_needs_name_and_definition_only(tmp_path: Path) -> None:
    domain(tmp_path, "wood", " Wood  work ", keywords=["Oak"])
    (tmp_path / ".git").mkdir()
    (tmp_path / "_drafts").mkdir()
    (tmp_path / "README.md").write_text("x")
    (only,) = Taxonomy.load(str(tmp_path)).domains
    assert (only.name, only.examples, only.personas, only.keywords) == ("Wood work", (), (), ("oak",))


def test_examples_may_hold_every_character_that_json_may(tmp_path: Path) -> None:
    separators = "Oak\u2028is hard.\x85Beech\u2029is harder."
    path = domain(tmp_path, "wood", "Wood", [example(document=separators, evidence="Oak is hard."), example()])
    (path / "examples.jsonl").write_text(
        (path / "examples.jsonl").read_text(encoding="utf-8") + "\r\n\r\n", encoding="utf-8"
    )
    assert len(Taxonomy.load(tmp_path).domains[0].examples) == 2


def test_an_edit_of_any_file_is_another_taxonomy(tmp_path: Path) -> None:
    digests = set()
    for number, fields in enumerate(
        ({}, {"definition": "e"}, {"boundaries": "b"}, {"examples": [example()]}, {"personas": ["p"]})
    ):
        domain(tmp_path / str(number), "wood", "Wood", **fields)  # type: ignore[arg-type]
        digests |= {Taxonomy.load(tmp_path / str(number)).digest for _ in range(2)}
    assert len(digests) == 5


YAML, JSONL = "wood/domain.yaml", "wood/examples.jsonl"


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (YAML, None, f"{YAML}: missing; it must say at least name: and definition:"),
        (YAML, "", f"{YAML}: Expected `object`, got `null`"),
        (YAML, "wood", f"{YAML}: Expected `object`"),
        (YAML, "name: Wood\ndefinition: [a", "line 2"),
        (YAML, "name: Wood", "definition"),
        (YAML, "definition: d", "name"),
        (YAML, "name: ' '\ndefinition: d", f"{YAML}: name and definition must not be empty"),
        (YAML, "name: Wood\ndefinition: ''", f"{YAML}: name and definition must not be empty"),
        (YAML, "name: 3\ndefinition: d", "$.name"),
        (YAML, "name: Wood\ndefinition: d\nkeyword: [oak]", "keyword"),
        (YAML, "name: Wood\ndefinition: d\npersonas: a joiner", "$.personas"),
        (YAML, b"name: \xff", f"{YAML}: "),
        (JSONL, b"\xff", f"{JSONL}: "),
        (JSONL, "{", f"{JSONL}:1: "),
        (JSONL, json.dumps(example()) + "\n\n[]", f"{JSONL}:3: Expected `object`, got `array`"),
        (
            JSONL,
            json.dumps(example()) + "\n" + json.dumps(example(answer_type="wood")),
            f"{JSONL}:2: Invalid enum value 'wood'",
        ),
        (JSONL, json.dumps(example(answer=3)), f"{JSONL}:1: Expected `str`, got `int`"),
        (JSONL, json.dumps(example(more="x")), f"{JSONL}:1: Object contains unknown field `more`"),
        (
            JSONL,
            json.dumps({k: v for k, v in example().items() if k != "persona"}),
            f"{JSONL}:1: Object missing required field `persona`",
        ),
        (JSONL, json.dumps(example(persona=" ")), f"{JSONL}:1: persona is empty"),
        (
            JSONL,
            json.dumps(example(evidence="Beech is hard.")),
            f"{JSONL}:1: evidence must stand in document word for word",
        ),
        (JSONL, json.dumps(example(evidence="")), f"{JSONL}:1: evidence is empty"),
    ],
)
def test_a_fault_gets_one_line_with_file_and_line(
    tmp_path: Path, file: str, content: str | bytes | None, told: str
) -> None:
    domain(tmp_path, "wood", "Wood", [example()])
    domain(tmp_path, "metal", "Metal", [example()])
    path = tmp_path / file
    path.unlink()
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DomainError) as caught:
        Taxonomy.load(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}:")
    assert told in message


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    domain(tmp_path, "wood", "Wood", [example(answer=""), example(), example(evidence="nowhere to be found")])
    domain(tmp_path, "metal", "")
    (tmp_path / "stone").mkdir()
    with pytest.raises(DomainError) as caught:
        Taxonomy.load(tmp_path)
    lines = [line.removeprefix(f"{tmp_path}/").split(": ")[0] for line in str(caught.value).splitlines()]
    assert sorted(lines) == ["metal/domain.yaml", "stone/domain.yaml", "wood/examples.jsonl:1", "wood/examples.jsonl:3"]


@pytest.mark.parametrize("other", ["wood & Metal", "Wood and Metal", "Wood  &  Metal"])
def test_two_domains_of_one_name_are_refused(tmp_path: Path, other: str) -> None:
    domain(tmp_path, "one", "Wood & Metal")
    domain(tmp_path, "two", other)
    with pytest.raises(DomainError, match=r"two/domain\.yaml: name: .* is also that of one/"):
        Taxonomy.load(tmp_path)


def test_a_folder_without_domains_and_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match=f"{tmp_path}: holds no domain"):
        Taxonomy.load(tmp_path)
    with pytest.raises(DomainError, match="no/such: no such folder"):
        Taxonomy.load(tmp_path / "no/such")
    (tmp_path / "file").write_text("x")
    with pytest.raises(DomainError, match="file: no such folder"):
        Taxonomy.load(tmp_path / "file")
