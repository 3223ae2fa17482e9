"""The heuristics stage beside datatrove's filters: documents per second and core, and where their decisions differ.

python -m benchmarks.heuristics --corpus CORPUS... --datatrove VENV [--make-venv] [--documents 2000] [--least 0]

Documents are drawn from the corpus by a fixed seed and cut to so many characters. Both sides run in one process each,
one after the other; the time is CPU time of one core. "On their words": our rules on the same texts with white space
around each word that datatrove's tokenizer found, so that what is left of the difference is not the words.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from webscale_rl.corpus import CorpusOptions, files, read
from webscale_rl.domains import Taxonomy
from webscale_rl.stage import Context
from webscale_rl.stages.heuristics import PRESETS, Heuristics, HeuristicsOptions
from webscale_rl.types import Document, Drop

REQUIRES = ("datatrove==0.10.1", "spacy==3.8.18", "nltk==3.10.4", "regex")
OURS: dict[str, dict[str, Any]] = {
    "Gopher quality": {
        name: getattr(HeuristicsOptions(preset="strict"), name)
        for name in (
            *("min_tokens", "max_tokens", "min_mean_word_length", "max_mean_word_length", "max_symbol_ratio"),
            *("max_bullet_lines", "max_ellipsis_lines", "min_alphabetic_words", "min_stop_words"),
        )
    },
    "Gopher repetition": {
        name: value
        for name, value in {**PRESETS["strict"], "max_top_bigram": 0.2, "max_duplicate_lines": 0.2}.items()
        if name.startswith(("max_top", "max_duplicate"))
    },
    "C4": {"min_sentences": 5, "forbid_lorem_ipsum": True, "forbid_curly_braces": True},
    "FineWeb": {
        "min_punctuated_lines": 0.12,
        "max_short_lines": 0.67,
        "max_duplicate_lines": 0.01,
        "max_newlines": 0.3,
    },
}
"""Which of our rules stand for which of their filters, with the published thresholds."""


@dataclass(frozen=True)
class Decisions:
    """What one side decided: for each text the reason of its drop, or an empty one."""

    reasons: Sequence[str]
    seconds: float

    @property
    def per_second(self) -> float:
        """Documents per second of one core."""
        return len(self.reasons) / self.seconds

    @property
    def kept(self) -> float:
        """The share that stays."""
        return sum(not reason for reason in self.reasons) / len(self.reasons)


def stage(**options: Any) -> Heuristics:
    """A stage with these rules and no others, unless a preset is named."""
    given = {"preset": "paper", "min_tokens": None} | options
    return Heuristics(HeuristicsOptions(**given), Context(Taxonomy.load()))


def decide(rules: Heuristics, texts: Sequence[str], repeats: int = 5) -> Decisions:
    """Our decisions. The time is the best of several passes: other processes share the caches."""
    best, reasons = float("inf"), [""]
    for _ in range(repeats):
        documents = [Document(id="", text=text) for text in texts]
        started = time.process_time()
        decisions = [rules.decide(document, None) for document in documents]
        best = min(best, time.process_time() - started)
        reasons = [decision.reason if isinstance(decision, Drop) else "" for decision in decisions]
    return Decisions(reasons, best)


def agreement(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """The share of texts that both keep or both drop."""
    return sum(bool(one) == bool(other) for one, other in zip(ours, theirs, strict=True)) / len(ours)


def differences(ours: Sequence[str], theirs: Sequence[str], most: int = 4) -> str:
    """The most frequent pairs of reasons where only one side drops."""
    pairs = Counter(
        f"`{one}` here only" if one else f"`{other}` there only"
        for one, other in zip(ours, theirs, strict=True)
        if bool(one) != bool(other)
    )
    return ", ".join(f"{pair} {count}" for pair, count in pairs.most_common(most))


def drawn(sources: list[str], count: int, least: int, characters: int) -> list[str]:
    """Texts of the corpus, by a fixed seed."""
    options = CorpusOptions()
    documents = (item for item in read(files(sources, options), options) if isinstance(item, Document))
    texts = [document.text[:characters] for document in documents if len(document.text) >= least]
    random.Random(0).shuffle(texts)
    return texts[:count]


def peer(venv: Path, texts: Sequence[str]) -> tuple[dict[str, Decisions], list[str]]:
    """Their decisions by filter, and the texts with white space around their words."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "texts.json"), Path(folder, "decisions.json")
        source.write_text(json.dumps(list(texts)), encoding="utf-8")
        python = str(venv / "bin" / "python")
        command = [python, "-m", "benchmarks.peers.datatrove_filters", str(source), str(target)]
        subprocess.run(command, check=True)
        found = json.loads(target.read_text(encoding="utf-8"))
    return {name: Decisions(**decisions) for name, decisions in found["filters"].items()}, found["spaced"]


def make(venv: Path) -> None:
    """datatrove in an environment of its own. Raises CalledProcessError where pip fails."""
    if not (venv / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "-q", *REQUIRES], check=True)
        (venv / "made").touch()


def table(texts: Sequence[str], theirs: dict[str, Decisions], spaced: Sequence[str]) -> str:
    """Both sides, filter by filter, in Markdown."""
    lines = [
        "| | ours, documents/s | datatrove | kept, ours | datatrove | agreement | on their words | differences |",
        "|---|---|---|---|---|---|---|---|",
    ]
    together = {name: value for rules in OURS.values() for name, value in rules.items()}
    for name, rules in {**OURS, "all four": together}.items():
        ours, other = decide(stage(**rules), texts), theirs[name]
        same_words = agreement(decide(stage(**rules), spaced, 1).reasons, other.reasons)
        lines.append(
            f"| {name} | {ours.per_second:,.0f} | {other.per_second:,.0f} | {ours.kept:.1%} | {other.kept:.1%} |"
            f" {agreement(ours.reasons, other.reasons):.1%} | {same_words:.1%} |"
            f" {differences(ours.reasons, other.reasons)} |"
        )
    for preset in ("strict", "default", "paper"):
        ours = decide(stage(preset=preset, min_tokens=50), texts)
        lines.append(f"| preset `{preset}` | {ours.per_second:,.0f} | | {ours.kept:.1%} | | | | |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", nargs="+", required=True, help="files or folders of documents")
    parser.add_argument("--datatrove", type=Path, required=True, help="folder of datatrove's environment")
    parser.add_argument("--make-venv", action="store_true", help="make it first, if it is not there")
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--least", type=int, default=0, help="leave out documents of fewer characters")
    parser.add_argument("--characters", type=int, default=2800, help="cut the others there")
    given = parser.parse_args()
    if given.make_venv:
        make(given.datatrove)
    texts = drawn(given.corpus, given.documents, given.least, given.characters)
    size = sum(len(text.encode()) for text in texts) / len(texts)
    print(f"{len(texts)} documents of {size:,.0f} bytes on average\n", flush=True)
    print(table(texts, *peer(given.datatrove, texts)))


if __name__ == "__main__":
    main()
