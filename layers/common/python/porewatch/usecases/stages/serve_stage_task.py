"""Dispatch the three stage tasks of the state machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from porewatch.domain.stage.spec import Profile
from porewatch.domain.stage.state_machine_tasks import (
    Await,
    Open,
    Opened,
    Plan,
    Planned,
    StageTask,
)
from porewatch.usecases.instances.stage_context import StageContext
from porewatch.usecases.stages.answer_stage import await_stage
from porewatch.usecases.stages.open_stage import open_stage
from porewatch.usecases.stages.plan_stages import plan_stages


class StageSettings(Protocol):
    """The settings that stages need."""

    @property
    def basecalling(self) -> Literal["enabled", "disabled"]: ...

    @property
    def default_bundle(self) -> str: ...


def serve_stage_task(
    task: StageTask, context: StageContext, profile: Callable[[str], Profile], config: StageSettings
) -> Planned | Opened | None:
    """The answer to the state machine; None for `await`, which is answered by its token."""
    match task:
        case Plan():
            return plan_stages(task, context, profile=profile, basecalling=config.basecalling)
        case Open():
            return open_stage(task, context, default_bundle=config.default_bundle)
        case Await():
            await_stage(task, context)
            return None
