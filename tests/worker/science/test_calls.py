"""The rules of calling, one by one, on screens made by hand."""

from __future__ import annotations

from porewatch.domain.calls.evidence import SampleScreen, ScreenResult, TargetResult
from porewatch.domain.calls.findings import Call, Finding, Outcome, Quantification
from porewatch.domain.calls.panel import (
    HostSpecies,
    Panel,
    PanelEntry,
    Severity,
)
from porewatch.domain.calls.references import (
    BundleFile,
    BundleManifest,
    Contig,
    ContigRole,
)
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.phases.quantification import quantify
from tests.worker.science.test_numbers import evidence, screen_with

A, B, NTC = Sample(name="a", barcode="barcode01"), Sample(name="b", barcode="barcode02"), Sample(
    name="ntc", barcode="barcode03", role=SampleRole.NO_TEMPLATE_CONTROL
)  # fmt: skip
CODES = ("V", "MT", "MB", "PERV-A", "PERV-B", "PERV-C")
INHERITED = {"PERV-A": ("Sus scrofa",), "PERV-B": ("Sus scrofa",)}
FILE = BundleFile(path="x", sha256="0" * 64, size=1)


def row(code: str, **more: object) -> PanelEntry:
    fields: dict[str, object] = {
        "code": code, "name": f"name of {code}", "category": "virus", "severity": Severity.HIGH
    }  # fmt: skip
    return PanelEntry.model_validate({**fields, **more})


PANEL = Panel(
    name="p", version="1", provenance="test",
    hosts=(HostSpecies(name="Sus scrofa", also=("pig",)),),
    entries=(
        *(row(c, endogenous_in=INHERITED.get(c, ())) for c in CODES),
        row("LOST"),
        row("FUNGI", status="not_by_sequencing", status_reason="A kingdom."),
        row("PERV", status="umbrella", members=("PERV-A", "PERV-B", "PERV-C")),
    ),
)  # fmt: skip


def bundle(synthetic: bool = False) -> BundleManifest:
    contigs = [
        Contig(name=c.lower(), role=ContigRole.PANEL, target=c, length=10_000) for c in CODES
    ]
    return BundleManifest(
        name="b", version="1", created_at="2026-01-01", synthetic=synthetic,
        files={"panel": FILE}, contigs=tuple(contigs), panel_k=13, panel_w=5, host_bases=10**6,
    )  # fmt: skip


def good(code: str, reads: int = 20, **more: object) -> TargetResult:
    fields: dict[str, object] = {"breadth": 0.86, "expected_breadth": 0.865, "regions": 3}
    return TargetResult(
        target=code, role=ContigRole.PANEL, genome_length=10_000,
        evidence=evidence(reads, reads * 1000, **{**fields, **more}),
    )  # fmt: skip


def named(name: str, screen: SampleScreen) -> SampleScreen:
    return screen.model_copy(update={"sample": name})


def quantified(*pairs: tuple[Sample, SampleScreen], synthetic: bool = False) -> Quantification:
    manifest = bundle(synthetic)
    result = ScreenResult(
        bundle=manifest.ref, bundle_sha256="0" * 64, synthetic=synthetic,
        samples=tuple(named(s.name, screen) for s, screen in pairs),
    )  # fmt: skip
    samples = [s for s, _ in pairs]
    return quantify(result, samples, PANEL, manifest, ScreeningParameters())


def finding(found: Quantification, sample: str, code: str) -> Finding:
    return next(f for f in found.findings if (f.sample, f.code) == (sample, code))


def one(result: TargetResult, synthetic: bool = False) -> Finding:
    found = quantified((A, screen_with(result)), synthetic=synthetic)
    return finding(found, "a", result.target)


def test_all_evidence_together_is_a_detection() -> None:
    assert one(good("V")).call is Call.DETECTED


def test_each_weakness_alone_makes_it_indeterminate_and_is_named() -> None:
    weak = {
        "2 reads of the 3": good("V", reads=2),
        "1 distinct start": good("V", distinct_starts=1),
        "pile up in 2 regions": good("V", regions=2, breadth=0.1),
        "repeats of this genome": good("V", median_mapq=0),
    }
    for phrase, result in weak.items():
        found = one(result)
        assert found.call is Call.INDETERMINATE, phrase
        assert phrase in found.rule
        assert found.lod95 is not None


def test_many_reads_alone_are_never_enough() -> None:
    assert one(good("V", reads=100_000, breadth=0.03, regions=1)).call is Call.INDETERMINATE


def test_nothing_seen_is_not_detected_with_a_limit() -> None:
    found = finding(quantified((A, screen_with())), "a", "V")
    assert found.call is Call.NOT_DETECTED
    assert found.lod95 is not None
    assert found.evidence is None


def test_reads_that_fit_a_decoy_or_the_host_as_well_are_no_finding() -> None:
    found = one(good("V", reads=0, shared_reads=9, shared_with={"decoy": 5, "host": 4}))
    assert found.call is Call.NOT_DETECTED
    assert "as well" in found.rule
    assert "5 more reads fit decoy as well" in found.remark


def test_reads_that_fit_two_members_alike_leave_both_indeterminate() -> None:
    screen = screen_with(
        good("MT", reads=0, shared_reads=40, shared_with={"MB": 40}),
        good("MB", reads=0, shared_reads=40, shared_with={"MT": 40}),
    )
    found = quantified((A, screen))
    for code in ("MT", "MB"):
        assert finding(found, "a", code).call is Call.INDETERMINATE
        assert "40 reads, all of which fit another member" in finding(found, "a", code).rule


def test_an_umbrella_is_answered_by_its_members_and_counts_shared_reads_once() -> None:
    screen = screen_with(
        good("PERV-A", shared_reads=7, shared_with={"PERV-B": 4, "PERV-B|PERV-C": 3}),
        good("PERV-B", reads=0, shared_reads=7, shared_with={"PERV-A": 4, "PERV-A|PERV-C": 3}),
        good("PERV-C", reads=0, shared_reads=3, shared_with={"PERV-A|PERV-B": 3}),
        host=500,
    )
    umbrella = finding(quantified((A, screen)), "a", "PERV")
    assert umbrella.call is Call.INDETERMINATE  # type C may be there; A and B are as expected
    assert umbrella.rule == "by its members: PERV-C"
    assert umbrella.remark.startswith("7 reads fit several members alike")


def test_rows_that_cannot_be_seen_say_why() -> None:
    found = quantified((A, screen_with()))
    assert finding(found, "a", "FUNGI").rule == "cannot be seen by sequencing"
    assert finding(found, "a", "LOST").rule == "no sequence in this bundle"
    assert finding(found, "a", "FUNGI").call is Call.NOT_SCREENED


def test_perv_a_is_expected_and_perv_c_is_not() -> None:
    inherited = finding(quantified((A, screen_with(good("PERV-A"), host=500))), "a", "PERV-A")
    assert inherited.call is Call.ENDOGENOUS
    assert inherited.rule == "endogenous in Sus scrofa: copies per diploid genome are not known"
    assert inherited.lod95 is None
    assert one(good("PERV-C")).call is Call.DETECTED


def test_a_synthetic_bundle_never_names_a_perv_subtype_as_real() -> None:
    found = quantified((A, screen_with(good("PERV-C"))), synthetic=True)
    for code in ("PERV-A", "PERV-B", "PERV-C"):
        assert finding(found, "a", code).name.startswith("SYNTHETIC surrogate")
    assert "SYNTHETIC" not in one(good("PERV-C")).name


def test_what_a_thousandth_of_another_barcode_can_give_is_crossover() -> None:
    pair = ((A, screen_with(good("V", reads=5))), (B, screen_with(good("V", reads=6000))))
    found = quantified(*pair)
    assert finding(found, "a", "V").call is Call.INDETERMINATE
    assert "crossover" in finding(found, "a", "V").rule
    assert finding(found, "b", "V").call is Call.DETECTED
    enough = ((A, screen_with(good("V", reads=40))), (B, screen_with(good("V", reads=6000))))
    assert finding(quantified(*enough), "a", "V").call is Call.DETECTED


def test_what_the_no_template_control_shows_must_be_exceeded_ten_times() -> None:
    control = (NTC, screen_with(good("V", reads=2)))
    weak = quantified((A, screen_with(good("V", reads=20))), control)
    assert "no-template control" in finding(weak, "a", "V").rule
    strong = quantified((A, screen_with(good("V", reads=21))), control)
    assert finding(strong, "a", "V").call is Call.DETECTED


def test_a_contaminated_control_is_invalid() -> None:
    found = quantified((A, screen_with()), (NTC, screen_with(good("V"))))
    outcome = {o.sample: o for o in found.outcomes}
    assert outcome["ntc"].outcome is Outcome.NOT_REPORTABLE
    assert "V" in outcome["ntc"].reasons[0]


def test_an_empty_control_and_a_spiked_sample_are_released() -> None:
    spiked = Sample(name="a", barcode="barcode01", spike_copies=100)
    spike = TargetResult(
        target="s", role=ContigRole.SPIKE, genome_length=50_000, evidence=evidence(50, 50_000)
    )
    found = quantified((spiked, screen_with(spike, host=900)), (NTC, screen_with(passed=0)))
    assert [o.outcome for o in found.outcomes] == [Outcome.REPORTABLE, Outcome.REPORTABLE]


def test_a_lost_spike_in_invalidates_the_sample() -> None:
    spiked = Sample(name="a", spike_copies=100)
    found = quantified((spiked, screen_with()))
    assert found.outcomes[0].outcome is Outcome.NOT_REPORTABLE
    assert "sensitivity is not shown" in found.outcomes[0].reasons[0]


def test_a_sample_without_passing_reads_is_not_screened_and_invalid() -> None:
    found = quantified((A, screen_with()), (B, screen_with(passed=0)))
    assert finding(found, "b", "V").call is Call.NOT_SCREENED
    assert {o.sample: o.outcome for o in found.outcomes}["b"] is Outcome.NOT_REPORTABLE


def test_a_far_identity_is_remarked() -> None:
    assert "Identity 78.0%" in one(good("V", identity=0.78)).remark


def test_reads_of_the_hosts_own_proviruses_are_never_called_absent() -> None:
    panel = PANEL.model_copy(
        update={"entries": (row("PERV-A", genome="integrated provirus / ssRNA(+)"), row("V"))}
    )
    hosts = [
        TargetResult(
            target=code, role=ContigRole.PANEL, genome_length=10_000,
            evidence=evidence(0, 0, host_better=40),
        )
        for code in ("PERV-A", "V")
    ]  # fmt: skip
    manifest = bundle()
    result = ScreenResult(
        bundle=manifest.ref, bundle_sha256="0" * 64, synthetic=False,
        samples=(named("a", screen_with(*hosts)),),
    )  # fmt: skip
    found = quantify(result, [A], panel, manifest, ScreeningParameters())
    perv, virus = finding(found, "a", "PERV-A"), finding(found, "a", "V")
    assert perv.call is Call.INDETERMINATE
    assert "40 reads of copies in the host's own genome" in perv.rule
    assert virus.call is Call.NOT_DETECTED
