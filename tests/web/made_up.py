"""Made-up but plausible screens, findings and bills, through the domain models only."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from porewatch.compute.carbon import carbon_factors
from porewatch.domain.calls.evidence import (
    ContigCoverage,
    Evidence,
    Histogram,
    QualityControl,
    ReadAccount,
    SampleScreen,
    ScreenResult,
    TargetResult,
    YieldPoint,
)
from porewatch.domain.calls.findings import (
    Call,
    Finding,
    JunctionSite,
    Outcome,
    PervResult,
    PervType,
    Quantification,
    Quantity,
    SampleOutcome,
)
from porewatch.domain.calls.panel import (
    Panel,
    PanelEntry,
    Severity,
)
from porewatch.domain.calls.perv import (
    OrfCount,
    PervScreen,
    PervTypeCount,
)
from porewatch.domain.calls.references import (
    BundleFile,
    BundleManifest,
    Contig,
    ContigRole,
)
from porewatch.domain.facts import alert_facts, run_facts, stage_facts
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.timeline import timeline as told
from porewatch.domain.money.cost import CostLine, make_bill
from porewatch.domain.reasons.reason import Code, Reason, Reasons, RunCode, because
from porewatch.domain.runs import InputFile, ReadKind, RunManifest, Sample, SampleRole, Sequencing
from porewatch.domain.stage.manifest import (
    PhaseRecord,
    TimelineEntry,
)
from porewatch.domain.stage.retry_policy import decide
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch_worker.phases.quantification import quantify
from porewatch_worker.references.panel import shipped_panel
from porewatch_worker.report.assemble import ReportInputs

F = TypeVar("F", bound=Fact)
LONG_NAME = "sars_cov_2_ont_2020_bc07_pig_17"
DAWN = datetime(2026, 3, 14, 8, 0, 0, tzinfo=UTC)
BUNDLE_SHA = "5e" * 32
NAMED = (
    ("ASFV", "African swine fever virus", Severity.CRITICAL, 190_000),
    ("CSFV", "Classical swine fever virus", Severity.CRITICAL, 12_300),
    ("PERV-C", "Porcine endogenous retrovirus C", Severity.CRITICAL, 8_900),
    ("HEV", "Hepatitis E virus", Severity.HIGH, 7_200),
    ("PCMV", "Porcine cytomegalovirus (roseolovirus)", Severity.HIGH, 128_000),
    ("IAV", "Swine influenza A virus", Severity.HIGH, 13_500),
    ("PCV2", "Porcine circovirus 2", Severity.MEDIUM, 1_768),
    ("PPV", "Porcine parvovirus", Severity.MEDIUM, 5_075),
    ("MH", "Mycoplasma hyopneumoniae", Severity.MEDIUM, 895_000),
    ("TTSV", "Torque teno sus virus", Severity.LOW, 2_878),
)


NOT_BY_SEQUENCING = (
    "An open-ended class (mites, lice, ticks ...), found on the animal, not by sequencing its "
    "samples."
)
TOO_LITTLE = (
    because(Code.FEW_READS, reads=2, needed=3),
    because(Code.FEW_STARTS, starts=1, needed=2),
)
NO_CONTROL = because(Code.NO_BLANK_IN_RUN)
NOTHING = (because(Code.NOTHING_PASSED),)
GROUP = "A second entry for rows that stand on their own; answered by its members."
PARTLY = "The list gives a family name; screened as porcine enteric sapovirus."


def panel(rows: int = 98) -> Panel:
    """The named rows, made-up ones, one half-seen, one umbrella, and twelve unseeable parasites."""
    entries = [
        PanelEntry(code=code, name=name, category="virus", severity=severity,
                   genome_length=length, special_management=code.startswith("PERV"))
        for code, name, severity, length in NAMED
    ]  # fmt: skip
    for i in range(len(entries), rows):
        severity = list(Severity)[i % 4]
        entry = PanelEntry(code=f"X{i:02d}", name=f"Made-up member number {i}",
                           category="bacterium", severity=severity,
                           genome_length=2_000_000)  # fmt: skip
        if i >= rows - 12:
            entry = entry.model_copy(
                update={
                    "category": "parasite",
                    "status": "not_by_sequencing",
                    "status_reason": NOT_BY_SEQUENCING,
                }
            )
        elif i == rows - 13:
            entry = entry.model_copy(
                update={"category": "umbrella", "status": "umbrella", "members": ("PCV2",),
                        "status_reason": GROUP}
            )  # fmt: skip
        elif i == rows - 14:
            entry = entry.model_copy(update={"status": "partly", "status_reason": PARTLY})
        entries.append(entry)
    return Panel(name="PMDA annex 2", version="2026.1", provenance="made up",
                 entries=tuple(entries))  # fmt: skip


def bundle(*, synthetic: bool = True) -> BundleManifest:
    file = BundleFile(path="panel.fa", sha256="ab" * 32, size=1000)
    contig = Contig(name="c1", role=ContigRole.PANEL, target="ASFV", length=190_000)
    return BundleManifest(
        name="demo",
        version="1",
        created_at=DAWN,
        synthetic=synthetic,
        files={"panel": file, "host": file},
        contigs=(contig,),
        panel_k=13,
        panel_w=5,
        host_bases=5_000_000,
    )


def quality(reads: int, seed: int) -> QualityControl:
    """Lengths log-normal in widening bins, qualities near Q 14, five hours of yield."""
    if reads == 0:
        empty = Histogram(unit="b", edges=(0.0, 1.0), counts=(0,))
        return QualityControl(
            reads=0, bases=0, passed_reads=0, passed_bases=0, mean_length=0, median_length=0,
            n50=0, longest=0, mean_quality=None, lengths=empty, qualities=empty,
        )  # fmt: skip
    edges = tuple(float(round(100 * 10 ** (i / 16))) for i in range(49))
    lengths = [round(reads / 9 * math.exp(-((i - 20 - seed) ** 2) / 60)) for i in range(48)]
    scores = tuple(float(q) for q in range(0, 41))
    qualities = [round(reads / 9 * math.exp(-((q - 14) ** 2) / 18)) for q in range(40)]
    chance = random.Random(seed)
    points = tuple(
        YieldPoint(minute=m, reads=reads // 100, bases=int(reads * 39 * math.exp(-m / 200)
                   * chance.uniform(0.9, 1.1)))
        for m in range(0, 300, 5)
    )  # fmt: skip
    return QualityControl(
        reads=reads, bases=reads * 3_900, passed_reads=reads * 96 // 100,
        passed_bases=reads * 3_800, mean_length=3_900.4, median_length=2_210, n50=5_832,
        longest=81_204, mean_quality=13.7, gc_fraction=0.42, adapter_trimmed_reads=reads // 30,
        lengths=Histogram(unit="b", edges=edges, counts=tuple(lengths)),
        qualities=Histogram(unit="Phred", edges=scores, counts=tuple(qualities)),
        yield_over_time=points,
    )  # fmt: skip


def coverage(name: str, length: int, depth: float, seed: int = 1) -> ContigCoverage:
    chance = random.Random(seed)
    size = max(1, -(-length // 200))
    bins = [max(0.0, round(chance.gauss(depth, depth / 3), 2)) for _ in range(-(-length // size))]
    gap = len(bins) // 5
    bins[gap : gap + 8] = [0.0] * len(bins[gap : gap + 8])
    return ContigCoverage(
        contig=name, length=length, covered_bases=sum(size for b in bins if b),
        mean_depth=sum(bins) / len(bins), max_depth=math.ceil(max(bins)), bin_size=size,
        bins=tuple(bins),
    )  # fmt: skip


def evidence(reads: int, breadth: float, *contigs: ContigCoverage) -> Evidence:
    return Evidence(
        reads=reads, aligned_bases=reads * 2_000, distinct_starts=max(1, reads * 9 // 10),
        breadth=breadth, expected_breadth=min(1.0, breadth * 1.04), mean_depth=reads / 37,
        evenness=0.83, identity=0.972, median_mapq=60, shared_reads=reads // 50, host_better=2,
        coverage=contigs,
    )  # fmt: skip


def screen(name: str, reads: int, panel_reads: int, seed: int) -> SampleScreen:
    filtered = {"too_short": reads // 40, "low_quality": reads // 60}
    spike, decoy = reads // 100, reads // 900
    unassigned = reads // 25
    host = reads - sum(filtered.values()) - panel_reads - spike - decoy - unassigned
    account = ReadAccount(
        total=reads, filtered=filtered if reads else {}, host=host, panel=panel_reads,
        spike=spike, decoy=decoy, unassigned=unassigned,
    )  # fmt: skip
    assert account.balanced
    return SampleScreen(sample=name, account=account, quality=quality(reads, seed))


def absent(sample: str, entry: PanelEntry, *, lod: float | None = 210.0) -> Finding:
    quantity = Quantity(value=lod, low=None, high=None, unit="copies/mL",
                        how=(because(Code.CHANCE_BY_SPIKE, reads=3, spike="lambda"),),
                        remarks=() if lod else (because(Code.NO_YARDSTICK),))  # fmt: skip
    unseen = entry.status in ("not_by_sequencing", "umbrella")
    return Finding(
        sample=sample, code=entry.code, name=entry.name, severity=entry.severity,
        call=Call.NOT_SCREENED if unseen else Call.NOT_DETECTED,
        why=(because(Code.NOT_BY_SEQUENCING if unseen else Code.NO_READ),),
        lod95=None if unseen else quantity,
    )  # fmt: skip


def present(
    sample: str, entry: PanelEntry, call: Call, proof: Evidence, load: float | None
) -> Finding:
    quantities = (
        ()
        if load is None
        else (
            Quantity(value=load, low=load * 0.71, high=load * 1.42, unit="copies/mL",
                     how=(because(Code.DEPTH_TO_SPIKE, spike="lambda", copies=1e4),),
                     remarks=(because(Code.COUNTING_SPIKE_EXTRACTION),)),
            Quantity(value=proof.mean_depth, low=None, high=None, unit="genomes sequenced",
                     how=(because(Code.BASES_OVER_LENGTH),),
                     remarks=(because(Code.NO_CONCENTRATION),)),
        )
    )  # fmt: skip
    return Finding(
        sample=sample, code=entry.code, name=entry.name, severity=entry.severity, call=call,
        why=(_rule(proof),) if call is Call.DETECTED else TOO_LITTLE,
        evidence=proof, quantities=quantities,
    )  # fmt: skip


def _rule(proof: Evidence) -> Reason:
    return because(
        Code.SUPPORTED, reads=proof.reads, starts=proof.distinct_starts, regions=12,
        breadth=proof.breadth, expected=proof.expected_breadth, identity=proof.identity,
    )  # fmt: skip


def findings_for(sample: str, rows: Panel, found: dict[str, Finding]) -> tuple[Finding, ...]:
    return tuple(
        found.get(e.code) or absent(sample, e, lod=40.0 + 17 * i)
        for i, e in enumerate(rows.entries)
    )


def manifest(samples: tuple[Sample, ...], run_id: str = "demo-2026-03-14") -> RunManifest:
    files = tuple(
        InputFile(
            path=f"fastq/{s.barcode or 'all'}/FAX12345_pass_8a1c3f07_{i}.fastq.gz",
            kind=ReadKind.FASTQ, size=123_456_789 + i, sha256=f"{i:02d}" * 32, barcode=s.barcode,
        )
        for i, s in enumerate(samples)
    )  # fmt: skip
    return RunManifest(
        run_id=run_id, created_at=DAWN, files=files, samples=samples,
        sequencing=Sequencing(
            instrument="MN12345", flow_cell="FAX12345", kit="SQK-NBD114.24",
            basecall_model="dna_r10.4.1_e8.2_400bps_hac@v5.0.0", started_at=DAWN,
        ),
    )  # fmt: skip


def phases() -> tuple[PhaseRecord, ...]:
    """Basecalling skipped, the shared pass, quantification."""

    def at(minutes: float) -> datetime:
        return DAWN + timedelta(hours=6, minutes=minutes)

    tools = {"mappy": "2.31", "numpy": "2.5.5"}
    return (
        PhaseRecord(phase=Phase.BASECALLING, status="skipped",
                    why=(because(RunCode.CAME_BASECALLED),),
                    started_at=at(0), finished_at=at(0)),
        PhaseRecord(phase=Phase.QUALITY_CONTROL, status="completed", started_at=at(2),
                    finished_at=at(11), counts={"reads_in": 90_600, "reads_passed": 86_976},
                    tools={"isal": "1.9.1"}),
        PhaseRecord(phase=Phase.HOST_REMOVAL, status="completed", started_at=at(2.2),
                    finished_at=at(11.4), counts={"reads_in": 86_976, "host": 80_102}, tools=tools),
        PhaseRecord(phase=Phase.PATHOGEN_DETECTION, status="completed", started_at=at(2.1),
                    finished_at=at(11.4), counts={"panel": 940, "spike": 906}, tools=tools),
        PhaseRecord(phase=Phase.QUANTIFICATION, status="completed", started_at=at(14),
                    finished_at=at(14.1), counts={"findings": 4, "rows": 98}),
    )  # fmt: skip


SPOT, WIDER = because(RunCode.SPOT), because(RunCode.SPOT_WIDER)
NO_MACHINE = because(
    RunCode.NO_MACHINE,
    codes="UnfulfillableCapacity",
    pools=3,
    text="Unable to fulfill capacity due to your request configuration.",
)
RECLAIMED = because(RunCode.MACHINE_RECLAIMED, name="i-01")
GOES_ON = decide("SpotInterrupted", errors_so_far=0, waits=0, interruptions=1).why
INTERRUPTED = because(RunCode.ENDED_AS, outcome="interrupted")
PRICES = because(RunCode.PRICES_UNVERIFIED, day="2026-03-01", region="eu-central-1")


def timeline() -> tuple[TimelineEntry, ...]:
    """A rung that had no machine, a machine that was taken back, another that ended the stage."""
    facts = (
        _fact(run_facts.RunSealed, 0, manifest_digest="d", sealed_by="run.json", files=3,
              samples=5),
        _fact(run_facts.RunStarted, 0.1, execution_arn="arn:x", manifest_digest="d",
              profile="default", bundle="demo@1", samples=("pig-01",)),
        _fact(stage_facts.LaunchRefused, 0.5, stage="screen", epoch=1, rung=0, executor="ec2",
              purchase="spot", error="CapacityUnavailable", asked=SPOT.text(),
              problem=NO_MACHINE.text(), then=WIDER.text(),
              why=(NO_MACHINE,), next=(WIDER,), rung_why=(SPOT,)),
        _fact(stage_facts.InstanceLaunched, 1, stage="screen", epoch=1, purchase="spot",
              instance_id="i-01", instance_type="r7i.large", availability_zone="eu-central-1a"),
        _fact(stage_facts.StageClaimed, 1.7, stage="screen", epoch=1, instance_id="i-01"),
        _fact(alert_facts.PathogenSuspected, 4, sample="pig-01", code="ASFV", severity="critical",
              name="African Swine Fever Virus", reads=14),
        _fact(stage_facts.SpotInterrupted, 6, stage="screen", epoch=1, instance_id="i-01",
              last_checkpoint=12),
        _fact(stage_facts.StageFailed, 6.1, stage="screen", epoch=1, error="SpotInterrupted",
              problem=RECLAIMED.text(), will_retry=True, then=GOES_ON.text(), why=(RECLAIMED,),
              next=(GOES_ON,)),
        _fact(stage_facts.InstanceTerminated, 6.5, stage="screen", epoch=1, instance_id="i-01",
              instance_type="r7i.large", purchase="spot", seconds=330, cost_usd=0.0043,
              reason=INTERRUPTED.text(), why=(INTERRUPTED,)),
        _fact(stage_facts.InstanceLaunched, 7, stage="screen", epoch=2, purchase="on-demand",
              instance_id="i-02", instance_type="r6i.large", availability_zone="eu-central-1b"),
        _fact(stage_facts.PhaseCompleted, 11, stage="screen", epoch=2, record=phases()[1]),
        _fact(stage_facts.StageCompleted, 12, stage="screen", epoch=2, manifest_key="k",
              phases=(Phase.QUALITY_CONTROL,)),
    )  # fmt: skip
    return told(facts)


def _fact(kind: type[F], minutes: float, **said: Any) -> F:
    at = DAWN + timedelta(hours=6, minutes=minutes)
    return kind(fact_id=f"{kind.__name__}:{minutes}", run_id="demo-2026-03-14", at=at, **said)


def cost_lines() -> tuple[CostLine, ...]:
    machines = tuple(
        CostLine(what="instance", stage="screen", epoch=epoch, instance_id=f"i-0{epoch}",
                 instance_type="r7i.large", purchase="spot", seconds=seconds, usd=seconds * 1.4e-5,
                 on_demand_usd=seconds * 4.2e-5, boot_seconds=40.0,
                 useful_seconds=seconds - 40 - wasted, wasted_seconds=wasted,
                 gib_hours=seconds / 36)
        for epoch, seconds, wasted in ((1, 310.0, 20.0), (2, 352.4, 0.0))
    )  # fmt: skip
    return (*machines, CostLine(what="orchestration", usd=0.0009, settled=False))


def inputs_for(
    samples: tuple[Sample, ...],
    screens: tuple[SampleScreen, ...],
    findings: tuple[Finding, ...],
    outcomes: tuple[SampleOutcome, ...],
    *,
    synthetic: bool = True,
    cloud: bool = True,
    rows: Panel | None = None,
    unlisted: dict[str, int] | None = None,
) -> ReportInputs:
    made = DAWN + timedelta(hours=6, minutes=15)
    recovery = {
        s.name: Quantity(
            value=0.82,
            low=0.7,
            high=0.95,
            unit="of expected",
            how=(because(Code.SPIKE_SEEN, spike="lambda"),),
        )
        for s in samples
        if s.spike_copies
    }
    return ReportInputs(
        manifest=manifest(samples),
        revision=0,
        screen=ScreenResult(
            bundle="demo@1", bundle_sha256=BUNDLE_SHA, synthetic=synthetic, samples=screens,
            unlisted_barcodes=unlisted or {},
        ),
        quantification=Quantification(
            findings=findings, outcomes=outcomes, spike_recovery=recovery
        ),
        bundle=bundle(synthetic=synthetic),
        panel=rows or panel(),
        parameters=ScreeningParameters(),
        phases=phases(),
        timeline=timeline() if cloud else (),
        bill=make_bill(cost_lines(), as_of=made, prices=(PRICES,),
                       remarks=(because(RunCode.BILL_BEFORE_LAST_MACHINE),), interruptions=1,
                       factors=carbon_factors("eu-central-1"))
        if cloud else None,
        created_at=made,
    )  # fmt: skip


def rich() -> ReportInputs:
    """Three samples (one empty), a failing no-template control and a good positive control."""
    rows = panel()
    by = {e.code: e for e in rows.entries}
    samples = (
        Sample(name="pig-01", barcode="barcode01", volume_ml=1.0, spike_copies=1e4),
        Sample(name="pig-02", barcode="barcode02", volume_ml=1.0, spike_copies=1e4),
        Sample(name="pig-03 empty", barcode="barcode03"),
        Sample(name="NTC", barcode="barcode11", role=SampleRole.NO_TEMPLATE_CONTROL,
               spike_copies=1e4),
        Sample(name="positive", barcode="barcode12", role=SampleRole.POSITIVE_CONTROL,
               spike_copies=1e4),
    )  # fmt: skip
    segments = tuple(coverage(f"IAV-seg{i}", n, 3.0 + i, i) for i, n in enumerate(
        (2341, 2341, 2233, 1778, 1565, 1413, 1027, 890), 1))  # fmt: skip
    found = {
        "pig-01": {
            "ASFV": present("pig-01", by["ASFV"], Call.DETECTED,
                            evidence(612, 0.87, coverage("ASFV-synthetic-1", 190_000, 6.5)),
                            12_340.0),
            "IAV": present("pig-01", by["IAV"], Call.DETECTED, evidence(44, 0.93, *segments),
                           890.2),
            "PCV2": present("pig-01", by["PCV2"], Call.INDETERMINATE,
                            evidence(2, 0.41, coverage("PCV2-synthetic-1", 1_768, 1.1)), None),
        },
        "pig-02": {},
        "NTC": {"PCV2": present("NTC", by["PCV2"], Call.DETECTED,
                                evidence(9, 0.98, coverage("PCV2-synthetic-1", 1_768, 5)), 31.0)},
        "positive": {"TTSV": present("positive", by["TTSV"], Call.DETECTED,
                     evidence(273, 1.0, coverage("TTSV-synthetic-1", 2_878, 140)), 1.234e7)},
    }  # fmt: skip
    screens = (
        screen("pig-01", 60_300, 658, 1), screen("pig-02", 29_900, 0, 4),
        screen("pig-03 empty", 0, 0, 0),
        screen("NTC", 400, 9, 2), screen("positive", 9_000, 273, 6),
    )  # fmt: skip
    outcomes = (
        SampleOutcome(sample="pig-01", outcome=Outcome.REPORTABLE_WITH_REMARKS,
                      why=(because(Code.INDETERMINATE, codes=("PCV2",)),)),
        SampleOutcome(sample="pig-02", outcome=Outcome.REPORTABLE),
        SampleOutcome(sample="pig-03 empty", outcome=Outcome.NOT_REPORTABLE, why=NOTHING),
        SampleOutcome(sample="NTC", outcome=Outcome.NOT_REPORTABLE,
                      why=(because(Code.BLANK_HOLDS, codes=("PCV2",)),)),
        SampleOutcome(sample="positive", outcome=Outcome.REPORTABLE),
    )  # fmt: skip
    findings = tuple(f for s in samples for f in findings_for(s.name, rows, found.get(s.name, {})))
    return inputs_for(samples, screens, findings, outcomes, rows=rows,
                      unlisted={"barcode07": 31, "unclassified": 1_204})  # fmt: skip


def clean(*, synthetic: bool = False, cloud: bool = True) -> ReportInputs:
    """One sample without barcode, both controls absent, nothing found, the list that ships."""
    rows = shipped_panel()
    sample = (Sample(name="donor 7", volume_ml=2.0, spike_copies=1e4),)
    outcome = SampleOutcome(sample="donor 7", outcome=Outcome.REPORTABLE_WITH_REMARKS,
                            why=(NO_CONTROL,))  # fmt: skip
    return inputs_for(sample, (screen("donor 7", 30_300, 0, 3),),
                      findings_for("donor 7", rows, {}), (outcome,), synthetic=synthetic,
                      cloud=cloud, rows=rows)  # fmt: skip


def empty() -> ReportInputs:
    """One sample, not one read, no cloud."""
    sample = (Sample(name="nothing"),)
    outcome = SampleOutcome(sample="nothing", outcome=Outcome.NOT_REPORTABLE, why=NOTHING)
    return inputs_for(sample, (screen("nothing", 0, 0, 0),), (), (outcome,), cloud=False)


def crowded(samples: int = 100) -> ReportInputs:
    """Many samples, every tenth with a finding; the first has a name as long as files have."""
    rows = panel()
    asfv = rows.entries[0]
    names = (LONG_NAME, *(f"animal-{i:03d}" for i in range(1, min(samples, 100))))
    listed = tuple(Sample(name=n, barcode=f"barcode{i:02d}") for i, n in enumerate(names))
    findings: list[Finding] = []
    for i, s in enumerate(listed):
        proof = evidence(50 + i, 0.6, coverage("ASFV-synthetic-1", 190_000, 2, i))
        hit = {"ASFV": present(s.name, asfv, Call.DETECTED, proof, 100.0 * (i + 1))}
        findings += findings_for(s.name, rows, hit if i % 10 == 0 else {})
    screens = tuple(screen(s.name, 3_000 + 41 * i, 0, i % 9) for i, s in enumerate(listed))
    outcomes = tuple(SampleOutcome(sample=s.name, outcome=Outcome.REPORTABLE) for s in listed)
    return inputs_for(listed, screens, tuple(findings), outcomes, synthetic=False, rows=rows)


def quantified() -> ReportInputs:
    """Screened targets put through the real quantification: its own rules, words and units."""
    rows = shipped_panel()
    codes = ("ASFV", "CSFV", "HEV", "PCV2", "PCV3", "PERV-A", "PPV", "JEV", "TGEV", "X-SARS2")
    contigs = tuple(
        Contig(name=f"{code}-1", role=ContigRole.PANEL, target=code, length=4_000 + 900 * i)
        for i, code in enumerate(codes)
    )
    contigs += (Contig(name="lambda", role=ContigRole.SPIKE, target="lambda", length=48_502),)
    made = bundle().model_copy(update={"contigs": contigs})
    samples = (
        Sample(name="pig-01", barcode="barcode01", volume_ml=1.0, spike_copies=1e5),
        Sample(name="pig-02", barcode="barcode02", spike_copies=1e5),
        Sample(name="NTC", barcode="barcode03", role=SampleRole.NO_TEMPLATE_CONTROL),
    )
    hits = {
        "pig-01": {"ASFV": 300, "PERV-A": 41, "PCV2": 2, "X-SARS2": 55},
        "pig-02": {"PERV-A": 12, "HEV": 4},
        "NTC": {},
    }
    screens = tuple(
        screen(s.name, reads, 0, i).model_copy(
            update={
                "host_bases": reads * 3_500,
                "targets": tuple(
                    _target(c, n, 1 if n < 3 else 12)
                    for c in contigs
                    for n in [hits[s.name].get(c.target, 400 if c.role is ContigRole.SPIKE else 0)]
                    if n
                ),
            }
        )
        for i, (s, reads) in enumerate(zip(samples, (60_000, 42_000, 900), strict=True))
    )
    result = ScreenResult(
        bundle=made.ref, bundle_sha256=BUNDLE_SHA, synthetic=True, samples=screens
    )
    counted = quantify(result, samples, rows, made, ScreeningParameters())
    inputs = inputs_for(samples, screens, counted.findings, counted.outcomes, rows=rows)
    return replace(inputs, quantification=counted, bundle=made)


def twenty_four() -> ReportInputs:
    """22 donors that hold HEV and PCV2, 17 of them not reportable, a blank, a positive control."""
    donors = [Sample(name=f"donor-{i:02}", barcode=f"barcode{i:02}") for i in range(1, 23)]
    blank = Sample(name="NTC", barcode="barcode23", role=SampleRole.NO_TEMPLATE_CONTROL)
    control = Sample(
        name="positive", barcode="barcode24", role=SampleRole.POSITIVE_CONTROL,
        expected_codes=("PPV",),
    )  # fmt: skip
    samples = (*donors, blank, control)
    rows = shipped_panel()
    hits = {s.name: {"HEV": 12, "PCV2": 30} for s in donors} | {"positive": {"PPV": 60}, "NTC": {}}
    findings = []
    for sample in samples:
        for entry in rows.entries:
            if reads := hits[sample.name].get(entry.code, 0):
                findings.append(
                    present(sample.name, entry, Call.DETECTED, evidence(reads, 0.9), None)
                )
            else:
                findings.append(absent(sample.name, entry))
    few = (because(Code.SPIKE_FEW_READS, reads=2, needed=3),)
    outcomes = tuple(
        SampleOutcome(sample=s.name, outcome=Outcome.NOT_REPORTABLE, why=few)
        if s in donors[:17]
        else SampleOutcome(sample=s.name, outcome=Outcome.REPORTABLE)
        for s in samples
    )
    screens = tuple(screen(s.name, 1_200 + i, 0, i) for i, s in enumerate(samples))
    return inputs_for(samples, screens, tuple(findings), outcomes, synthetic=True, rows=rows)


JUNCTION = because(Code.JUNCTION_SUPPORTED, reads=6, molecules=6)
ALARM = because(
    Code.PERV_ALARM_RECOMBINANT, name="PERV-A/C", left="A", right="C", why=(JUNCTION,), low=691,
    high=702,
)  # fmt: skip


def _copies(value: float) -> Quantity:
    return Quantity(
        value=value, low=0.8 * value, high=1.2 * value, unit="copies per diploid genome",
        how=(because(Code.DEPTH_TO_LOCI),), remarks=(because(Code.OVERDISPERSION, phi=1.04),),
    )  # fmt: skip


def perv_result(name: str, *, synthetic: bool = False, alarms: Reasons = ()) -> PervResult:
    """Types A, B and C in one sample; a site where there are alarms."""
    label = "SYNTHETIC" if synthetic else "PERV"
    counted = PervScreen(
        reads=1_210, host_alike=1_020, with_host_flank=402, at_ends=380, full_length=12,
        env_reads=520, untyped=14, orfs={"env": OrfCount(spanning=61, whole=48)},
    )  # fmt: skip
    types = {"A": (310, 33.1), "B": (190, 20.4), "C": (6, 0.7)}
    site = JunctionSite(
        left="A", right="C", low=691, high=702, reads=6, molecules=6, call=Call.DETECTED,
        why=(JUNCTION,),
    )  # fmt: skip
    return PervResult(
        sample=name, material="dna", synthetic=synthetic,
        types_told=tuple(f"{label}-{k}" for k in types), counted=counted,
        types=tuple(
            PervType(
                name=f"{label}-{k}",
                counted=PervTypeCount(reads=n, starts=n),
                copies=_copies(amount),
            )
            for k, (n, amount) in types.items()
        ),
        copies=_copies(54.2), sites=(site,) if alarms else (), smallest_share=0.012,
        alarm_reasons=alarms, limit_reasons=(because(Code.PERV_HOST_COUNTED),),
    )  # fmt: skip


def with_perv() -> ReportInputs:
    """A real bundle's PERV page: an A/C recombinant in one sample, none in the other."""
    inputs = rich()
    results = (perv_result("pig-01", alarms=(ALARM,)), perv_result("pig-02"))
    quantification = inputs.quantification.model_copy(update={"perv": results})
    return replace(inputs, quantification=quantification)


def _target(contig: Contig, reads: int, regions: int) -> TargetResult:
    proof = evidence(reads, 0.9, coverage(contig.name, contig.length, reads / 3, reads))
    proof = proof.model_copy(update={"regions": regions, "host_better": 0})
    return TargetResult(
        target=contig.target, role=contig.role, genome_length=contig.length, evidence=proof
    )
