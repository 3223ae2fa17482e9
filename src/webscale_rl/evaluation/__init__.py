"""How good a model is, with standard errors: the paper's table 5 over lm-eval and EvalPlus, and suites of one's own.

    from webscale_rl.evaluation import evaluate

    evaluated = evaluate("MODEL", "facts.jsonl", Path("runs/facts"))
    evaluated.rows[0].score, evaluated.rows[0].stderr

`local.grade` grades a model that is in memory already.
"""

from __future__ import annotations

from webscale_rl.evaluation.options import Options
from webscale_rl.evaluation.report import differences
from webscale_rl.evaluation.results import Evaluated, Result, read_evaluated
from webscale_rl.evaluation.runner import evaluate
from webscale_rl.evaluation.suites import load_suite

__all__ = ["Evaluated", "Options", "Result", "differences", "evaluate", "load_suite", "read_evaluated"]
