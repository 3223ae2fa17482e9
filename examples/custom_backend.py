"""A backend of your own: answers come from a function in this process. Run: python examples/custom_backend.py."""

import json
import re
from tempfile import mkdtemp

from webscale_rl import Run, run
from webscale_rl.backend import BackendOptions, Reply, Request


def complete(messages: list[dict[str, str]]) -> str:
    """Stands for your model. This one finds a sentence that ends in a year, and asks for the year."""
    found = re.search(r"[A-Z][^.\n]{40,} in (\d{4})\.", messages[-1]["content"])
    pair = found and {"evidence": found[0], "question": found[0].replace(found[1], "____"), "answer": found[1]}
    return json.dumps({"pairs": [pair | {"answer_type": "date"}] if pair else []})


class Local:
    """`paid` makes a run keep every answer: the time of a local model is worth keeping too."""

    name, paid, Options = "local", True, BackendOptions

    def __init__(self, options: BackendOptions | None = None, context: object = None) -> None: ...

    async def reply(self, request: Request) -> Reply:
        """One answer. Await your server here, or `asyncio.to_thread` a function that takes its time."""
        return Reply(complete(request.messages()))

    async def __aenter__(self) -> "Local":
        return self

    async def __aexit__(self, *error: object) -> None: ...


if __name__ == "__main__":  # this model can only write questions, so the stages that judge are left out
    config = Run(inputs=["sample:"], out=mkdtemp(), pipeline=("heuristics", "generate", "precheck"))
    for example in run(config, backend=Local()).examples():
        print(f"{example.question} -> {example.answer}")
