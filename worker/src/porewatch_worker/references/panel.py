"""The panel list that ships with the worker (`data/panel.json`), and reading any other one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from porewatch.domain.calls.panel import Panel
from porewatch.domain.errors import BundleRefused


def shipped_panel() -> Panel:
    """The list for donor-pig screening. Provenance and corrections are in the file."""
    text = files("porewatch_worker").joinpath("data/panel.json").read_text("utf-8")
    return Panel.model_validate_json(text)


def read_panel(path: Path) -> Panel:
    """A panel list from a file. Raises BundleRefused when it does not follow the contract."""
    try:
        return Panel.model_validate_json(path.read_bytes(), extra="forbid")
    except OSError as error:
        raise BundleRefused(
            "the panel list cannot be read.", file=str(path), remedy="build the bundle again."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BundleRefused(
            f"the panel list is wrong at {place}: {first['msg']}.",
            file=str(path),
            remedy="compare it with the panel.json that ships with the worker.",
        ) from error
