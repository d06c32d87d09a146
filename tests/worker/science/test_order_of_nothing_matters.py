"""Findings never depend on the order of reads or files, threads, chunks, workers or interruptions.

The whole of `screen.json` and of `quantification.json` is compared, of four samples' worth of roles
in one run, for arrangements that hypothesis draws: reads shuffled over files, files in any order,
units of any size done in any order by several workers that each see a part, some of it twice.
"""

from __future__ import annotations

import functools
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Quantification
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.phases import screening as screening_phase
from porewatch_worker.phases.quantification import quantify
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.count.units import UnitCounts
from validation import made_reads as made
from validation.screens import random_sequence, screening

SAMPLES = (
    Sample(name="pig", barcode="barcode01", spike_copies=1e4, volume_ml=1),
    Sample(name="empty", barcode="barcode02", role=SampleRole.NO_TEMPLATE_CONTROL),
)
Record = tuple[str, str, str]
"""Name and header, sequence, quality."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    return made.made_bundle(tmp_path_factory.mktemp("made"))


@functools.cache
def records() -> tuple[Record, ...]:
    """Reads of every fate, with qualities, times and barcodes in their headers."""
    dice, lists = random.Random(9), []
    lists += made.reads_of(made.HOST, 25, 1300, 1) + made.reads_of(made.CSFV, 12, 900, 2)
    lists += made.reads_of(made.SPIKE, 8, 900, 3) + made.reads_of(made.PERV_A, 10, 1000, 4)
    lists += [*made.reads_of(random_sequence(2500, 5), 30, 800, 6, 0.02), "A" * 400, "ACGT", ""]
    lists += [made.CSFV[:800] + "TACTTCGTTCAGTTACGTATTGCT" + made.HOST[500:1200]]
    found = []
    for i, read in enumerate(lists):
        barcode = f"barcode{1 + (i % 5 == 0):02d}"
        header = f"r{i} start_time=2026-01-01T0{i % 9}:00:00Z barcode={barcode}"
        found.append((header, read, chr(33 + dice.randrange(8, 30)) * len(read)))
    return tuple(found)


def answer(
    bundle: LoadedBundle, folder: Path, dice: random.Random, files: int, **given: int
) -> tuple[ScreenResult, Quantification]:
    """The run's answer, its reads shuffled over files, by workers that come and go."""
    reads = list(records())
    dice.shuffle(reads)
    paths = []
    for number in range(files):
        path = folder / f"{dice.randrange(1000)}-{number}.fastq"
        path.write_text("".join(f"@{h}\n{s}\n+\n{q}\n" for h, s, q in reads[number::files]))
        paths.append(path)
    make = functools.partial(screening, bundle, *paths, samples=SAMPLES, **given)  # type: ignore[arg-type]
    done: dict[int, bytes] = {}
    for _ in range(3):  # a worker dies after some units, and what it had not saved is done again
        units = list(make().units(frozenset(done)))
        dice.shuffle(units)
        for number, unit in units[: dice.randrange(len(units) + 1)]:
            done[number] = make().process(unit).content
    done |= {number: make().process(unit).content for number, unit in make().units(frozenset(done))}
    contents = list(done.values())
    dice.shuffle(contents)
    path = make().finish(iter(contents), folder).outputs["screen.json"]
    result = ScreenResult.model_validate_json(path.read_bytes())
    findings = quantify(result, SAMPLES, bundle.panel, bundle.manifest, ScreeningParameters())
    return result, findings


@pytest.fixture(scope="module")
def reference(
    bundle: LoadedBundle, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ScreenResult, Quantification]:
    return answer(bundle, tmp_path_factory.mktemp("once"), random.Random(0), 1, threads=1)


@settings(
    max_examples=12,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 1 << 30),
    files=st.integers(1, 5),
    threads=st.integers(1, 3),
    unit_reads=st.integers(3, 90),
)
def test_findings_depend_on_no_order_and_no_way_of_cutting_the_work(
    bundle: LoadedBundle,
    reference: tuple[ScreenResult, Quantification],
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    files: int,
    threads: int,
    unit_reads: int,
) -> None:
    folder, dice = tmp_path_factory.mktemp("run"), random.Random(seed)
    found = answer(bundle, folder, dice, files, threads=threads, unit_reads=unit_reads)
    assert found == reference


def test_the_property_is_not_empty(reference: tuple[ScreenResult, Quantification]) -> None:
    result, findings = reference
    pig = result.samples[0]
    assert pig.account.balanced
    assert pig.account.split == 1
    assert {t.target for t in pig.targets} >= {"CSFV", "PERV-A", "spike"}
    assert pig.unknowns is not None
    assert pig.unknowns.recurring_words > 0
    assert {f.call.value for f in findings.findings} >= {"detected", "not_detected"}


def test_a_planted_dependence_on_order_is_found(
    bundle: LoadedBundle,
    reference: tuple[ScreenResult, Quantification],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The guard, seen to fail: a unit that forgets all but two starts of each target."""
    honest = UnitCounts.to_bytes

    def forgetful(self: UnitCounts) -> bytes:
        for sample in self.samples.values():
            for target in sample.targets.values():
                for starts in target.starts.values():
                    del starts[2:]
        return honest(self)

    monkeypatch.setattr(screening_phase.UnitCounts, "to_bytes", forgetful)
    found = answer(bundle, tmp_path, random.Random(1), 2, unit_reads=90)
    assert found != reference
