"""Every stage of every layout is a group of phases that the worker knows how to run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from porewatch.compute.layouts import layouts
from porewatch.domain.errors import ConfigurationRefused
from porewatch.domain.stage.spec import Phase
from porewatch_worker import build_stage

STAGES = sorted({stage.phases for one in layouts().values() for stage in one.stages})


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The worker's decision alone: what it would build is not built."""
    for name in ("_basecalling", "_screening", "_reporting"):
        monkeypatch.setattr(build_stage, name, lambda order, means, name=name: name)
    nothing_before: Any = SimpleNamespace(previous=())
    return lambda phases: build_stage.build(SimpleNamespace(phases=phases), nothing_before)  # type: ignore[arg-type]


@pytest.mark.parametrize("phases", STAGES, ids="+".join)
def test_the_worker_runs_each_stage_of_a_layout(phases: tuple[Phase, ...], build: Any) -> None:
    assert build(phases)


def test_a_stage_that_the_worker_cannot_run_is_refused(build: Any) -> None:
    with pytest.raises(ConfigurationRefused, match="no work is known"):
        build((Phase.PATHOGEN_DETECTION, Phase.QUANTIFICATION))
