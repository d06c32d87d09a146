"""The stage's work: every read is accounted for, and nothing depends on how it was cut up."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.errors import InputRefused, NoReadsLeft
from porewatch.domain.runs import Sample
from porewatch.domain.stage.spec import Phase
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.count.units import unit_from_bytes
from validation import made_reads as made
from validation.screens import random_sequence, screen, screening
from validation.shared_data import real


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    return made.made_bundle(tmp_path_factory.mktemp("made"))


def mixture(seed: int = 1) -> list[str]:
    """Reads of everything: host, panel, spike, decoy, nothing, too short, low complexity."""
    reads = made.reads_of(made.HOST, 60, 1500, seed) + made.reads_of(made.CSFV, 20, 900, seed)
    reads += made.reads_of(made.SPIKE, 20, 1000, seed) + made.reads_of(made.RELATIVE, 10, 700, seed)
    reads += made.reads_of(made.PERV_A, 20, 1000, seed)
    reads += ["A" * 500, "ACGT" * 10, "A", ""]
    reads += [random_sequence(800, seed + i) for i in range(10)]
    random.Random(seed).shuffle(reads)
    return reads


def only(result: ScreenResult) -> dict[str, object]:
    return result.model_dump(mode="json")


def test_every_read_has_one_place(bundle: LoadedBundle, tmp_path: Path) -> None:
    reads = mixture()
    result = screen(screening(bundle, made.write_fastq(tmp_path / "a.fastq", reads)), tmp_path)
    account = result.samples[0].account
    assert account.balanced
    assert account.total == len(reads)
    assert account.filtered == {"too_short": 3, "low_complexity": 1}
    assert account.host >= 60
    assert account.spike >= 19
    assert account.unassigned >= 10
    assert {t.target for t in result.samples[0].targets} >= {"CSFV", "PERV-A", "spike"}


def test_threads_and_unit_size_change_nothing(bundle: LoadedBundle, tmp_path: Path) -> None:
    path = made.write_fastq(tmp_path / "a.fastq.gz", mixture())
    reference = only(screen(screening(bundle, path, threads=1), tmp_path))
    for threads, unit in ((2, 4000), (1, 1), (2, 37), (3, 144), (2, 143)):
        work = screening(bundle, path, threads=threads, unit_reads=unit)
        assert only(screen(work, tmp_path)) == reference, (threads, unit)


def test_units_are_pure_and_finished_ones_are_passed_over(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    paths = [
        made.write_fastq(tmp_path / name, mixture(seed))
        for seed, name in enumerate(["a.fastq", "b.fastq.gz"])
    ]
    work = screening(bundle, *paths, unit_reads=50)
    all_units = {n: work.process(u).content for n, u in work.units(frozenset())}
    assert sorted(all_units) == list(range(1, 7))
    again = dict(screening(bundle, *paths, unit_reads=50).units(frozenset({1, 2, 5})))
    assert sorted(again) == [3, 4, 6]
    for number, unit in again.items():
        assert work.process(unit).content == all_units[number]


def test_unit_numbers_have_no_gap_where_a_file_ends_with_its_unit(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    reads = made.reads_of(made.CSFV, 6, 900, 1)
    paths = [made.write_fastq(tmp_path / f"{name}.fastq", reads) for name in "ab"]
    work = screening(bundle, *paths, unit_reads=3)
    for done in (frozenset[int](), frozenset({1, 2})):
        numbers = [n for n, _ in work.units(done)]
        assert numbers == [n for n in (1, 2, 3, 4) if n not in done]


def test_units_can_be_added_in_any_order(bundle: LoadedBundle, tmp_path: Path) -> None:
    path = made.write_fastq(tmp_path / "a.fastq", mixture())
    work = screening(bundle, path, unit_reads=20)
    contents = [work.process(u).content for _, u in work.units(frozenset())]
    results = []
    for order in (contents, contents[::-1]):
        outputs = work.finish(iter(order), tmp_path).outputs
        results.append(outputs["screen.json"].read_bytes())
    assert results[0] == results[1]


def test_a_unit_survives_being_written_and_read(bundle: LoadedBundle, tmp_path: Path) -> None:
    path = made.write_fastq(tmp_path / "a.fastq", mixture(), header=" start_time=2024-01-01T10:00Z")
    work = screening(bundle, path)
    content = next(work.process(u).content for _, u in work.units(frozenset()))
    assert unit_from_bytes(content).to_bytes() == content


def test_another_parameter_bundle_or_file_gives_another_fingerprint(
    bundle: LoadedBundle, real_bundle: LoadedBundle, tmp_path: Path
) -> None:
    path = made.write_fastq(tmp_path / "a.fastq", mixture())
    other = made.write_fastq(tmp_path / "b.fastq", mixture(2))
    prints = [
        screening(bundle, path).fingerprint(),
        screening(bundle, path, min_block=120).fingerprint(),
        screening(bundle, other).fingerprint(),
        screening(real_bundle, path).fingerprint(),
        screening(bundle, path, samples=(Sample(name="two"),)).fingerprint(),
    ]
    assert len(set(prints)) == len(prints)
    assert screening(bundle, path, threads=7).fingerprint() == prints[0]


def test_reads_go_to_the_sample_of_their_barcode_and_unlisted_ones_are_counted(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    samples = (Sample(name="a", barcode="barcode01"), Sample(name="b", barcode="barcode02"))
    reads = made.reads_of(made.CSFV, 10, 900, 1)
    files = [
        made.write_fastq(tmp_path / "1.fastq", reads, header=" barcode=barcode01"),
        made.write_fastq(tmp_path / "2.fastq", reads[:4], header=" barcode=barcode09"),
        made.write_fastq(tmp_path / "3.fastq", reads[:3]),
        made.write_fastq(tmp_path / "4.fastq", reads[:5], header=" barcode=barcode01"),
    ]
    work = screening(bundle, *files, samples=samples, barcodes=(None, None, None, "barcode02"))
    result = screen(work, tmp_path)
    totals = {s.sample: s.account.total for s in result.samples}
    assert totals == {"a": 10, "b": 5}  # the manifest's barcode of a file wins over headers
    assert result.unlisted_barcodes == {"barcode09": 4, "none": 3}


def test_no_read_passing_is_refused_with_where_they_went(
    bundle: LoadedBundle, tmp_path: Path
) -> None:
    reads = [*made.reads_of(made.CSFV, 5, 900, 1), "ACGT"]
    path = made.write_fastq(tmp_path / "a.fastq", reads, quality="#")
    with pytest.raises(NoReadsLeft, match=r"5 low quality, 1 too short") as caught:
        screen(screening(bundle, path), tmp_path)
    assert "least mean quality of 7" in str(caught.value.remedy)
    named = (Sample(name="a", barcode="barcode01"),)
    with pytest.raises(NoReadsLeft, match="6 with a barcode that no sample claims"):
        screen(screening(bundle, path, samples=named), tmp_path)


def test_each_phase_has_its_own_counts(bundle: LoadedBundle, tmp_path: Path) -> None:
    reads = mixture()
    work = screening(bundle, made.write_fastq(tmp_path / "a.fastq", reads))
    contents = [work.process(u).content for _, u in work.units(frozenset())]
    quality, host, detection = work.finish(iter(contents), tmp_path).phases
    assert [quality.phase, host.phase, detection.phase] == [
        Phase.QUALITY_CONTROL, Phase.HOST_REMOVAL, Phase.PATHOGEN_DETECTION,
    ]  # fmt: skip
    assert quality.counts["reads"] == len(reads)
    assert host.counts["reads"] == quality.counts["passed_reads"] == len(reads) - 4
    assert detection.counts["reads"] == host.counts["kept_reads"]
    kinds = ("panel_reads", "spike_reads", "decoy_reads", "unassigned_reads")
    assert sum(detection.counts[k] for k in kinds) == detection.counts["reads"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"@r1\nACGT\n+\nIIII\n@r2\nACGT\n+\nIII\n", "record 2 line 8"),
        (b">r1\nACGT\n", "FASTA"),
        (b"", "holds no reads"),
        (b"@r1\nACGT\n+\nIIII\n@r2\nAC", "record 2 line 6"),
    ],
)
def test_a_broken_file_is_refused_by_record_and_line(
    bundle: LoadedBundle, tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "bad.fastq"
    path.write_bytes(content)
    if content:
        with pytest.raises(InputRefused, match=expected) as caught:
            screen(screening(bundle, path), tmp_path)
        assert caught.value.file == "fastq/bad.fastq"
    else:
        with pytest.raises(NoReadsLeft, match="there were none"):
            screen(screening(bundle, path), tmp_path)


def test_a_cut_gzip_and_a_cut_bam_are_refused(bundle: LoadedBundle, tmp_path: Path) -> None:
    gz = made.write_fastq(tmp_path / "a.fastq.gz", mixture())
    gz.write_bytes(gz.read_bytes()[:-20])
    with pytest.raises(InputRefused, match="cut short"):
        screen(screening(bundle, gz), tmp_path)
    bam = tmp_path / "a.bam"
    bam.write_bytes(real("reads/ecoli400.bam").read_bytes()[:900_000])
    with pytest.raises(InputRefused, match="ends early"):
        screen(screening(bundle, bam), tmp_path)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_accounts_balance_for_any_mixture(
    bundle: LoadedBundle, tmp_path: Path, data: st.DataObject
) -> None:
    pool = mixture()
    picked = data.draw(st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=60))
    quality = data.draw(st.sampled_from("#+5I"))
    unit = data.draw(st.integers(1, 70))
    barcode = data.draw(st.sampled_from(["", " barcode=barcode01", " barcode=barcode05"]))
    path = made.write_fastq(tmp_path / "a.fastq", [pool[i] for i in picked], quality, barcode)
    samples = (Sample(name="a", barcode="barcode01"), Sample(name="b", barcode="barcode02"))
    work = screening(bundle, path, samples=samples, unit_reads=unit)
    try:
        result = screen(work, tmp_path)
    except NoReadsLeft:
        return
    assert all(s.account.balanced for s in result.samples)
    listed = sum(s.account.total for s in result.samples)
    assert listed + sum(result.unlisted_barcodes.values()) == len(picked)


MEASURE = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from porewatch_worker.references.load import load
from validation.screens import screen, screening
work = screening(load(Path({references!r}), "made@1"), Path(sys.argv[1]), unit_reads=100)
screen(work, Path({scratch!r}))
status = Path("/proc/self/status").read_text()  # ru_maxrss would include the parent, too
print(status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_stays_flat_for_ten_times_the_input(bundle: LoadedBundle, tmp_path: Path) -> None:
    code = MEASURE.format(
        root=str(Path(__file__).parents[3]),
        references=str(bundle.folder.parents[1]),
        scratch=str(tmp_path),
    )
    peaks = []
    reads = mixture() * 4
    for times in (1, 10):
        path = made.write_fastq(tmp_path / f"{times}.fastq.gz", reads * times)
        run = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        peaks.append(int(run.stdout))
    assert peaks[1] < peaks[0] * 1.1, peaks
