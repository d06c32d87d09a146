"""Simulated reads have the error model they claim, measured by mapping them back."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import dnaio
import mappy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from porewatch.domain.calls.references import ContigRole
from porewatch.reads.check import check_file
from porewatch.reads.headers import parse_header
from porewatch_worker.simulate.edits import random_codes, to_bytes
from porewatch_worker.simulate.errors import R9, R10, ErrorModel, add_errors
from porewatch_worker.simulate.genomes import Genome
from porewatch_worker.simulate.headers import RunIdentity
from porewatch_worker.simulate.plan import RunPlan, Source
from porewatch_worker.simulate.reads import simulate_run

STARTED = datetime(2026, 11, 1, 8, tzinfo=UTC)
IDENTITY = RunIdentity(
    "ab" * 20, "SYN1", "SYNTHETIC", "dna_r10.4.1_e8.2_400bps_hac@v5.0.0", STARTED
)


def genome(name: str, length: int, seed: int, *, circular: bool = False) -> Genome:
    codes = random_codes(length, np.random.default_rng(seed))
    return Genome(name, codes, ContigRole.PANEL, name, "SYNTHETIC", circular)


LONG = genome("long", 200_000, 1)
CIRCLE = genome("circle", 2_000, 2, circular=True)


def plan(**changes: object) -> RunPlan:
    usual = {
        "identity": IDENTITY,
        "sources": (Source("s", "barcode01", (LONG,), 1500),),
        "seed": 11,
        "mean_length": 2000.0,
        "sd_length": 1700.0,
    }
    return RunPlan(**(usual | changes))  # type: ignore[arg-type]


def truth(path: Path) -> dict[str, dict[str, str]]:
    with path.open() as handle:
        return {row["read_id"]: row for row in csv.DictReader(handle, delimiter="\t")}


@lru_cache
def measured(model: ErrorModel, folder: Path) -> dict[str, float]:
    """Identity, error shares, deletions in runs, claimed and real error, by mapping back."""
    run = simulate_run(plan(model=model), folder / "run", folder / "truth.tsv")
    aligner = mappy.Aligner(seq=to_bytes(LONG.codes).decode(), preset="map-ont", k=13, w=5)
    identities, claimed, errors = [], [], Counter[str]()
    mapped = 0
    for read in dnaio.open(next(run.folder.rglob("*.fastq.gz"))):
        hit = next(aligner.map(read.sequence, cs=True), None)
        if hit is None or hit.q_en - hit.q_st < 0.9 * len(read.sequence):
            continue
        mapped += 1
        identities.append(hit.mlen / hit.blen)
        scores = np.frombuffer(read.qualities.encode(), np.uint8) - 33.0
        claimed.append(float(np.mean(10 ** (-scores / 10))))
        count(hit, errors)
    all_errors = errors["sub"] + errors["ins"] + errors["del"]
    return {
        "mapped": mapped / run.reads,
        "identity": float(np.mean(identities)),
        "sd": float(np.std(identities)),
        "claimed": float(np.mean(claimed)),
        "in_runs": errors["in_run"] / errors["del"],
        **{kind: errors[kind] / all_errors for kind in ("sub", "ins", "del")},
    }


def count(hit: mappy.Alignment, errors: Counter[str]) -> None:
    place = hit.r_st
    for sign, value in re.findall(r"([:*+-])(\d+|[a-z]+)", hit.cs):
        if sign == ":":
            place += int(value)
        elif sign == "*":
            errors["sub"] += 1
            place += 1
        elif sign == "+":
            errors["ins"] += len(value)
        else:
            for base in range(place, place + len(value)):
                errors["del"] += 1
                around = LONG.codes[max(0, base - 1) : base + 2]
                errors["in_run"] += int(np.count_nonzero(around == LONG.codes[base]) > 1)
            place += len(value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulated")


MEASURED_ON_REAL_READS = {
    "r10.4.1": {"identity": 0.975, "sd": 0.020, "sub": 0.45, "ins": 0.20, "del": 0.35},
    "r9.4.1": {"identity": 0.905, "sd": 0.040, "sub": 0.35, "ins": 0.25, "del": 0.40},
}
TOLERANCE = {"identity": 0.004, "sd": 0.004, "sub": 0.03, "ins": 0.03, "del": 0.03}


@pytest.mark.parametrize("model", [R10, R9], ids=lambda model: model.name)
def test_aligned_reads_show_the_errors_of_real_ones(model: ErrorModel, folder: Path) -> None:
    found = measured(model, folder / model.name)
    assert found["mapped"] > 0.97
    for name, figure in MEASURED_ON_REAL_READS[model.name].items():
        assert found[name] == pytest.approx(figure, abs=TOLERANCE[name]), name
    assert found["in_runs"] == pytest.approx(model.in_homopolymers, abs=0.04)


@pytest.mark.parametrize("model", [R10, R9], ids=lambda model: model.name)
def test_qualities_are_honest_within_one_phred(model: ErrorModel, folder: Path) -> None:
    found = measured(model, folder / model.name)
    real, claimed = -10 * np.log10(1 - found["identity"]), -10 * np.log10(found["claimed"])
    assert claimed == pytest.approx(real, abs=1.0)


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=12),
    st.floats(0.7, 0.9999),
    st.integers(0, 99),
)
def test_every_fragment_keeps_its_own_bases(lengths: list[int], identity: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = random_codes(sum(lengths), rng)
    sizes = np.array(lengths)
    out, after = add_errors(codes, sizes, np.full(len(lengths), identity), R10, rng)
    assert len(after) == len(lengths)
    assert after.sum() == len(out)
    assert (after <= 2 * sizes).all()
    assert out.max(initial=0) <= 3


def test_lengths_follow_the_gamma_distribution(tmp_path: Path) -> None:
    run = simulate_run(plan(), tmp_path / "run", tmp_path / "truth.tsv")
    lengths = [int(row["end"]) - int(row["start"]) for row in truth(run.truth).values()]
    assert np.mean(lengths) == pytest.approx(2000, rel=0.08)
    assert np.std(lengths) == pytest.approx(1700, rel=0.12)
    assert min(lengths) >= 200


def test_the_same_plan_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    content = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run = simulate_run(plan(seed=seed, chimeras=0.1), tmp_path / name, tmp_path / f"{name}.tsv")
        content.append((tmp_path / name / next(iter(run.files))).read_bytes())
    assert content[0] == content[1] != content[2]


def test_reads_go_over_the_origin_of_a_circle_and_lie_on_both_strands(tmp_path: Path) -> None:
    run = simulate_run(
        plan(sources=(Source("s", "barcode01", (CIRCLE,), 300),)),
        tmp_path / "r",
        tmp_path / "t.tsv",
    )
    rows = truth(run.truth).values()
    assert sum(int(row["end"]) > 2000 for row in rows) > 50
    assert max(int(row["end"]) - int(row["start"]) for row in rows) <= 2000
    assert 100 < sum(row["strand"] == "+" for row in rows) < 200
    doubled = mappy.Aligner(seq=2 * to_bytes(CIRCLE.codes).decode(), preset="map-ont")
    facts = truth(run.truth)
    for read in dnaio.open(next(run.folder.rglob("*.gz"))):
        row = facts[read.id]
        drawn = int(row["end"]) - int(row["start"])
        assert len(read.sequence) == pytest.approx(drawn, rel=0.12)
        hit = max(doubled.map(read.sequence), key=lambda h: h.mlen, default=None)
        if hit is not None and hit.blen > 0.8 * len(read.sequence):
            assert hit.strand == (1 if row["strand"] == "+" else -1)
            assert (hit.r_st - int(row["start"])) % 2000 in {*range(30), *range(1970, 2000)}


@pytest.mark.parametrize("dialect", ["minknow", "dorado"])
def test_headers_have_in_both_dialects_what_the_product_reads(tmp_path: Path, dialect: str) -> None:
    sources = (Source("a", "barcode03", (LONG,), 60), Source("b", "barcode07", (LONG,), 60))
    run = simulate_run(
        plan(sources=sources, dialect=dialect, hours=10), tmp_path / "run", tmp_path / "truth.tsv"
    )
    facts = truth(run.truth)
    for name in run.files:
        starts = []
        for read in dnaio.open(tmp_path / "run" / name):
            header = parse_header(read.name)
            assert header.barcode == facts[header.id]["barcode"] == name.split("/")[1]
            assert header.acquisition_id == "ab" * 20
            assert header.basecall_model == IDENTITY.model
            assert header.channel is not None and 1 <= header.channel <= 512
            assert header.start_time is not None
            starts.append((header.start_time - STARTED).total_seconds())
        assert starts == sorted(starts)
        assert starts[0] >= 0 and 5 * 3600 < starts[-1] <= 10 * 3600


def test_files_roll_over_and_pass_our_own_check(tmp_path: Path) -> None:
    run = simulate_run(plan(reads_per_file=400), tmp_path / "run", tmp_path / "truth.tsv")
    assert list(run.files.values()) == [400, 400, 400, 300]
    seen = [check_file(tmp_path / "run" / name) for name in run.files]
    assert sum(summary.reads for summary in seen) == run.reads == len(truth(run.truth))
    assert sum(summary.bases for summary in seen) == run.bases


def test_strays_chimeras_and_adapters_stand_in_the_truth(tmp_path: Path) -> None:
    sources = (Source("a", "barcode01", (LONG,), 1000), Source("b", "barcode02", (CIRCLE,), 1000))
    adapter = to_bytes(random_codes(40, np.random.default_rng(8)))
    run = simulate_run(
        plan(
            sources=sources, crosstalk=0.1, unclassified=0.05, chimeras=0.08, front_adapter=adapter
        ),
        tmp_path / "run",
        tmp_path / "truth.tsv",
    )
    rows = truth(run.truth)
    own = {"a": "barcode01", "b": "barcode02"}
    filed = Counter(
        "none" if row["barcode"] == "unclassified"
        else "own" if row["barcode"] == own[row["sample"]] else "stray"
        for row in rows.values()
    )  # fmt: skip
    assert filed["none"] == pytest.approx(100, abs=35)
    assert filed["stray"] == pytest.approx(95, abs=35)
    assert sum(row["chimera_with"] != "" for row in rows.values()) == pytest.approx(160, abs=40)
    found = mappy.Aligner(
        seq=adapter.decode(), k=7, w=1, min_cnt=2, min_chain_score=15, min_dp_score=20
    )
    reads = [r.sequence[:60] for name in run.files for r in dnaio.open(tmp_path / "run" / name)]
    assert sum(next(found.map(front), None) is not None for front in reads) > 0.8 * len(reads)
