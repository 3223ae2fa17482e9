"""What a result cost in tokens and in money: every training, evaluation, refinement and sampling run writes a ledger.

The paper counts the tokens of the source documents alone, so that rollouts are free (section 5.3). A fair account
counts all that was read, written and learned; both stand here.

    source     tokens of the documents behind the data, each document once: the paper's account
    generated  tokens in and out of the calls that made data
    judged     tokens in and out of the calls that judged it: the check, a judge of rewards
    rollout    tokens that a policy sampled, in training or in an evaluation
    trained    tokens that went forward and backward in optimiser steps, in every epoch again
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson

from webscale_rl.errors import ConfigError
from webscale_rl.files import write_text

LEDGER_FILE = "ledger.json"
JUDGES = frozenset({"check", "agree", "judge"})
"""Stages whose calls make nothing: they judge what others made."""


class Ledger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens by what they were for, US dollars (None: a price was not known), and seconds of wall time."""

    source: int = 0
    generated: int = 0
    judged: int = 0
    rollout: int = 0
    trained: int = 0
    usd: float | None = 0.0
    seconds: float = 0.0

    @property
    def every(self) -> int:
        """All tokens that were generated, judged, sampled and trained on. The source's are not added: a document that
        a model read or learned is counted there."""
        return self.generated + self.judged + self.rollout + self.trained

    def plus(self, other: Ledger) -> Ledger:
        """Both together."""
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        names = ("source", "generated", "judged", "rollout", "trained", "seconds")
        return Ledger(usd=usd, **{name: getattr(self, name) + getattr(other, name) for name in names})

    def plain(self) -> dict[str, Any]:
        """As JSON wants it, with the sum of all tokens."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        return told | {"every": self.every}


def together(ledgers: Iterable[Ledger]) -> Ledger:
    """All of them added up."""
    total = Ledger()
    for ledger in ledgers:
        total = total.plus(ledger)
    return total


def of_summary(summary: Mapping[str, Any]) -> Ledger:
    """What the calls of a run took, from its summary.json. The source's tokens are not there: no tokenizer was."""
    tokens = {"generated": 0, "judged": 0}
    for stage, calls in summary["calls"].items():
        tokens["judged" if stage in JUDGES else "generated"] += calls["prompt_tokens"] + calls["completion_tokens"]
    return Ledger(**tokens, usd=summary["usd"])


def write_ledger(folder: Path, ledger: Ledger) -> None:
    """Write FOLDER/ledger.json, whole or not at all."""
    write_text(folder / LEDGER_FILE, orjson.dumps(ledger.plain(), option=orjson.OPT_INDENT_2).decode() + "\n")


def read_ledger(folder: Path) -> Ledger:
    """FOLDER/ledger.json. Raises ConfigError if there is none, or another's."""
    path = folder / LEDGER_FILE
    try:
        told = orjson.loads(path.read_bytes())
        return msgspec.convert({name: value for name, value in told.items() if name != "every"}, Ledger)
    except FileNotFoundError:
        raise ConfigError(f"{folder}: has no {LEDGER_FILE}") from None
    except (orjson.JSONDecodeError, msgspec.ValidationError, AttributeError) as error:
        raise ConfigError(f"{path}: is no ledger ({error})") from error
