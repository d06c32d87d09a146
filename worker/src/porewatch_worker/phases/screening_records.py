"""What the one pass records for each of its three phases.

Numbers per sample (distributions, N50, yield over time) are in `SampleScreen.quality`; here each
phase accounts for all samples. `science/call/calls.py` interprets the counts, after all samples of
the run are known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import mappy

from porewatch.domain.base import Moment, now
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.errors import NoReadsLeft
from porewatch.domain.reasons.reason import RunCode, because, verbatim
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch_worker import __version__

SCREENING = (Phase.QUALITY_CONTROL, Phase.HOST_REMOVAL, Phase.PATHOGEN_DETECTION)
MAPPED = (because(RunCode.MAPPY_ONE_PASS),)


def records(
    phases: Sequence[Phase], result: ScreenResult, started_at: Moment
) -> tuple[PhaseRecord, ...]:
    """The record of each of these phases, which end now."""
    finished = now()
    return tuple(
        PhaseRecord(
            phase=phase,
            status="completed",
            how=verbatim("numpy") if phase is Phase.QUALITY_CONTROL else MAPPED,
            started_at=started_at,
            finished_at=finished,
            counts=RECORDS[phase](result),
            tools={"mappy": mappy.__version__, "porewatch-worker": __version__},
        )
        for phase in phases
    )


def quality_control(result: ScreenResult) -> dict[str, int]:
    """Reads and bases in and passed, reads trimmed, filtered by reason, and unlisted."""
    filtered: Counter[str] = Counter()
    for screen in result.samples:
        filtered.update(screen.account.filtered)
    unlisted = sum(result.unlisted_barcodes.values())
    return {
        "reads": sum(s.quality.reads for s in result.samples) + unlisted,
        "bases": sum(s.quality.bases for s in result.samples),
        "unlisted_barcode_reads": unlisted,
        "adapter_trimmed_reads": sum(s.quality.adapter_trimmed_reads for s in result.samples),
        **{f"filtered_{reason}": reads for reason, reads in sorted(filtered.items())},
        "passed_reads": sum(s.quality.passed_reads for s in result.samples),
        "passed_bases": sum(s.quality.passed_bases for s in result.samples),
    }


def host_removal(result: ScreenResult) -> dict[str, int]:
    """Reads tested, given to the host, and kept; `won_from_panel` had a weaker panel hit.

    It runs after the panel, in the same pass: removing host reads first deletes the reads of
    anything that is also in the host's genome (in our measurements 500 of 500 PERV reads).
    """
    host = sum(s.account.host for s in result.samples)
    tested = sum(s.quality.passed_reads for s in result.samples)
    panel = [t for s in result.samples for t in s.targets if t.role is ContigRole.PANEL]
    return {
        "reads": tested,
        "host_reads": host,
        "host_bases": sum(s.host_bases for s in result.samples),
        "won_from_panel": sum(t.evidence.host_better for t in panel),
        "kept_reads": tested - host,
    }


def pathogen_detection(result: ScreenResult) -> dict[str, int]:
    """Reads by role, and how many panel members have reads of their own in any sample."""
    panel = {
        t.target
        for s in result.samples
        for t in s.targets
        if t.role is ContigRole.PANEL and t.evidence.reads
    }
    return {
        "reads": sum(s.quality.passed_reads - s.account.host for s in result.samples),
        "panel_reads": sum(s.account.panel for s in result.samples),
        "spike_reads": sum(s.account.spike for s in result.samples),
        "decoy_reads": sum(s.account.decoy for s in result.samples),
        "unassigned_reads": sum(s.account.unassigned for s in result.samples),
        "unassigned_bases": sum(s.unassigned_bases for s in result.samples),
        "panel_members_with_reads": len(panel),
    }


RECORDS = {
    Phase.QUALITY_CONTROL: quality_control,
    Phase.HOST_REMOVAL: host_removal,
    Phase.PATHOGEN_DETECTION: pathogen_detection,
}


def refuse_without_reads(
    result: ScreenResult, parameters: ScreeningParameters, least: Mapping[str, int]
) -> None:
    """Raises NoReadsLeft, with the filters' counts, when no read passed quality control."""
    if any(s.quality.passed_reads for s in result.samples):
        return
    lost = quality_control(result)
    reasons = [f"{n} {name.removeprefix('filtered_').replace('_', ' ')}"
               for name, n in sorted(lost.items()) if name.startswith("filtered_")]  # fmt: skip
    unlisted = sum(result.unlisted_barcodes.values())
    if unlisted:
        most = Counter(result.unlisted_barcodes).most_common(5)
        seen = ", ".join(f"{name}: {reads}" for name, reads in most)
        reasons.append(f"{unlisted} with a barcode that no sample claims: {seen}")
    raise NoReadsLeft(
        f"No read passed quality control ({', '.join(reasons) or 'there were none'}).",
        remedy=(
            "compare the sample sheet's barcodes with the reads', and the reads with the least "
            f"length of {_bases(least.values())} bases (set by --min-read-length, the sheet's "
            "columns min_read_length or tissue, or the release policy; DNA of plasma needs "
            f"about 90) and the least mean quality of {parameters.min_mean_quality:g}."
        ),
    )


def _bases(lengths: Iterable[int]) -> str:
    return " or ".join(str(n) for n in sorted(set(lengths)))
