"""datatrove's four filters of English web pages over a file of texts: what each decides, and how long it takes.

Run by benchmarks.heuristics with the Python of datatrove's own environment: needs nothing but datatrove and spacy.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.utils.text import split_into_parts
from datatrove.utils.word_tokenizers import load_word_tokenizer

FILTERS = {
    "Gopher quality": GopherQualityFilter,
    "Gopher repetition": GopherRepetitionFilter,
    "C4": C4QualityFilter,
    "FineWeb": FineWebQualityFilter,
}


def reason(judge: Any, text: str) -> str:
    """Why the filter drops the text; empty if it keeps it. A text that it cannot take is told apart from both."""
    try:
        decision = judge.filter(Document(text=text, id=""))
    except (ValueError, ZeroDivisionError, AssertionError) as error:
        return f"error: {error}"
    if isinstance(decision, tuple):
        return "" if decision[0] else str(decision[1])
    return "" if decision else "dropped"


def timed(judges: list[Any], texts: list[str]) -> dict[str, Any]:
    """The first reason of the filters for each text, and the CPU time of it all."""
    split_into_parts.cache_clear()
    started = time.process_time()
    reasons = [next(filter(None, (reason(judge, text) for judge in judges)), "") for text in texts]
    return {"seconds": time.process_time() - started, "reasons": reasons}


def spaced(text: str) -> str:
    """The text with white space around each word as datatrove finds it, and its line breaks."""
    pieces = []
    for line in text.split("\n"):
        pieces.append(" ".join(load_word_tokenizer("en").word_tokenize(line)))
    return "\n".join(pieces)


def main() -> None:
    """Read a JSON list of texts, write what is asked for as JSON."""
    source, target = map(Path, sys.argv[1:])
    texts = json.loads(source.read_text(encoding="utf-8"))
    judges = {name: kind() for name, kind in FILTERS.items()}
    timed(list(judges.values()), texts[:20])  # models and caches are loaded
    found = {name: timed([judge], texts) for name, judge in judges.items()}
    found["all four"] = timed(list(judges.values()), texts)
    target.write_text(json.dumps({"filters": found, "spaced": [spaced(text) for text in texts]}), encoding="utf-8")


if __name__ == "__main__":
    main()
