"""lm-eval's tasks: the model in this process, or behind a server.

A task's data come from the Hugging Face hub, or from its cache. What cannot be reached is one row's failure, and is
told in one line; the other rows still run.

lm-eval and its tasks are others' code: whatever a task raises is its row's failure, with the traceback beside it.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from webscale_rl.errors import TrainingError
from webscale_rl.evaluation.options import Options
from webscale_rl.evaluation.results import Result, RowFailed
from webscale_rl.evaluation.sampling import NEEDS, device_of, load
from webscale_rl.evaluation.statistics import Mean, average
from webscale_rl.evaluation.suites import SuiteRow
from webscale_rl.ledger import Ledger

FAULTS = (ImportError, OSError, LookupError, ValueError, TypeError, AttributeError, AssertionError, RuntimeError)
BYTES_PER_TOKEN = 4
"""A server's answers come as text; lm-eval does not tell how many tokens they had. About four bytes of English each."""


class Model:
    """The model in this process, loaded when it is first asked for, and once for all rows."""

    def __init__(self, name: str, device: str) -> None:
        self._name = name
        self._device = device
        self._loaded: tuple[Any, Any] | None = None

    @property
    def loaded(self) -> tuple[Any, Any]:
        """Model and tokenizer. Raises TrainingError."""
        if self._loaded is None:
            self._loaded = load(self._name, self._device)
        return self._loaded


class Harness:
    """lm-eval, its list of tasks read when first needed: that takes seconds."""

    def __init__(self, name: str, model: Model, options: Options, include: str | None) -> None:
        self._name = name
        self._model = model
        self._options = options
        self._include = include
        self._lm: Any = None
        self._managers: list[Any] = []

    def evaluate(self, row: SuiteRow) -> Result:
        """The row's result. Raises RowFailed if it comes to nothing, TrainingError if no row can."""
        _require()
        started = time.monotonic()
        with _hushed():
            manager, tasks = self._load(row)
            try:
                told = self._ask(row, manager, tasks)
            except FAULTS as error:
                raise RowFailed(f"{row.task}: lm-eval: {type(error).__name__}: {_first(error)}") from error
        shots = {told["n-shot"][name] for name in told["n-samples"]}
        if row.shots is not None and shots != {row.shots}:
            raise RowFailed(f"{row.task}: the task fixes its number of shots at {_listed(shots)}; leave `shots` out")
        metric, mean = score(told, str(row.task), row.metric)
        seconds = time.monotonic() - started
        usd = None if self._options.base_url else 0.0
        return Result(
            row.name,
            row.kind,
            "done",
            score=mean.value,
            stderr=mean.stderr,
            count=mean.count,
            metric=metric,
            shots=max(shots),
            ledger=Ledger(rollout=self._tokens(told), usd=usd, seconds=seconds),
            questions=questions(told, metric),
        )

    def _load(self, row: SuiteRow) -> tuple[Any, list[Any]]:
        """The manager that knows the task, and the task with its data. Raises RowFailed."""
        name = str(row.task)
        manager = self._manager(name)
        try:
            found = manager.load([name])
        except ImportError as error:
            raise RowFailed(f"{name}: needs another package ({_first(error)})") from error
        except FAULTS as error:
            gated = "gated" in str(error).lower()
            todo = (
                "accept its terms on the hub and set HF_TOKEN"
                if gated
                else "run once where there is a network (HF_HOME keeps what is downloaded), or leave the row out"
            )
            raise RowFailed(f"{name}: its data cannot be reached ({_first(error)}); {todo}") from error
        group = found["groups"].get(name)
        return manager, [group] if group is not None else list(found["tasks"].values())

    def _manager(self, name: str) -> Any:
        """The user's own tasks first: reading lm-eval's thousands takes seconds."""
        from lm_eval.tasks import TaskManager

        for at in range(2):
            if at >= len(self._managers):
                first = at == 0 and self._include is not None
                self._managers.append(TaskManager(include_path=self._include, include_defaults=not first))
            if name in self._managers[at].all_tasks:
                return self._managers[at]
            if self._include is None:
                break
        raise RowFailed(f"{name}: lm-eval has no task, group or tag of this name; `lm-eval ls tasks` lists them")

    def _ask(self, row: SuiteRow, manager: Any, tasks: list[Any]) -> Mapping[str, Any]:
        from lm_eval import simple_evaluate

        options = self._options
        kinds = {task.OUTPUT_TYPE for task in manager.load(tasks)["tasks"].values()}
        if options.base_url is not None and kinds - {"generate_until"}:
            raise RowFailed(
                f"{row.task}: asks for log-likelihoods, which a server does not give; evaluate a model folder"
            )
        told: Mapping[str, Any] | None = simple_evaluate(
            model=self._opened(),
            tasks=tasks,
            num_fewshot=row.shots,
            limit=options.limit,
            log_samples=True,
            apply_chat_template=options.chat,
            fewshot_as_multiturn=options.chat,
            gen_kwargs={"max_gen_toks": row.max_tokens} if row.max_tokens is not None else None,
            task_manager=manager,
            bootstrap_iters=1000,
        )
        assert told is not None  # None is for the other ranks of several processes
        return told

    def _opened(self) -> Any:
        if self._lm is None:
            options = self._options
            if options.base_url is None:
                from lm_eval.models.huggingface import HFLM

                model, tokenizer = self._model.loaded
                self._lm = HFLM(
                    pretrained=model,
                    tokenizer=tokenizer,
                    batch_size=options.batch_size,
                    device=device_of(options.device),
                )
            else:
                self._lm = _served(self._name, options)
        return self._lm

    def _tokens(self, told: Mapping[str, Any]) -> int:
        """What the model sampled: of tasks that weigh given answers, nothing."""
        texts = {
            (name, sample["doc_id"], text)
            for name, samples in told["samples"].items()
            for sample in samples
            for replies in sample["resps"]
            for text in replies
            if isinstance(text, str)
        }
        if self._options.base_url is not None:
            return sum(-(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN) for _, _, text in texts)
        tokenizer = self._model.loaded[1]
        return sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for _, _, text in texts)


def score(told: Mapping[str, Any], name: str, wanted: str | None) -> tuple[str, Mean]:
    """The metric and its mean: a task's, a group's as lm-eval adds it up, or the plain mean over the tasks of a tag.
    Raises RowFailed if the metric is not there, or none is named and there are several."""
    found = told.get("groups", {}).get(name) or told["results"].get(name)
    if found is not None:
        metric = _metric(found, name, wanted)
        return metric, _mean(found, metric, sum(one["effective"] for one in told["n-samples"].values()))
    each = {task: told["results"][task] for task in told["n-samples"]}
    metrics = {_metric(one, task, wanted) for task, one in each.items()}
    if len(metrics) != 1:
        raise RowFailed(f"{name}: its tasks have different metrics ({', '.join(sorted(metrics))}); make a row of each")
    (metric,) = metrics
    joined = average([_mean(one, metric, told["n-samples"][task]["effective"]) for task, one in each.items()])
    assert joined is not None  # a tag has tasks
    return metric, Mean(joined.value, joined.stderr, sum(one["effective"] for one in told["n-samples"].values()))


def questions(told: Mapping[str, Any], metric: str) -> dict[str, float]:
    """Each question's score, by task, place and content."""
    name, _, chosen = metric.partition(",")
    return {
        f"{task}/{sample['doc_id']}/{sample['doc_hash'][:12]}": float(sample[name])
        for task, samples in told["samples"].items()
        for sample in samples
        if sample.get("filter", "none") == chosen and isinstance(sample.get(name), (int, float))
    }


def _metric(found: Mapping[str, Any], name: str, wanted: str | None) -> str:
    known = [key for key in found if "," in key and "_stderr," not in key]
    if wanted is not None and wanted not in known:
        raise RowFailed(f"{name}: has no metric {wanted!r}; it has {'; '.join(known) or 'none'}")
    if wanted is None and len(known) != 1:
        raise RowFailed(f"{name}: has several metrics; name one in the suite as `metric`: {'; '.join(known) or 'none'}")
    return wanted or known[0]


def _mean(found: Mapping[str, Any], metric: str, count: int) -> Mean:
    name, _, chosen = metric.partition(",")
    stderr = found.get(f"{name}_stderr,{chosen}")
    return Mean(float(found[metric]), float(stderr) if isinstance(stderr, (int, float)) else None, count)


def _served(name: str, options: Options) -> Any:
    from lm_eval.api.registry import get_model

    kind, path = (
        ("local-chat-completions", "chat/completions") if options.chat else ("local-completions", "completions")
    )
    concurrent = options.traffic.get("concurrency", 16)
    given = {"model": name, "base_url": f"{str(options.base_url).rstrip('/')}/{path}", "num_concurrent": concurrent}
    given |= {"max_retries": 5, "tokenizer_backend": None, "tokenized_requests": False}
    return get_model(kind).create_from_arg_obj(given, {"batch_size": 1})


def _require() -> None:
    try:
        import lm_eval  # noqa: F401
    except ImportError as error:
        raise TrainingError(f"lm-eval's tasks need {NEEDS} ({error.name} is missing)") from None


@contextmanager
def _hushed() -> Iterator[None]:
    """lm-eval warns of what was asked for: its own level is raised meanwhile, and warnings of others' code are not
    ours to tell."""
    logger = logging.getLogger("lm_eval")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _first(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _listed(shots: set[int]) -> str:
    return ", ".join(map(str, sorted(shots)))
