"""`porewatch logs`: the history of a run, and the logs of its workers and instances."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from porewatch.domain import s3_keys
from porewatch.domain.errors import NotFound
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.timeline import timeline
from porewatch.domain.stage.record import StageRecord
from porewatch_cli.reports.reports import record_of
from porewatch_cli.runs.capacity_steps import event
from porewatch_cli.terminal import console, print_json

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects
    from porewatch_cli.stack import Stack


def logs(
    stack: Stack, run_id: str, stage: str | None, *, as_json: bool, revision: int | None = None
) -> None:
    """Print the history of the run, a line for each fact; then the logs, stage by stage. JSON has
    every fact with its fields. NotFound for a stage that the run did not have.
    """
    run = record_of(stack, run_id, revision)
    found = _logs(stack, _stages(stack.stages.of_run(run_id, run.revision), stage))
    facts = stack.stages.facts(run_id, run.revision)
    if as_json:
        print_json({"logs": found, "facts": [[type(f).__name__, f] for f in facts]})
        return
    for fact in facts:
        what, detail = _line(fact)
        detail_text = f"  {detail}" if detail else ""
        console.print(
            Text.assemble(f"{fact.at:%H:%M:%S}  ", (what, "bold"), detail_text), soft_wrap=True
        )
    for title, text in found.items():
        console.rule(title, align="left")
        for line in text.rstrip().expandtabs().split("\n"):
            console.print(f"│ {line}", soft_wrap=True)  # to tell them from our lines


def _line(fact: Fact) -> tuple[str, str]:
    """The entry of the report's timeline; for a fact without one, its name and fields."""
    if entries := timeline([fact]):
        return event(entries[0])
    fields = fact.model_dump(mode="json", exclude=set(Fact.model_fields))
    shown = (f"{n.replace('_', ' ')} {v}" for n, v in fields.items() if isinstance(v, str | int))
    return re.sub("(?<=[a-z])(?=[A-Z])", " ", type(fact).__name__).lower(), ", ".join(shown)


def _stages(every: Sequence[StageRecord], wanted: str | None) -> list[StageRecord]:
    """The stages in the order in which they ran."""
    ordered = sorted(every, key=lambda stage: stage.updated_at)
    if wanted is None:
        return ordered
    chosen = [stage for stage in ordered if stage.stage == wanted]
    if not chosen:
        names = ", ".join(stage.stage for stage in ordered) or "none yet"
        raise NotFound(
            f"the run has no stage {wanted!r}.", remedy=f"name one of its stages: {names}."
        )
    return chosen


def _logs(stack: Stack, stages: Sequence[StageRecord]) -> dict[str, str]:
    bucket = stack.bucket("Results")
    found: dict[str, str] = {}
    for record in stages:
        for attempt in record.all_attempts:
            key, epoch = s3_keys.log_key(attempt), s3_keys.epoch_of_attempt(attempt)
            if bucket.head(key) is not None:
                found[f"{record.stage} epoch {epoch}"] = bucket.get(key).decode(errors="replace")
        prefix = s3_keys.stage_prefix(record.run_id, record.revision, record.stage)
        found |= _boot_logs(bucket, prefix)
    return found


def _boot_logs(bucket: Objects, stage: str) -> dict[str, str]:
    """Boot logs of instances whose worker failed or never started, by epoch and instance."""
    found = {}
    for head in bucket.keys(stage):
        parsed = s3_keys.boot_log_of(head.key)
        if parsed is not None:
            epoch, instance = parsed
            title = f"{stage.rstrip('/').rsplit('/', 1)[-1]} epoch {epoch}, boot of {instance}"
            found[title] = bucket.get(head.key).decode(errors="replace")
    return found
