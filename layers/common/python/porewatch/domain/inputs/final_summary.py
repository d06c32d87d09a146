"""MinKNOW's final summary: what the sequencer knows of a run that has ended."""

from __future__ import annotations

import re
from datetime import datetime

from pydantic import ValidationError

from porewatch.domain.base import Model, Moment
from porewatch.domain.bounds import moment
from porewatch.domain.bounds import number as whole_number
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.runs import ReadKind, Sequencing
from porewatch.domain.validation_text import say

KIT = re.compile(r"^(SQK|VSK|EXP)-[A-Z0-9-]+$")


class FinalSummary(Model):
    """What MinKNOW writes when a run has ended. `files` counts by kind, passed and failed."""

    acquisition_id: str
    started_at: Moment
    stopped_at: Moment | None = None
    instrument: str | None = None
    flow_cell: str | None = None
    sample_id: str | None = None
    protocol: str | None = None
    files: dict[ReadKind, int] = {}

    def sequencing(self) -> Sequencing:
        kits = [part for part in (self.protocol or "").split(":") if KIT.match(part)]
        return Sequencing(
            instrument=self.instrument,
            flow_cell=self.flow_cell,
            kit=kits[0] if kits else None,
            started_at=self.started_at,
            acquisition_id=self.acquisition_id,
        )


def parse_final_summary(content: bytes | str, *, file: str) -> FinalSummary:
    """`final_summary_*.txt`: lines of `key=value`. Raises ManifestRefused when it is not one."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    values: dict[str, str] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        key, equals, value = line.partition("=")
        if line.strip() and (not equals or not re.fullmatch(r"\s*[A-Za-z0-9_]+\s*", key)):
            raise _no_summary(f"{line.strip()[:60]!r} is not key=value.", file, number)
        values[key.strip()] = value.strip()
    for needed in ("acquisition_run_id", "started"):
        if not values.get(needed):
            raise _no_summary(f"it has no {needed}.", file)
    try:
        return _summary(values)
    except ValueError as e:  # pydantic's error is one, too
        what = say(e) if isinstance(e, ValidationError) else str(e)
        raise _no_summary(what, file) from e


def _summary(values: dict[str, str]) -> FinalSummary:
    counts = {k: values.get(f"{k.value}_files_in_final_dest", "") for k in ReadKind}
    stopped = values.get("acquisition_stopped")
    return FinalSummary(
        acquisition_id=values["acquisition_run_id"],
        started_at=_moment("started", values["started"]),
        stopped_at=_moment("acquisition_stopped", stopped) if stopped else None,
        instrument=values.get("instrument") or None,
        flow_cell=values.get("flow_cell_id") or None,
        sample_id=values.get("sample_id") or None,
        protocol=values.get("protocol") or None,
        files={kind: n for kind, text in counts.items() if (n := whole_number(text))},
    )


def _moment(key: str, text: str) -> datetime:
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError as e:
        raise ValueError(f"{key} {text[:80]!r} is not a time ({e}).") from e


def _no_summary(problem: str, file: str, line: int | None = None) -> ManifestRefused:
    return ManifestRefused(
        f"this is not a MinKNOW final summary: {problem}",
        file=file,
        line=line,
        remedy="send the untouched final_summary_*.txt, or seal the run with `porewatch submit`.",
    )
