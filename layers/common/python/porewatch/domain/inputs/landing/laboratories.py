"""Which `lab.toml` heads the report of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from porewatch.domain.errors import LaboratoryRefused
from porewatch.domain.identity import Laboratory
from porewatch.domain.inputs.lab_file import parse_laboratory


def read_laboratory(
    names: Iterable[str], text: Callable[[str], bytes], named: tuple[str, bytes] | None
) -> Laboratory | None:
    """The one that was `named` by hand, else the one that lies there; equal copies are one.

    Raises LaboratoryRefused for two that differ: the report would go to the wrong client.
    """
    there = [named] if named else [(name, text(name)) for name in sorted(names)]
    if len({content for _, content in there}) > 1:
        raise LaboratoryRefused(
            f"there are {len(there)} different files of this name: "
            f"{', '.join(name for name, _ in there)}.",
            file=there[0][0],
            remedy="keep the one that is right, or name it by --lab.",
        )
    return parse_laboratory(there[0][1], file=there[0][0]) if there else None
