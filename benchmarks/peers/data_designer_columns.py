"""Peer: NeMo Data Designer, a structured column for each call of a document, seeded by the documents.

Best settings: as many requests at once as the server has slots, row groups of 250 documents of which four are open
(each is a checkpoint), no early shutdown, resumption on, metrics and health check off, plain Jinja. Its own
instructions on the form of a reply come on top of the prompt: it has no way to leave them out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import data_designer.config as dd
import pandas as pd
from data_designer.config.run_config import JinjaRenderingEngine, ResumeMode
from data_designer.interface import DataDesigner
from pydantic import BaseModel

from benchmarks.peers import forms, job
from benchmarks.peers.job import MODEL, Job
from benchmarks.peers.offline import vocabulary

PERSONAS = 3


def template(todo: Job, stage: str, slots: dict[str, str]) -> dict[str, str]:
    """The stage's prompt as Jinja: what it quotes is fenced by a fixed number, for a template cannot digest a text."""
    texts = {}
    for role, parts in todo.prompts[stage]:
        pieces = []
        for part in parts:
            if isinstance(part, str):
                pieces.append("{% raw %}" + part + "{% endraw %}")
            elif part[1]:
                pieces.append(f"<{part[0]} 000000000000>\n{slots[part[0]]}\n</{part[0]} 000000000000>")
            else:
                pieces.append(slots[part[0]])
        texts[role] = "".join(pieces)
    return {"system_prompt": texts["system"], "prompt": texts["user"]}


class Examples(BaseModel):
    by_domain: dict[str, str]


@dd.custom_column_generator(required_columns=["classify"])
def examples(row: dict[str, Any], generator_params: Examples) -> dict[str, Any]:
    """The worked examples of the row's domain: in a template, all of them would be compiled for every row."""
    by_domain = generator_params.by_domain
    row["examples"] = by_domain.get(row["classify"]["domain"], by_domain["Other"])
    return row


def columns(todo: Job) -> list[Any]:
    text = "{{ text }}"
    asks: list[tuple[str, str, Any, dict[str, str], str]] = [
        ("filter", "filter", forms.Filter, {"document": text}, ""),
        (
            "classify",
            "classify",
            forms.Classify,
            {"document": text, "domains": "{% raw %}" + todo.domains + "{% endraw %}", "max_personas": "3"},
            "{{ not (filter.informative and filter.self_contained) }}",
        ),
    ]
    for n in range(PERSONAS):
        persona = f"{{{{ classify.personas[{n}] }}}}"
        generate = {
            "document": text,
            "domain": "{{ classify.domain }}",
            "persona": persona,
            "examples": "{{ examples }}",
            "pairs": "1",
        }
        asks.append(
            (f"generate_{n}", "generate", forms.Generate, generate, f"{{{{ classify.personas | length <= {n} }}}}")
        )
        check = {
            "document": text,
            "question": f"{{{{ generate_{n}.pairs[0].question }}}}",
            "answer": f"{{{{ generate_{n}.pairs[0].answer }}}}",
        }
        asks.append((f"check_{n}", "check", forms.Check, check, f"{{{{ generate_{n}.pairs | length == 0 }}}}"))
    shown = dd.CustomColumnConfig(
        name="examples", generator_function=examples, generator_params=Examples(by_domain=todo.examples)
    )
    return [shown] + [
        dd.LLMStructuredColumnConfig(
            name=name,
            model_alias=stage,
            output_format=form,
            **template(todo, stage, slots),
            **({"skip": dd.SkipConfig(when=when)} if when else {}),
        )
        for name, stage, form, slots, when in asks
    ]


def main() -> None:
    given = job.arguments()
    vocabulary()
    todo: Job = given.job
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    documents = todo.documents()
    provider = dd.ModelProvider(name="local", endpoint=given.url, provider_type="openai", api_key="none")
    models = [
        dd.ModelConfig(
            alias=stage,
            model=MODEL,
            provider="local",
            skip_health_check=True,
            inference_parameters=dd.ChatCompletionInferenceParams(
                max_parallel_requests=given.concurrency, timeout=given.timeout, **todo.sampling[stage]
            ),
        )
        for stage in job.STAGES
    ]
    builder = dd.DataDesignerConfigBuilder(model_configs=models)
    builder.with_seed_dataset(dd.DataFrameSeedSource(df=pd.DataFrame(documents)))
    for column in columns(todo):
        builder.add_column(column)
    designer = DataDesigner(artifact_path=out / "artifacts", model_providers=[provider])
    designer.set_run_config(
        dd.RunConfig(
            disable_early_shutdown=True,
            buffer_size=min(250, len(documents)),
            max_concurrent_row_groups=4,
            otel_metrics_port=None,
            jinja_rendering_engine=JinjaRenderingEngine.NATIVE,
        )
    )
    found = designer.create(
        builder, num_records=len(documents), dataset_name="peers", resume=ResumeMode.IF_POSSIBLE
    ).load_dataset()
    pairs = []
    for row in found.to_dict("records"):
        for n in range(PERSONAS):
            made, verdict = row.get(f"generate_{n}"), row.get(f"check_{n}")
            if isinstance(made, dict) and isinstance(verdict, dict) and job.passes(verdict):
                pairs.append(job.kept(row, row["classify"]["personas"][n], made["pairs"][0]))
    job.write(out, pairs)


if __name__ == "__main__":
    main()
