"""Refining: the paper's baselines, which make a better corpus of a corpus instead of questions (section 5).

    qurating   a model compares documents on four criteria; the best stay, up to a budget     qurating.py
    prox       a model keeps or drops a document, then writes edits for each of its pieces    prox.py
    gdr        a model returns a piece unchanged, cleaned, or not at all                      gdr.py

Each is a run of its own, whose pipeline is these stages: so replies are journalled, retried, capped and resumed as in
any run (`launch.py`, `conclude.py`). Every one also works by rule, with the extractive backend.
"""

METHODS = ("qurating", "prox", "gdr")
