"""Quantification: from `screen.json` to findings, copies, limits of detection and outcomes.

One unit: it takes milliseconds. Everything comes from the screen, the bundle and the sample sheet.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from porewatch.domain.base import now
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Call, Quantification, ReleaseRules
from porewatch.domain.calls.panel import (
    Panel,
    umbrellas,
)
from porewatch.domain.calls.references import (
    BundleManifest,
    Contig,
    ContigRole,
)
from porewatch.domain.calls.release_policy import DEFAULT
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.reasons.reason import RunCode, because
from porewatch.domain.runs import Sample
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.quarantine import QuarantinedUnit
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch_worker import __version__
from porewatch_worker.science.call.calls import (
    Run,
    call_all,
)
from porewatch_worker.science.call.endogenous import excess_alarms
from porewatch_worker.science.call.perv import perv_results
from porewatch_worker.science.release.crosstalk import crosstalk
from porewatch_worker.science.release.incomplete import (
    Gaps,
    with_gaps,
)
from porewatch_worker.science.release.policies import release_policies
from porewatch_worker.science.release.quarantined_units import with_lost_units
from porewatch_worker.science.release.sample_outcomes import (
    recoveries,
    sample_outcomes,
)
from porewatch_worker.stage_work import (
    Inputs,
    Lost,
    StageResult,
    UnitOutput,
    fingerprint_of,
)
from porewatch_worker.suspicions.alarms import alarms

INPUT = "screen.json"
OUTPUT = "quantification.json"
WHOLE = Gaps()
_VERSION = 8


def quantify(
    screen: ScreenResult,
    samples: Sequence[Sample],
    panel: Panel,
    bundle: BundleManifest,
    parameters: ScreeningParameters,
    *,
    release_policy: str = DEFAULT,
) -> Quantification:
    """Findings for every row and sample. Raises ManifestRefused when the screen is another's, or
    when there is no such release policy."""
    policies = release_policies()
    policy = policies.of(release_policy)
    if screen.bundle != bundle.ref or [s.sample for s in screen.samples] != [
        s.name for s in samples
    ]:
        raise ManifestRefused(
            f"the screen is of bundle {screen.bundle} and other samples than this run's.",
            file=INPUT,
            remedy="quantify the screen that this run's own stage published.",
        )
    contigs: dict[str, tuple[Contig, ...]] = {}
    for contig in bundle.contigs:
        if contig.role is ContigRole.PANEL:
            contigs[contig.target] = (*contigs.get(contig.target, ()), contig)
    perv = tuple(excess_alarms(panel, samples, perv_results(screen, samples, bundle, parameters)))
    run = Run(
        screen=screen,
        samples=samples,
        panel=panel,
        contigs=contigs,
        host_length=bundle.host_bases,
        parameters=parameters,
        perv={result.sample: result for result in perv},
    )
    findings = call_all(run)
    strays = crosstalk(screen, samples, findings, policy.crosstalk_budget)
    recovered = recoveries(screen, samples)
    return Quantification(
        findings=findings,
        outcomes=sample_outcomes(
            screen,
            samples,
            findings,
            parameters,
            policy=policy,
            strays=strays,
            recovered=recovered,
            hosted=bundle.host_bases > 0,
        ),
        spike_recovery=recovered,
        perv=perv,
        crosstalk=strays,
        release=ReleaseRules(
            policy=policy.name,
            purpose=policy.purpose,
            version=policies.version,
            sha256=policy.digest(),
        ),
        alarms=alarms(findings, samples, panel, perv),
    )


class QuantificationWork:
    """StageWork of the phase: one unit, whose content is the result."""

    def __init__(
        self,
        *,
        samples: Sequence[Sample],
        panel: Panel,
        bundle: BundleManifest,
        parameters: ScreeningParameters,
        inputs: Inputs,
        lost: Sequence[QuarantinedUnit] = (),
        release_policy: str = DEFAULT,
        gaps: Gaps = WHOLE,
    ) -> None:
        self._gaps = gaps
        self._release_policy = release_policy
        self._samples, self._panel, self._bundle = tuple(samples), panel, bundle
        self._parameters, self._inputs, self._lost = parameters, inputs, tuple(lost)
        self._started_at = now()

    def fingerprint(self) -> str:
        """Digest over code, parameters, bundle, samples and the screen."""
        depends_on = {
            "version": [_VERSION, __version__],
            "parameters": self._parameters.model_dump(mode="json"),
            "bundle": self._bundle.digest(),
            "panel": self._panel.digest(),
            "samples": [s.model_dump(mode="json") for s in self._samples],
            "release": release_policies().of(self._release_policy).digest(),
            "gaps": [
                each.model_dump(mode="json") for each in (*self._gaps.lost, *self._gaps.expected)
            ],
            "lost": [unit.model_dump(mode="json") for unit in self._lost],
            "screen": hashlib.sha256(self._inputs.path(INPUT).read_bytes()).hexdigest(),
        }
        return fingerprint_of(depends_on)

    def units_total(self) -> int | None:
        return 1

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, None]]:
        if 1 not in done:
            yield 1, None

    def process(self, payload: None) -> UnitOutput:
        """The whole phase."""
        screen = ScreenResult.model_validate_json(self._inputs.path(INPUT).read_bytes())
        result = quantify(
            screen,
            self._samples,
            self._panel,
            self._bundle,
            self._parameters,
            release_policy=self._release_policy,
        )
        whole = with_gaps(result, screen, self._samples, self._gaps)
        adjusted = with_lost_units(whole, self._lost)
        return UnitOutput(content=adjusted.canonical_json().encode())

    def give_up(self, payload: object) -> Lost | None:
        """It is the whole phase: without it there is no result."""
        return None

    def progress(self) -> Progress:
        return Progress(phase=Phase.QUANTIFICATION)

    def running(self) -> None:
        """Nothing alarms before the end."""

    def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
        """Write `quantification.json`."""
        content = next(contents)
        result = Quantification.model_validate_json(content)
        scratch.mkdir(parents=True, exist_ok=True)
        path = scratch / OUTPUT
        path.write_bytes(content)
        groups = umbrellas(self._panel.entries)
        calls = Counter(f.call for f in result.findings if f.code not in groups)
        record = PhaseRecord(
            phase=Phase.QUANTIFICATION,
            status="completed",
            how=(because(RunCode.SPIKE_HOST_YIELD),),
            started_at=self._started_at,
            finished_at=now(),
            counts={call.value: calls[call] for call in Call},
            tools={"porewatch-worker": __version__},
        )
        return StageResult(outputs={OUTPUT: path}, phases=(record,))
