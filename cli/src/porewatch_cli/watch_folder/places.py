"""What is watched, and where its journal and its lock lie: never in MinKNOW's folder."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.errors import InputRefused


@dataclass(frozen=True)
class Watched:
    """What is watched: the folder of one run, and the sheet and laboratory that were named."""

    path: Path
    sheet: Path | None = None
    lab: Path | None = None


def real_folder(path: Path) -> Path:
    """Raises InputRefused for what is no folder."""
    if not path.is_dir():
        raise InputRefused(
            "is no folder that can be read.",
            file=str(path),
            remedy="name the folder of the run that MinKNOW writes; a finished run is sent by "
            "porewatch submit.",
        )
    return path.resolve()


def real_file(path: Path | None) -> Path | None:
    """Raises OSError for a file that was named and is not there."""
    return None if path is None else path.resolve(strict=True)


def state_folder() -> Path:
    """The user's folder for state."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "porewatch"


def journal_of(folder: Path) -> Path:
    """The journal of a folder, unless one is named."""
    return state_folder() / f"{_name(folder)}-{_digest(str(folder))}.journal"


def lock_of(folder: Path) -> Path:
    """One a folder, whatever journal is named."""
    return state_folder() / f"{_digest(str(folder))}.lock"


def run_id_of(folder: Path) -> str:
    """The same folder of the same machine is the same run, also when the journal was lost."""
    return f"{_name(folder)}-{_digest(machine_and(folder))}"


def machine_and(folder: Path, *more: str) -> str:
    """A text that is the same for this folder of this machine alone."""
    return "\n".join((platform.node(), str(folder), *more))


def _name(folder: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", folder.name).strip("-_")[:48] or "run"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
