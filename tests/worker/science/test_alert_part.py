"""Early screening sees of severe members what the whole pass sees, and suspects nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from porewatch.domain.calls.alert_part import alert_ref
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.errors import BundleRefused
from porewatch.domain.runs import InputFile, ReadKind, Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.early.file_counts import counts_of_file
from porewatch_worker.early.verdict_so_far import suspected
from porewatch_worker.references.building.alert_part import build_alert_part
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import LoadedBundle, load
from porewatch_worker.references.verify import verify_bundle
from porewatch_worker.science.call.unread import Unread
from porewatch_worker.science.count.units import Place, UnitCounts, add, unit_from_bytes
from porewatch_worker.suspicions.alarms import grave_codes
from validation import made_reads as made
from validation.screens import diverged, fasta_sequence, random_sequence, screening
from validation.shared_data import real

ONE = (Sample(name="pig"),)
PARAMETERS = ScreeningParameters(threads=2)


@pytest.fixture(scope="session")
def alert_part(real_bundle: LoadedBundle) -> LoadedBundle:
    root = real_bundle.folder.parents[1]
    build_alert_part(root, real_bundle)
    return load(root, alert_ref(real_bundle.ref))


def genome(name: str) -> str:
    return fasta_sequence(real(f"genomes/{name}"))


def mixture(real_bundle: LoadedBundle, seed: int = 1) -> list[str]:
    """Of severe members, others, relatives, spike-in, host with and without copies of PERV."""
    host = real_bundle.host_aligner.seq("host1")
    reads = made.reads_of(genome("asfv_OP605386.fa"), 30, 1500, seed)
    reads += made.reads_of(genome("rabies_NC_001542.fa"), 20, 1200, seed)
    reads += made.reads_of(genome("perv_e_AF356697.fa"), 20, 1000, seed)
    reads += made.reads_of(diverged(genome("measles.fa"), 0.1, seed), 20, 900, seed)
    reads += made.reads_of(host[95_000:115_000], 80, 1500, seed)
    reads += made.reads_of(host, 80, 1500, seed)
    reads += [random_sequence(800, seed + i) for i in range(20)]
    random.Random(seed).shuffle(reads)
    return reads


def file_of(path: Path, barcode: str | None = None) -> InputFile:
    return InputFile(
        path=f"fastq/{path.name}", kind=ReadKind.FASTQ, size=path.stat().st_size, barcode=barcode
    )


def test_it_is_a_bundle_that_is_sound_and_small(
    real_bundle: LoadedBundle, alert_part: LoadedBundle
) -> None:
    found = verify_bundle(real_bundle.folder.parents[1], alert_part.ref)
    grave = grave_codes(real_bundle.panel)
    targets = {c.target for c in found.contigs if c.role is ContigRole.PANEL}
    assert grave & set(real_bundle.targets(ContigRole.PANEL)) <= targets
    assert targets < set(real_bundle.targets(ContigRole.PANEL)), (
        "and what cannot alarm is not there"
    )
    kept = [c for c in found.contigs if c.role is ContigRole.HOST]
    assert sum(c.length for c in kept) < real_bundle.manifest.host_bases / 4
    assert found.host_bases == real_bundle.manifest.host_bases
    with pytest.raises(BundleRefused):
        build_alert_part(real_bundle.folder.parents[1], real_bundle)


def test_severe_members_have_the_evidence_of_the_whole_pass(
    real_bundle: LoadedBundle, alert_part: LoadedBundle, tmp_path: Path
) -> None:
    paths = [
        made.write_fastq(tmp_path / f"{seed}.fastq.gz", mixture(real_bundle, seed))
        for seed in (1, 2)
    ]
    whole, early = UnitCounts(), UnitCounts()
    work = screening(real_bundle, *paths)
    for _, unit in work.units(frozenset()):
        add(whole, unit_from_bytes(work.process(unit).content))
    for path in paths:
        content = counts_of_file(
            file_of(path), path, samples=ONE, bundle=alert_part, parameters=PARAMETERS
        )
        add(early, unit_from_bytes(content))
    [full] = whole.samples.values()
    [seen] = early.samples.values()
    assert (seen.total, seen.passed_bases) == (full.total, full.passed_bases)
    grave = grave_codes(real_bundle.panel) & set(full.targets)
    assert {"ASFV", "RABV"} <= grave
    for target in grave:
        ours, theirs = vars(seen.targets[target]), vars(full.targets[target])
        assert ours == theirs, target
    assert seen.unknown.looked_at == 0


@pytest.fixture(scope="module")
def made_part(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    root = tmp_path_factory.mktemp("made")
    build_alert_part(root, made.made_bundle(root))
    return load(root, "made-alert@1")


def alarms(part: LoadedBundle, path: Path, reads: list[str]) -> set[str]:
    made.write_fastq(path, reads)
    file = file_of(path)
    counts = counts_of_file(file, path, samples=ONE, bundle=part, parameters=PARAMETERS)
    found = suspected([counts], [file], samples=ONE, bundle=part, parameters=PARAMETERS)
    return {alarm.code for alarm in found}


@pytest.mark.parametrize("runs", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_runs_of_host_and_relatives_raise_nothing(
    made_part: LoadedBundle, tmp_path: Path, runs: int
) -> None:
    for seed in range(runs):
        reads = made.reads_of(made.HOST, 60, 1500, seed)
        reads += made.reads_of(made.HOST_PERV, 20, 1200, seed)
        reads += made.reads_of(made.RELATIVE, 10, 900, seed)
        assert alarms(made_part, tmp_path / "a.fastq", reads) == set(), seed
    assert alarms(made_part, tmp_path / "a.fastq", made.reads_of(made.CSFV, 9, 900, 1)) == {"CSFV"}


def test_reads_of_another_barcode_explain_what_they_can(
    made_part: LoadedBundle, tmp_path: Path
) -> None:
    """Two thousand reads in one barcode, and three in its neighbour's: crosstalk."""
    samples = tuple(Sample(name=f"pig {n}", barcode=f"barcode0{n}") for n in (1, 2))
    files, counts = [], []
    for number, reads in ((1, 2000), (2, 3)):
        path = tmp_path / f"{number}.fastq"
        mine = made.reads_of(made.CSFV, reads, 400, number)
        made.write_fastq(path, mine + made.reads_of(made.HOST, 200, 400, number))
        files.append(file_of(path, f"barcode0{number}"))
        counts.append(
            counts_of_file(
                files[-1], path, samples=samples, bundle=made_part, parameters=PARAMETERS
            )
        )
    found = suspected(counts, files, samples=samples, bundle=made_part, parameters=PARAMETERS)
    assert [(alarm.sample, alarm.code) for alarm in found] == [("pig 1", "CSFV")]


def test_as_many_reads_again_as_were_seen_are_reckoned_with() -> None:
    """Of each sample; of one without any, as many as the others have on average."""
    samples = tuple(Sample(name=f"pig {n}", barcode=f"barcode0{n}") for n in (1, 2))
    file = InputFile(path="fastq/a.fastq", kind=ReadKind.FASTQ, size=9, barcode="barcode01")
    unit = UnitCounts(places=(Place(file.path, 9, 1, 80, True, {"pig 1": 80}),))
    for goes_on, expected in ((True, {"pig 1": 80.0, "pig 2": 40.0}), (False, {})):
        unread = Unread([file], samples, goes_on=goes_on)
        unread.take(unit)
        found = {name: n for name, n in unread.to_come().unread.items() if n}
        assert found == expected


def test_a_stretch_of_the_host_that_resembles_a_member_is_the_hosts(tmp_path: Path) -> None:
    like = diverged(made.CSFV[500:11_500], 0.06, 5)
    host = random_sequence(60_000, 6) + like + random_sequence(60_000, 7)
    folder = tmp_path / "fasta"
    folder.mkdir()
    for name, sequence in (("csfv", made.CSFV), ("spike", made.SPIKE), ("host", host)):
        (folder / f"{name}.fa").write_text(f">{name}\n{sequence}\n")
    sheet = tmp_path / "sheet.tsv"
    lines = ["file\trole\ttarget", "csfv.fa\tpanel\tCSFV", "spike.fa\tspike\tspike"]
    sheet.write_text("\n".join([*lines, "host.fa\thost\thost", ""]))
    build_bundle(folder, tmp_path, "like", "1", sheet=sheet, synthetic=True)
    build_alert_part(tmp_path, load(tmp_path, "like@1"))
    part = load(tmp_path, "like-alert@1")
    reads = made.reads_of(like, 40, 900, 1) + made.reads_of(host[55_000:75_000], 60, 1500, 2)
    assert alarms(part, tmp_path / "a.fastq", reads) == set()
    assert alarms(part, tmp_path / "b.fastq", made.reads_of(made.CSFV, 9, 900, 1)) == {"CSFV"}
