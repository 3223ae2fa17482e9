"""The Run: the frozen configuration of it all, from YAML, keyword arguments or the command line.

Unknown keys are refused with the name of the nearest known one. What a stage or a backend can be told is declared by
that stage or backend (its `Options`); here stands what concerns the run as a whole.
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from webscale_rl import registry
from webscale_rl.backend import Backend, BackendOptions
from webscale_rl.corpus import CorpusOptions, readers
from webscale_rl.domains import Taxonomy
from webscale_rl.errors import ConfigError
from webscale_rl.layout import Layout, Sheet, lay_out
from webscale_rl.pipeline import AnyStage, Pipeline
from webscale_rl.prices import Price, Prices, plain_prices
from webscale_rl.sieve import Sieve
from webscale_rl.stage import Context, StageOptions
from webscale_rl.target import Beyond, Target

PIPELINE = ("heuristics", "filter", "classify", "generate", "precheck", "check")
OPTIONAL = ("agree",)
"""Stages that come last if `stages` has a section for them, also if `pipeline` does not name them."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrafficOptions(_Section):
    """How calls are made. None of it changes the result."""

    concurrency: int = Field(64, ge=1, description="most calls in flight at once")
    retries: int = Field(8, ge=0, description="how often a call that brought no answer is tried again")
    backoff_s: float = Field(1.0, gt=0, description="wait before the first retry; doubles each time, with jitter")
    max_backoff_s: float = Field(60.0, gt=0, description="longest wait before a retry, unless the server asks for more")
    documents: int | None = Field(
        None, ge=1, description="most documents in work at once; few keep a server's prefix cache hot (docs/prompts.md)"
    )
    attempts: int = Field(3, ge=1, description="answers to pay for, at most, until one is usable")
    rpm: float | None = Field(None, gt=0, description="most requests a minute, per server; default: as its headers say")
    tpm: float | None = Field(None, gt=0, description="most tokens a minute, per server; default: as its headers say")


class StageCaps(_Section):
    """What one stage may spend."""

    usd: float | None = Field(None, gt=0, description="most US dollars of the stage's calls")
    tokens: int | None = Field(None, ge=1, description="most tokens of the stage's calls, in and out")


class CapOptions(_Section):
    """What the run may spend; reached, it stops (exit code 3), and a run with a higher cap goes on."""

    usd: float | None = Field(None, gt=0, description="most US dollars of all calls")
    tokens: int | None = Field(None, ge=1, description="most tokens of all calls, in and out")
    hours: float | None = Field(None, gt=0, description="most hours of this process")
    stages: dict[str, StageCaps] = Field(default_factory=dict, description="caps of single stages, by name")

    @property
    def limits(self) -> dict[str, tuple[float | None, int | None]]:
        """Most US dollars and tokens, by stage; the empty name stands for the whole run. Empty if nothing is capped."""
        found = {name: (caps.usd, caps.tokens) for name, caps in self.stages.items()} | {"": (self.usd, self.tokens)}
        return {name: pair for name, pair in found.items() if pair != (None, None)}


class ServeOptions(_Section):
    """A server that the run starts and stops itself. None of it changes the result."""

    command: str | None = Field(
        None, description="starts an OpenAI-compatible server of your own; `{port}` in it becomes the server's port"
    )
    replicas: int = Field(1, ge=1, le=1000, description="so many of it, each with a port of its own")
    gpus_per_replica: int | None = Field(
        None,
        ge=0,
        description="GPUs of each replica, dealt out in CUDA_VISIBLE_DEVICES; 0: all see all;"
        " default: an equal share of those that it names already",
    )
    ready_timeout_s: float = Field(900.0, gt=0, description="most seconds until every replica answers")


class MetricsOptions(_Section):
    """Where metrics are served while a run makes calls. Without a port nothing is served."""

    port: int | None = Field(None, ge=1, le=65535, description="serve Prometheus metrics at this port, under /metrics")
    host: str = Field("127.0.0.1", min_length=1, description="the address to serve at; any other than loopback is open")


class DatasetOptions(_Section):
    """What the dataset looks like."""

    pretrain_text: bool = Field(True, description="keep each document's text beside its pairs (the paper's column)")
    rows_per_file: int = Field(100_000, ge=1, description="rows of one part-*.parquet")


class Run(_Section):
    """One run: which documents, through which stages, answered by whom, written where."""

    inputs: tuple[str, ...] = Field((), description="files, folders, globs or URLs of the corpus; `sample:` is ours")
    out: str | None = Field(None, description="the run directory")
    limit: int | None = Field(None, ge=1, description="read no more than so many documents")
    seed: int = Field(0, description="seeds every choice (few-shot examples, personas of the embedded backend)")
    shard_size: int = Field(1000, ge=1, description="documents that are committed together")
    min_free_disk_mb: int = Field(64, ge=0, description="stop, resumably, when the disk has less left")
    domains: str | None = Field(None, description="folder of your own domains instead of the packaged ten")
    corpus: CorpusOptions = Field(default_factory=CorpusOptions, description="how documents are read")
    backend: dict[str, Any] = Field(
        default_factory=lambda: {"use": "extractive"},
        description="who answers: `use:` names it, the rest is its options",
    )
    pipeline: tuple[str, ...] = Field(PIPELINE, description="the stages in their order; your own as `module:Class`")
    stages: dict[str, dict[str, Any]] = Field(default_factory=dict, description="options of the stages, by name")
    layout: Layout = Field(
        "shared_prefix", description="where the parts of the prompts stand, for a server's prefix cache (prompts.md)"
    )
    sieves: tuple[str, ...] = Field(
        ("dedup", "decontaminate"), description="passes over all finished examples, in their order"
    )
    sieving: dict[str, dict[str, Any]] = Field(default_factory=dict, description="options of the sieves, by name")
    traffic: TrafficOptions = Field(default_factory=TrafficOptions, description="how calls are made")
    caps: CapOptions = Field(default_factory=CapOptions, description="what the run may spend")
    serve: ServeOptions = Field(default_factory=ServeOptions, description="a server that the run starts itself")
    dataset: DatasetOptions = Field(default_factory=DatasetOptions, description="what is written")
    events: bool = Field(True, description="write a line for every paid call into events.jsonl, about 250 bytes each")
    metrics: MetricsOptions = Field(default_factory=MetricsOptions, description="where metrics are served")
    price: dict[str, Price] = Field(
        default_factory=dict,
        description="USD per million tokens: `{input: ..., cached: ..., output: ...}`, or one such for each model;"
        " needed for models that no vendor lists",
    )

    @field_validator("price", mode="before")
    @classmethod
    def _by_model(cls, value: Any) -> Any:
        return plain_prices(value)

    @property
    def answered_by(self) -> dict[str, Any]:
        """The backend's section with its name. A run that starts a server asks it by the openai backend."""
        given = {} if self.serve.command and "backend" not in self.model_fields_set else self.backend
        return {"use": "openai" if given or self.serve.command else "extractive", **given}

    @classmethod
    def make(cls, values: Mapping[str, Any], origin: str = "configuration") -> Self:
        """A checked Run from plain values. Raises ConfigError with a line for each fault."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(explain(error, cls, origin)) from None

    @classmethod
    def load(cls, path: str | Path, overrides: Mapping[str, Any] | None = None) -> Self:
        """A Run from a YAML file, with values laid over it. Raises ConfigError."""
        return cls.make(merge(read_yaml(path), overrides or {}), str(path))


class Parts:
    """What a Run is made of, built and checked: taxonomy, stages, backend options. Raises ConfigError for any fault."""

    def __init__(self, run: Run, backend: Backend | None = None) -> None:
        self.context = Context(Taxonomy.load(run.domains), run.seed, Path(run.out) if run.out else None)
        self.backend_class: Any = None
        if backend is None:
            values = run.answered_by
            self.backend_class = registry.load("backends", str(values["use"]), "paid")
            self.backend_options: BackendOptions = _options(self.backend_class.Options, values, "backend")
        stages = {name: self._stage(name, run) for name in run.pipeline}
        ours = {stage.name for stage in stages.values()}
        wanted = {name: self._stage(name, run) for name in OPTIONAL if name in run.stages and name not in ours}
        stages |= wanted
        self.sieves = [self._sieve(name, run) for name in run.sieves]
        self._refuse_strangers(run, ours)
        self.enabled = [name for name in (*run.pipeline, *wanted) if stages[name].options.enabled]
        self.pipeline = Pipeline([stages[name] for name in self.enabled])
        names = [sieve.name for sieve in self.sieves]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"sieves: {name} stands twice; the books tell sieves apart by their names")
        if run.corpus.format is not None:
            readers.load(run.corpus.format)
        self._require_domains()
        self.given = backend
        self._price = run.price
        self._unserved = run.serve.command is not None and "base_urls" not in run.answered_by
        self._require_models(run)
        self._require_prices(run.caps)
        self._lay_out(run.layout)

    def backend(self) -> Backend:
        """A new backend, not yet opened; the caller's own if one was given. Raises ConfigError if a server was to be
        started for it and was not: the documents must not go to another one."""
        if self.given is not None:
            return self.given
        if self._unserved:
            raise ConfigError("serve.command: no server is started here; start it yourself and give backend.base_urls")
        built: Backend = self.backend_class(self.backend_options, self.context)
        return built

    @property
    def paid(self) -> bool:
        """Whether answers cost something, and are kept."""
        return bool((self.given or self.backend_class).paid)

    @cached_property
    def target(self) -> Target | None:
        """How many examples of each domain the run aims at, if a sieve says so. Of what is free nothing is left out."""
        targets = [getattr(sieve, "target", None) for sieve in self.sieves] if self.paid else []
        return next((target for target in targets if target is not None), None)

    @property
    def passes(self) -> list[Sieve]:
        """The sieves in their order, after the cut of a run that aims at something."""
        return [*([] if self.target is None else [Beyond(self.target)]), *self.sieves]

    @property
    def variant(self) -> str:
        """What of the backend's options changes answers, besides the model."""
        return "" if self.given is not None else self.backend_options.variant

    @property
    def backend_name(self) -> str:
        """The backend's word in the dataset's columns."""
        return str((self.given or self.backend_class).name)

    @cached_property
    def prices(self) -> Prices:
        """What the backend's models cost."""
        if not self.paid:
            return Prices({}, free=True)
        if self._unserved:  # whatever it serves, it is no vendor
            return Prices(self._price)
        backend = self.backend()  # an instance, for its options may set what it charges
        urls = getattr(getattr(backend, "options", None), "base_urls", ())
        return Prices(self._price, base_urls=urls, factor=getattr(backend, "price_factor", 1.0))

    def model(self, stage: AnyStage) -> str:
        """The model that answers a prompted stage."""
        default = "" if self.given is not None else self.backend_options.model
        return stage.options.model or default or self.backend_name

    def label(self, stage: AnyStage) -> str:
        """How the dataset names who answers a prompted stage: backend, or backend/model."""
        model = self.model(stage)
        return self.backend_name if model == self.backend_name else f"{self.backend_name}/{model}"

    def _stage(self, name: str, run: Run) -> AnyStage:
        kind = registry.load("stages", name, "takes")
        options = _options(kind.Options, run.stages.get(name, run.stages.get(kind.name, {})), f"stages.{name}")
        built: AnyStage = kind(options, self.context)
        return built

    def _sieve(self, name: str, run: Run) -> Sieve:
        kind = registry.load("sieves", name, "judge")
        values = run.sieving.get(name, run.sieving.get(kind.name, {}))
        built: Sieve = kind(_options(kind.Options, values, f"sieving.{name}"))
        return built

    def _refuse_strangers(self, run: Run, ours: set[str]) -> None:
        known = {*run.pipeline, *ours, *registry.names("stages", "takes")}
        for name in run.stages:
            if name not in known:
                raise ConfigError(f"stages.{name}: no stage of that name{_near(name, known)}")
        known = {*run.sieves, *(sieve.name for sieve in self.sieves), *registry.names("sieves", "judge")}
        for name in run.sieving:
            if name not in known:
                raise ConfigError(f"sieving.{name}: no sieve of that name{_near(name, known)}")

    def _require_domains(self) -> None:
        """A quota for a domain that no document can have would be found out only when all was paid for."""
        known = [domain.name for domain in self.context.domains.domains]
        for sieve in self.sieves if "classify" in self.enabled else ():
            for name in getattr(sieve, "domains", ()):
                if name not in known:
                    raise ConfigError(f"sieving.{sieve.name}: there is no domain {name!r}{_near(name, known)}")

    def _lay_out(self, layout: Layout) -> None:
        prompted = [stage for stage in self.pipeline.stages if stage.prompt is not None]
        sheets = [
            Sheet(stage.name, stage.prompt, stage.options.layout or layout, self.model(stage), stage.fixed)
            for stage in prompted
            if stage.prompt is not None
        ]
        for stage, prompt in zip(prompted, lay_out(sheets), strict=True):
            stage.prompt = prompt

    def _require_models(self, run: Run) -> None:
        if self.given is not None or not self.backend_class.paid or self._unserved:
            return  # a server that is yet to be started names its model itself
        for stage in self.pipeline.stages:
            if stage.prompt is not None and not (stage.options.model or self.backend_options.model):
                raise ConfigError(
                    f"stages.{stage.name}.model: no model; set backend.model (or --model), or the stage's own"
                )

    def _require_prices(self, caps: CapOptions) -> None:
        if self._unserved:
            return  # checked when the server has named its model
        models = {stage.name: self.model(stage) for stage in self.pipeline.stages if stage.prompt is not None}
        if caps.usd is not None:
            self.prices.require(models.values(), "caps.usd")
        for stage, own in caps.stages.items():
            if own.usd is not None and stage in models:
                self.prices.require([models[stage]], f"caps.stages.{stage}.usd")


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The mapping that a YAML file holds. Raises ConfigError."""
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: must hold keys and values, not a {type(values).__name__}")
    return values


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on it, mappings key by key."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def explain(error: ValidationError, model: type[BaseModel], origin: str) -> str:
    """A pydantic error as lines for people: the key's whole path, what was wrong, the nearest known key."""
    lines = []
    for fault in error.errors(include_url=False, include_context=False):
        path = [str(step) for step in fault["loc"]]
        key = ".".join(path)
        if fault["type"] == "extra_forbidden":
            lines.append(f"{origin}: {key}: unknown key{_near(path[-1], _known_keys(model, path[:-1]))}")
        else:
            hidden = fault["type"] == "missing" or model.model_config.get("hide_input_in_errors")
            given = "" if hidden else f" (it is {str(fault['input'])[:60]!r})"
            lines.append(f"{origin}: {key}: {fault['msg'][0].lower()}{fault['msg'][1:]}{given}")
    return "\n".join(lines)


def _options(kind: type[Any], values: Mapping[str, Any], where: str) -> Any:
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        lines = explain(error, kind, where).splitlines()
        raise ConfigError("\n".join(line.replace(": ", ".", 1) for line in lines)) from None


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    steps = iter(path)
    for step in steps:
        field = model.model_fields.get(step)
        inner = field.annotation if field else None
        if typing.get_origin(inner) is dict:  # one section for each name
            next(steps, None)
            inner = typing.get_args(inner)[1]
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def _near(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {', '.join(sorted(known))}" if known else ""


__all__ = [
    "ConfigError",
    "DatasetOptions",
    "MetricsOptions",
    "Parts",
    "Run",
    "ServeOptions",
    "StageOptions",
    "TrafficOptions",
    "merge",
    "read_yaml",
]
