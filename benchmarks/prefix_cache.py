"""How many tokens a server computes for an accepted pair, by the layout of the prompts: real runs, simulated caches.

    python -m benchmarks.prefix_cache [--documents 300] [--tokens 500 2000 8000] [--schema-first]

Real prompts, real engine and scheduling, `--slots` calls in flight (64); the replies are the simulated server's. Each
call takes as long as its answer is (scaled down), and its prompt goes through prefix caches of `--caches` tokens:
400,000 is what an 8B model with grouped-query attention (128 KiB a token) leaves of 80 GB, 36,000 of 24 GB.

`naive` has the document in the middle of one message and draws the worked examples anew for each call, as the paper's
public code does. `--schema-first` puts the reply schema before the prompt, as OpenAI's servers do.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from benchmarks.llm_server import replies
from benchmarks.llm_server.prefix_cache import PrefixCache, chat_tokens, tokenize
from benchmarks.measure import pieces
from webscale_rl import Document, Run, run
from webscale_rl.backend import BackendOptions, Reply, Request, Usage, reply_schema_json
from webscale_rl.domains import Taxonomy
from webscale_rl.prompt import EXAMPLES, fill, quote
from webscale_rl.stages.generate import show

SECONDS_PER_TOKEN = 2e-4
TAXONOMY = Taxonomy.load()
Messages = list[dict[str, str]]


def naive(request: Request) -> Messages:
    """The same words in one message: the first paragraph, examples drawn at random, the document, all the rest."""
    sections = dict(request.prompt.sections)
    first, _, rest = fill(sections["system"], request.slots).partition("\n\n")
    shown = [first]
    if EXAMPLES in sections:
        domain = TAXONOMY.find(request.slots["domain"])
        assert domain is not None
        drawn = random.Random(request.key).sample(domain.examples, 2)
        shown.append(fill(sections[EXAMPLES], {**request.slots, "examples": show(tuple(drawn), documents=True)}))
    document = ("document", True)
    assert sections["user"][0] == document
    shown += [quote("document", request.slots["document"]), rest, fill(sections["user"][1:], request.slots).strip()]
    return [{"role": "user", "content": "\n\n".join(shown)}]


LAYOUTS: dict[str, dict[str, Any]] = {
    "naive": {"layout": "instructions_first", "stages": {"generate": {"few_shot_documents": True}}},
    "instructions_first, examples with documents": {
        "layout": "instructions_first",
        "stages": {"generate": {"few_shot_documents": True}},
    },
    "instructions_first": {"layout": "instructions_first"},
    "document_first": {"layout": "document_first"},
    "shared_prefix": {"layout": "shared_prefix"},
    "shared_prefix, but classify": {
        "layout": "shared_prefix",
        "stages": {"classify": {"layout": "instructions_first"}},
    },
    "shared_prefix, but generate": {
        "layout": "shared_prefix",
        "stages": {"generate": {"layout": "instructions_first"}},
    },
    "document_first, but filter, classify": {
        "layout": "document_first",
        "stages": {"filter": {"layout": "instructions_first"}, "classify": {"layout": "instructions_first"}},
    },
    "shared_prefix, examples with documents": {
        "layout": "shared_prefix",
        "stages": {"generate": {"few_shot_documents": True}},
    },
}


class Simulated:
    """A backend whose calls take time and whose prompts go through prefix caches. The first cache fills `usage`."""

    name, paid, Options = "simulated", True, BackendOptions

    def __init__(self, caches: list[int], messages: Callable[[Request], Messages], *, schema_first: bool) -> None:
        self._caches = [PrefixCache(tokens // 16) for tokens in caches]
        self._messages = messages
        self._schema_first = schema_first
        self.computed = [0] * len(caches)

    async def reply(self, request: Request) -> Reply:
        messages = self._messages(request)
        tokens = chat_tokens(messages, reply_schema_json(request.reply_type) if self._schema_first else "")
        cached = [cache.prefill(tokens) for cache in self._caches]
        self.computed = [sum_ + len(tokens) - hit for sum_, hit in zip(self.computed, cached, strict=True)]
        value = replies.answer(replies.understand({"messages": messages}, request.stage))
        if request.stage == "classify":
            number = int(replies.uniform(request.slots["document"], "domain") * len(TAXONOMY.domains))
            value["domain"] = TAXONOMY.domains[number].name
        text = json.dumps(value)
        answered = len(tokenize(text))
        await asyncio.sleep(answered * SECONDS_PER_TOKEN)
        return Reply(text, usage=Usage(len(tokens), answered, cached[0]))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None: ...


@dataclass(frozen=True)
class Measured:
    """Tokens per accepted pair: of all prompts, and computed with each cache."""

    pairs: int
    calls: int
    prompt: float
    computed: list[float]


def documents(sources: list[str], count: int, tokens: int) -> Iterator[Document]:
    """Documents of about so many tokens, made of whole lines of the sources; no two begin alike."""
    lines = itertools.cycle(
        line for text in pieces(sources, 500, 100_000) for line in text.splitlines() if line.strip()
    )
    for number in range(count):
        taken, size = [f"Record {number}."], 3
        while size < tokens:
            line = next(lines)
            taken.append(line)
            size += len(tokenize(line))
        yield Document(f"d{number}", "\n".join(taken))


def measure(
    layout: str, corpus: list[Document], caches: list[int], out: Path, *, slots: int = 64, schema_first: bool = False
) -> Measured:
    """One run in the folder `out`, `slots` calls at a time."""
    options = LAYOUTS[layout]
    long = {"max_document_chars": 100_000}
    stages: dict[str, Any] = {name: {**long} for name in ("filter", "classify", "generate", "check")}
    for stage, more in options.get("stages", {}).items():
        stages[stage] |= more
    stages["heuristics"] = {"enabled": False}
    config = Run.make(
        {"out": str(out), "layout": options["layout"], "stages": stages, "traffic": {"concurrency": slots}}
    )
    messages = naive if layout == "naive" else Request.messages
    backend = Simulated(caches, messages, schema_first=schema_first)
    summary = run(config, corpus, backend=backend).summary
    pairs = summary["pairs"]["kept"]
    calls = summary["calls"].values()
    prompt = sum(stage["prompt_tokens"] for stage in calls)
    assert prompt - sum(stage["cached_tokens"] for stage in calls) == backend.computed[0]  # the books are the server's
    return Measured(
        pairs, sum(stage["answered"] for stage in calls), prompt / pairs, [total / pairs for total in backend.computed]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--tokens", type=int, nargs="+", default=[500, 2000, 8000], help="of a document")
    parser.add_argument("--caches", type=int, nargs="+", default=[400_000, 36_000], help="sizes in tokens")
    parser.add_argument("--layouts", nargs="+", default=list(LAYOUTS), choices=list(LAYOUTS))
    parser.add_argument("--slots", type=int, default=64, help="calls in flight")
    parser.add_argument("--schema-first", action="store_true", help="the reply schema stands before the prompt")
    parser.add_argument("--corpus", nargs="+", default=["sample:"])
    args = parser.parse_args()
    for tokens in args.tokens:
        corpus = list(documents(args.corpus, args.documents, tokens))
        computed = " | ".join(f"computed, cache of {size:,}" for size in args.caches)
        print(f"\n{args.documents:,} documents of {tokens:,} tokens; per accepted pair\n")
        print(f"| layout | pairs | calls | prompt tokens | {computed} |")
        print("|---|---|---|---|" + "---|" * len(args.caches))
        for layout in args.layouts:
            with TemporaryDirectory() as folder:
                out = Path(folder) / "run"
                how: dict[str, Any] = {"slots": args.slots, "schema_first": args.schema_first}
                found = measure(layout, corpus, args.caches, out, **how)
            numbers = " | ".join(f"{value:,.0f}" for value in (found.prompt, *found.computed))
            print(f"| {layout} | {found.pairs:,} | {found.calls:,} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
