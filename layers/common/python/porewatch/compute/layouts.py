"""Instance layouts of runs: `profiles.json` beside this module, by name.

Each profile exists a second time as `NAME-on-batch`: the same stages, each as an AWS Batch job.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from porewatch.domain.base import Model
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.stage.spec import Profile

ON_BATCH = "-on-batch"


class Profiles(Model):
    profiles: tuple[Profile, ...]


@cache
def layouts() -> dict[str, Profile]:
    """All profiles by name."""
    text = files("porewatch.compute").joinpath("profiles.json").read_text()
    listed = Profiles.model_validate_json(text).profiles
    return {one.name: one for one in (*listed, *map(_on_batch, listed))}


def _on_batch(one: Profile) -> Profile:
    stages = tuple(stage.model_copy(update={"executor": "batch"}) for stage in one.stages)
    return Profile(name=one.name + ON_BATCH, stages=stages)


def profile(name: str) -> Profile:
    """The requested profile. Raises ManifestRefused for an unknown name."""
    found = layouts().get(name)
    if found is None:
        known = ", ".join(sorted(layouts()))
        raise ManifestRefused(
            f"there is no profile {name!r}.", remedy=f"use one of: {known}.", file="run.json"
        )
    return found
