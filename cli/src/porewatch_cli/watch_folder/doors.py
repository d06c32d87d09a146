"""Where files go: what the loop asks of a stack or of a server."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from porewatch.reads.checked import Check
from porewatch.reads.folder import Folder
from porewatch_cli.submit.submission import Submission


class Door(Protocol):
    """Every method raises Unavailable while the door does not answer, and may be repeated: what
    arrived is not sent twice, what is sealed is not sealed twice."""

    @property
    def name(self) -> str:
        """What the journal knows it by."""
        ...

    @property
    def path(self) -> Path:
        """The folder."""
        ...

    def begin(self) -> str:
        """Refuse what no file can change; the run's id."""
        ...

    def place(self, name: str, folder: Folder) -> str:
        """Where the file goes."""
        ...

    def send(self, name: str, source: Path, place: str, sha256: str) -> bool:
        """Send a file; False when this content had arrived."""
        ...

    def seal(self, check: Check) -> Submission:
        """Send what is missing, and seal the run. Raises Refused with every fault."""
        ...
