"""What a run was made of: files, samples and parameters, by its sealed manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.domain.errors import NotFound, PorewatchError
from porewatch.domain.runs import InputFile, ReadLimits, Sample, Sequencing
from porewatch.usecases.views.show_runs import Answer, RunView

if TYPE_CHECKING:
    from porewatch.adapters.s3.manifests import Manifests

MOST_FILES = 200


class Inputs(Answer):
    """`files`: the first MOST_FILES of `count`, which have `size` bytes in all."""

    files: tuple[InputFile, ...]
    count: int
    size: int
    samples: tuple[Sample, ...]
    sequencing: Sequencing
    release_policy: str
    read_limits: ReadLimits | None
    created_by: str


def show_inputs(run: RunView, *, manifests: Manifests) -> Inputs | None:
    """None before the run is sealed, and when the manifest was deleted."""
    revision = run.reported_revision or run.revision
    if run.bundle is None:
        return None
    try:
        manifest = manifests.of(run.run_id, revision)
    except PorewatchError:
        return None
    own = {name for name in Inputs.model_fields if name in type(manifest).model_fields}
    return Inputs.model_validate(
        {name: getattr(manifest, name) for name in own}
        | {
            "files": manifest.files[:MOST_FILES],
            "count": len(manifest.files),
            "size": sum(file.size for file in manifest.files),
        }
    )


def need_inputs(run: RunView, *, manifests: Manifests) -> Inputs:
    """The same. NotFound for a run that is not sealed, and for a manifest that has expired."""
    found = show_inputs(run, manifests=manifests)
    if found is None:
        raise NotFound(f"run {run.run_id} has no manifest.", remedy="it is made when it is sealed.")
    return found
