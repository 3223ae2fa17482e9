"""The kinds of answers, one file for each `AnswerType`. The folder is the registry.

A kind's module has two pure functions:

    infer(answer: str, question: str = "") -> Reference | None
        the reference, if this wording is surely of this kind, with unit, tolerance, aliases and order; else None
    compare(reference: Reference, answer: str, question: str = "") -> Match
        whether `answer`, a final answer as extracted (a few words or a sentence), means the same as the reference
"""
