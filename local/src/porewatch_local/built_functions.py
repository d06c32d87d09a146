"""A built function as Lambda would see it: code, layers, handler, limits, environment.

Everything is read from the `template.yaml` that `sam build` left beside the artefacts.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from porewatch_local.paths import LocalProblem
from porewatch_local.stack_template.template import (
    Template,
    folder_of,
    target,
)


@dataclass(frozen=True)
class Artefact:
    """One built function. `environment` holds only what the template sets literally."""

    name: str
    code: Path
    layers: tuple[Path, ...]
    handler: str
    timeout_s: int
    memory_mb: int
    environment: dict[str, str]

    @property
    def deployed_name(self) -> str:
        """Its name in a stack, without the stack's name."""
        return folder_of(self.name).replace("_", "-")


def built_functions(built: Path) -> dict[str, Artefact]:
    """All functions of a build folder. Raises LocalProblem when it is not one."""
    path = built / "template.yaml"
    if not path.exists():
        raise LocalProblem(f"nothing is built in {built}. Remedy: `sam build`.")
    template = Template.load(path)
    layers = template.of_type("AWS::Serverless::LayerVersion")
    return {
        name: Artefact(
            name=name,
            code=built / own["CodeUri"],
            layers=tuple(built / layers[target(layer)]["ContentUri"] for layer in own["Layers"]),
            handler=own["Handler"],
            timeout_s=own["Timeout"],
            memory_mb=own["MemorySize"],
            environment=_plain(own["Environment"]["Variables"]),
        )
        for name, own in template.functions.items()
    }


def _plain(variables: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if isinstance(value, str)}


def foreign_binaries(artefact: Artefact) -> Iterator[Path]:
    """Compiled modules that another kind of machine would need to load."""
    here = platform.machine().lower().replace("arm64", "aarch64").replace("amd64", "x86_64")
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}.get(here, "nothing")
    for layer in artefact.layers:
        yield from layer.rglob(f"*{other}*.so")
