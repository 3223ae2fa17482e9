"""Suites of one's own: a file of questions and answers, graded by the reward. Needs no network and no other package.

    from webscale_rl.evaluation.local import grade
    from webscale_rl.evaluation.sampling import Sampler

    graded = grade(model, tokenizer, rows, Sampler(max_tokens=16))
    graded.score, graded.stderr

What the rules cannot decide is counted apart, and both bounds are told: the score counts it as wrong, `decided` leaves
it out. An answer that was cut off at the limit is graded as it stands, as benchmarks do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from webscale_rl.errors import TrainingError
from webscale_rl.evaluation.sampling import Completion, Sampler, complete
from webscale_rl.evaluation.statistics import Mean, mean, pass_at
from webscale_rl.reward import Verdict, reward
from webscale_rl.rowfiles import Fault, source
from webscale_rl.training import prompting
from webscale_rl.types import content_id

GREEDY = Sampler()


class Question(msgspec.Struct, frozen=True):
    """A row of a suite. `truth` is what the reward takes: text, several texts, or a typed reference."""

    question: str
    truth: Any
    answer_type: str | None = None

    @property
    def id(self) -> str:
        """The same in every suite that asks this and expects the same."""
        return content_id(self.question, str(self.truth), self.answer_type or "")

    @classmethod
    def of(cls, row: Mapping[str, Any], where: str) -> Question:
        """The question of a row {question, answer[, answer_type, reference]}. Raises TrainingError, which names it."""
        question, answer, kind = row.get("question"), row.get("answer"), row.get("answer_type")
        if not isinstance(question, str) or not question.strip():
            raise TrainingError(f"{where}: no question; a row has question and answer (it has {', '.join(row) or '-'})")
        truth = row.get("reference") or answer
        if isinstance(truth, (int, float)) and not isinstance(truth, bool):
            truth = str(truth)
        if not truth or not isinstance(truth, (str, list, dict)):
            raise TrainingError(f"{where}: no answer; write text, a list of texts, or a reference")
        found = cls(question, truth, kind if isinstance(kind, str) and kind else None)
        try:
            verdict = found.verdict("")
        except (TypeError, ValueError) as error:
            raise TrainingError(f"{where}: {error}") from None
        if verdict.score is None:
            raise TrainingError(f"{where}: the answer is empty")
        return found

    def verdict(self, response: str) -> Verdict:
        """Whether a response is right."""
        return reward(response, self.truth, self.question, self.answer_type)


class Answer(msgspec.Struct, frozen=True):
    """One response, and what the reward says of it. `score` None: the rules cannot tell."""

    question: str
    sample: int
    response: str
    extracted: str
    how: str
    score: int | None
    cut: bool
    tokens: int


class Graded(msgspec.Struct, frozen=True):
    """All answers, each question's together, and what they come to."""

    questions: tuple[Question, ...]
    answers: tuple[Answer, ...]

    @property
    def tokens(self) -> int:
        """What the model sampled."""
        return sum(answer.tokens for answer in self.answers)

    @property
    def undecided(self) -> int:
        """Answers of which the rules cannot tell."""
        return sum(answer.score is None for answer in self.answers)

    @property
    def score(self) -> float:
        """The mean over the questions, undecided answers as wrong: the lower bound. NaN without questions."""
        return _value(self.mean)

    @property
    def stderr(self) -> float | None:
        """Of the score."""
        return self.mean.stderr if self.mean else None

    @property
    def mean(self) -> Mean | None:
        """The score with its error; None without questions."""
        return mean(list(self.by_question().values()))

    @property
    def decided(self) -> Mean | None:
        """The same without the undecided answers; None if nothing was decided."""
        return mean([right / known for right, known, _ in self._counts() if known])

    def by_question(self) -> dict[str, float]:
        """Each question's score, by its id and, if a suite asks it twice, its place."""
        scores: dict[str, float] = {}
        for question, (right, _, samples) in zip(self.questions, self._counts(), strict=True):
            name, again = question.id, 1
            while name in scores:
                again += 1
                name = f"{question.id}-{again}"
            scores[name] = right / samples
        return scores

    def pass_at(self, k: int) -> Mean | None:
        """pass@k: whether one of k samples is right, estimated without bias from all."""
        return mean([pass_at(k, right, samples) for right, _, samples in self._counts()])

    def _counts(self) -> list[tuple[int, int, int]]:
        """Of each question: right, decided and all samples."""
        if not self.questions:
            return []
        each = len(self.answers) // len(self.questions)
        groups = (self.answers[start : start + each] for start in range(0, len(self.answers), each))
        return [
            (sum(a.score == 1 for a in group), sum(a.score is not None for a in group), len(group)) for group in groups
        ]


def read_questions(path: str | Path, limit: int | None = None) -> list[Question]:
    """The questions of a JSON Lines or Parquet file. Raises UserError that names the file and the row."""
    rows = source(str(path))
    found: list[Question] = []
    for chunk in rows.chunks(
        [name for name in ("question", "answer", "answer_type", "reference") if name in rows.columns()]
    ):
        for number, row in zip(chunk.numbers, chunk.values, strict=True):
            if limit is not None and len(found) >= limit:
                return found
            where = f"{rows.shown}:{rows.unit} {number}"
            if isinstance(row, Fault):
                raise TrainingError(f"{where}: cannot be read ({row.word} {row.detail}); mend the file")
            found.append(Question.of(row, where))
    if not found:
        raise TrainingError(f"{rows.shown}: no questions in it")
    return found


def grade(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Question | Mapping[str, Any]],
    sampler: Sampler = GREEDY,
    *,
    system: str | None = None,
) -> Graded:
    """Ask the model every question in this process and grade what it says. Raises TrainingError for rows that are no
    questions, and for settings that do not fit the model."""
    questions = tuple(
        row if isinstance(row, Question) else Question.of(row, f"row {number}") for number, row in enumerate(rows, 1)
    )
    prompts = [prompting.prompt(question.question, system, tokenizer) for question in questions]
    completions = complete(model, tokenizer, prompts, sampler, special=not prompting.has_template(tokenizer))
    said = [one._replace(text=prompting.response(one.text, tokenizer)) for one in completions]
    return graded(questions, said, sampler.samples)


def graded(questions: Sequence[Question], responses: Sequence[Completion], samples: int) -> Graded:
    """The verdicts on responses, which stand question by question."""
    answers = []
    known: dict[tuple[int, str], Verdict] = {}
    for place, (response, tokens, cut) in enumerate(responses):
        at, sample = divmod(place, samples)
        if (verdict := known.get((at, response))) is None:  # a model that is sure says the same in all samples
            verdict = known[at, response] = questions[at].verdict(response)
        said = (verdict.extracted, verdict.how, verdict.score)
        answers.append(Answer(questions[at].question, sample, response, *said, cut=cut, tokens=tokens))
    return Graded(tuple(questions), tuple(answers))


def _value(found: Mean | None) -> float:
    return float("nan") if found is None else found.value
