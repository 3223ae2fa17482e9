"""A stage of your own: drops pages whose text ends at a pay wall, before any model is asked about them.

    python examples/custom_stage.py

From YAML, run where this file is importable:   pipeline: [heuristics, "custom_stage:NoPayWalls", filter, ...]
"""

from tempfile import mkdtemp

from webscale_rl import Document, Drop, Run, run
from webscale_rl.config import PIPELINE
from webscale_rl.stage import Stage

PHRASES = ("subscribe to continue", "sign in to read", "log in", "create a free account")


class NoPayWalls(Stage[Document, None, Document]):
    """A heuristic: it has no reply type, hence no prompt, and is asked nothing."""

    name = "no_pay_walls"
    takes = Document
    gives = Document
    reasons = frozenset({"pay_wall"})

    def decide(self, record: Document, reply: None) -> list[Document] | Drop:
        """The document as it is, or a Drop that quotes the phrase."""
        text = record.text.casefold()
        found = next((phrase for phrase in PHRASES if phrase in text), None)
        return self.drop("pay_wall", found) if found else [record]


if __name__ == "__main__":
    pipeline = (PIPELINE[0], "__main__:NoPayWalls", *PIPELINE[1:])
    result = run(Run(inputs=["sample:"], out=mkdtemp(), pipeline=pipeline))
    row = next(row for row in result.summary["funnel"] if row["stage"] == "no_pay_walls")
    print(f"{row['seen']} documents, {row['dropped'].get('pay_wall', 0)} behind a pay wall, {row['kept']} went on")
