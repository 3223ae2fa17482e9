"""The taxonomy: a folder per domain with its meaning and its worked examples. A new domain is a folder and no code.

    <domain>/domain.yaml      name, definition, boundaries, and optionally personas and keywords
    <domain>/examples.jsonl   worked examples: document, persona, question, answer, answer_type, evidence

The folders beside this file are the ten domains of the paper; `Taxonomy.load(folder)` reads a user's own instead.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import yaml

from webscale_rl.errors import DomainError
from webscale_rl.types import AnswerType

PACKAGED = Path(__file__).parent
FALLBACK = "Other"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same language as the safe loader in Python, ten times faster; some builds of PyYAML lack it."""


class WorkedExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One few-shot example. `evidence` stands in `document` word for word."""

    document: str
    persona: str
    question: str
    answer: str
    answer_type: AnswerType
    evidence: str


class _Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    definition: str
    boundaries: str = ""
    personas: list[str] = []
    keywords: list[str] = []


@dataclass(frozen=True)
class Domain:
    """One domain: what belongs to it, who reads such texts, and what a good pair looks like."""

    folder: str
    name: str
    definition: str
    boundaries: str
    personas: tuple[str, ...]
    keywords: tuple[str, ...]
    examples: tuple[WorkedExample, ...]


@dataclass(frozen=True)
class Taxonomy:
    """All domains of a run, in the order of their folder names, `Other` last."""

    domains: tuple[Domain, ...]

    @classmethod
    def load(cls, folder: str | Path | None = None) -> Taxonomy:
        """The packaged domains, or those of a user's folder. Raises DomainError with a line for each fault."""
        root = Path(folder) if folder is not None else PACKAGED
        if not root.is_dir():
            raise DomainError(f"{root}: no such folder; --domains wants a folder that holds one folder per domain")
        folders = sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] not in "._")
        faults: list[str] = []
        domains = [domain for path in folders if (domain := _load_domain(path, faults)) is not None]
        names: dict[str, str] = {}
        for domain in domains:
            other = names.setdefault(_spelling(domain.name), domain.folder)
            if other != domain.folder:
                faults.append(f"{root / domain.folder / 'domain.yaml'}: name: {domain.name!r} is also that of {other}/")
        if not folders:
            faults.append(f"{root}: holds no domain; make a folder with a domain.yaml in it")
        if faults:
            raise DomainError("\n".join(faults))
        return cls(
            tuple(sorted(domains, key=lambda domain: (_spelling(domain.name) == _spelling(FALLBACK), domain.folder)))
        )

    @cached_property
    def by_name(self) -> dict[str, Domain]:
        """Domains by their names in the one spelling that stands for all that replies use."""
        return {_spelling(domain.name): domain for domain in self.domains}

    def find(self, name: str) -> Domain | None:
        """The domain of that name, whatever the case, however `&` and white space are written, and whatever stands
        around it (quotation marks, a full stop)."""
        return self.by_name.get(_spelling(name))

    @cached_property
    def definitions(self) -> str:
        """All definitions as a list, for the prompt of the classifier."""
        lines = [
            f"- {domain.name}: {domain.definition}" + (f" {domain.boundaries}" if domain.boundaries else "")
            for domain in self.domains
        ]
        return "\n".join(lines)

    @cached_property
    def digest(self) -> str:
        """A digest of all that the folders say."""
        return hashlib.blake2b(repr(self.domains).encode(), digest_size=16).hexdigest()

    def few_shot(self, name: str, count: int, seed: int) -> tuple[WorkedExample, ...]:
        """`count` worked examples of a domain, the same for all its documents in a run so that server prefix caches
        hit. A domain that has too few borrows from `Other`, then from all the rest."""
        chosen = self._few_shot.get((name, count, seed))
        if chosen is None:
            chosen = self._few_shot[name, count, seed] = self._choose(name, count, seed)
        return chosen

    @cached_property
    def _few_shot(self) -> dict[tuple[str, int, int], tuple[WorkedExample, ...]]:
        return {}

    def _choose(self, name: str, count: int, seed: int) -> tuple[WorkedExample, ...]:
        own = self.find(name)
        pool = list(own.examples) if own else []
        random.Random(f"{seed}:{name}").shuffle(pool)  # not for secrets: a seeded, stable choice
        if len(pool) < count:
            rest = [example for domain in reversed(self.domains) if domain is not own for example in domain.examples]
            pool += rest[: count - len(pool)]
        return tuple(pool[:count])


def _spelling(name: str) -> str:
    return " ".join(name.casefold().replace("&", " and ").split()).strip(" .:;,*_`-\"'“”‘’")


def _load_domain(folder: Path, faults: list[str]) -> Domain | None:
    path = folder / "domain.yaml"
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _LOADER)
        definition = msgspec.convert(raw, _Definition)
    except FileNotFoundError:
        faults.append(f"{path}: missing; it must say at least name: and definition:")
        return None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        faults.append(f"{path}: {' '.join(str(error).split())}")
        return None
    if not definition.name.strip() or not definition.definition.strip():
        faults.append(f"{path}: name and definition must not be empty")
    return Domain(
        folder=folder.name,
        name=" ".join(definition.name.split()),
        definition=" ".join(definition.definition.split()),
        boundaries=" ".join(definition.boundaries.split()),
        personas=tuple(definition.personas),
        keywords=tuple(word.casefold() for word in definition.keywords),
        examples=_load_examples(folder / "examples.jsonl", faults),
    )


def _load_examples(path: Path, faults: list[str]) -> tuple[WorkedExample, ...]:
    examples = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: JSON strings may hold U+2028
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{path}: {error}")
        return ()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            example = msgspec.json.decode(line, type=WorkedExample)
        except msgspec.DecodeError as error:
            faults.append(f"{path}:{number}: {error}")
            continue
        empty = [field for field in WorkedExample.__struct_fields__ if not getattr(example, field).strip()]
        if empty:
            faults.append(f"{path}:{number}: {empty[0]} is empty")
        elif "".join(example.evidence.split()) not in "".join(example.document.split()):
            faults.append(f"{path}:{number}: evidence must stand in document word for word")
        examples.append(example)
    return tuple(examples)
