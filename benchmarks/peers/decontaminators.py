"""How others decontaminate, each as its own code is meant to be called. Runs in an environment that has them.

    VENV/bin/python decontaminators.py NAME JOB RESULT

JOB is {"items": [[question, answer], ...], "texts": {name: [...]}}, RESULT {name: {"flags": [...], "seconds"}} or
{"missing": why}. Needs the standard library alone, and in its environment what a decontaminator wants.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

Items = Sequence[tuple[str, str]]
Flags = Callable[[str], bool]


def janitor(items: Items) -> Flags:
    """lm-evaluation-harness's Janitor with its defaults, in Python, as it is without its C++ module. A text that does
    not come back whole is one that it takes for contaminated."""
    cleaner: Any = importlib.import_module("lm_eval.decontamination.janitor").Janitor()
    for question, _ in items:
        cleaner.register_contaminant_python(question)
    return lambda text: cleaner.clean_python(text) != [text]


def janitor_runs(items: Items) -> Flags:
    """The Janitor's runs of 13 words alone: it gives nothing back of a text under 200 characters, clean or not."""
    module: Any = importlib.import_module("lm_eval.decontamination.janitor")
    cleaner = module.Janitor()
    for question, _ in items:
        cleaner.register_contaminant_python(question)

    def flags(text: str) -> bool:
        found = module.word_ngrams_indices(text, cleaner.ngram_n)
        return any(cleaner.normalize_string(run) in cleaner.dirt_ngrams for run, _ in found)

    return flags


def datatrove(items: Items) -> Flags:
    """datatrove's NGramsDecontFilter, 13 words, questions looked up as well. Its indexer loads lighteval, which is not
    needed for items of one's own: the hashes are made by its own method and written where the filter reads them."""
    module: Any = importlib.import_module("datatrove.pipeline.decont.n_grams")
    data: Any = importlib.import_module("datatrove.data")
    config = module.NGramsDecontConfig(n_grams=13, find_query_ngrams=True, find_overlap_ngrams=False)
    folder = Path(tempfile.mkdtemp())
    decontaminate = module.NGramsDecontFilter(str(folder), config=config)
    maker = SimpleNamespace(config=config, tokenizer=decontaminate.tokenizer, hash_func=decontaminate.hash_func)
    hashes: set[int] = set()
    for question, answer in items:
        hashes.update(module.NGramsDecontIndexer.compute_hashes(maker, answer, question))
    numpy: Any = importlib.import_module("numpy")
    numpy.array(sorted(hashes), config.hash_config.np_descr).tofile(folder / "all.index.hashes")

    def flags(text: str) -> bool:
        return decontaminate.filter(data.Document(text=text, id="0")) is not True

    flags("x")  # loads the index
    return flags


PEERS: dict[str, Callable[[Items], Flags]] = {
    "lm-eval Janitor": janitor,
    "its 13-grams alone": janitor_runs,
    "datatrove": datatrove,
}


def main() -> None:
    name, job, result = sys.argv[1:]
    given = json.loads(Path(job).read_text(encoding="utf-8"))
    told: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            flags = PEERS[name](given["items"])
        except ImportError as error:
            told = {"missing": str(error)}
        else:
            for kind, texts in given["texts"].items():
                began = time.process_time()
                found = [flags(text) for text in texts]
                told[kind] = {"flags": found, "seconds": time.process_time() - began}
    Path(result).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
