"""What a command that sends a run answers. Loads nothing: every door of upload uses it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Submission:
    """What was uploaded. `digest`: of the manifest; None for a tar, whose manifest is made when it
    is unpacked."""

    run_id: str
    files: int
    bytes: int
    sent: int
    reads: int | None
    bases: int | None
    seal: str
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    digest: str | None = None
