"""Yardsticks: positive and negative agreement, limit of detection, linearity, interval coverage.

Run with `-s` to see the table.
"""

from __future__ import annotations

import pytest

from porewatch.domain.calls.findings import Call
from porewatch_worker.simulate.errors import R9, R10
from validation.pack import (
    AGENTS,
    RELATIVES,
    SPIKE_COPIES,
    Score,
    World,
    determination,
    false_calls,
    make_world,
    positives,
    run_pack,
)

LEVELS = (1, 3, 6, 12, 40)
SCREENED = 18  # members of the made bundle


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("pack"))


@pytest.mark.parametrize(
    "model", [R10, pytest.param(R9, marks=pytest.mark.slow)], ids=["R10", "R9"]
)
def test_positive_agreement_rises_with_reads_and_is_complete_from_twelve(
    world: World, model: object
) -> None:
    shares = []
    for level in LEVELS:
        found = positives(world, level, model, seed=100 + level)  # type: ignore[arg-type]
        hits = sum(f[agent].call is Call.DETECTED for agent, f in found)
        score = Score(hits, len(AGENTS))
        print(f"\nPPA {getattr(model, 'name', '')} {level:3} reads: {score}", end="")
        assert not [c for agent, f in found for c in false_calls(f, frozenset({agent}))]
        shares.append(score.share)
        seen = sum(f[agent].call is not Call.NOT_DETECTED for agent, f in found)
        assert seen / len(AGENTS) >= (0.6 if level == 1 else 0.9)
    assert shares[0] == 0.0  # one read is a suspicion, never a detection
    assert shares[-2] >= 0.9
    assert shares[-1] == 1.0


def test_negative_agreement_on_host_and_near_relatives(world: World) -> None:
    labels = [f"SYNTHETIC-{name}-LIKE" for name in RELATIVES]
    contents = [{}, {}, {}, *({label: 150} for label in labels), {label: 40 for label in labels}]
    found = run_pack(world, contents, model=R10, seed=7)
    false = [c for f in found for c in false_calls(f)]
    trials = len(contents) * SCREENED
    print(f"\nNPA host and relatives: {Score(trials - len(false), trials)}", end="")
    assert not false


@pytest.mark.parametrize("share", [pytest.param(0.00056, marks=pytest.mark.slow), 0.005])
def test_crosstalk_from_a_heavy_sample_gives_no_detection(world: World, share: float) -> None:
    contents: list[dict[str, int]] = [{"PPV": 4000}, {}, {}, {}, {}, {}]
    found = run_pack(world, contents, model=R10, seed=8, crosstalk=share)
    assert found[0]["PPV"].call is Call.DETECTED
    crossed = [f["PPV"] for f in found[1:]]
    assert not [c for f in found[1:] for c in false_calls(f)]
    touched = sum(f.evidence is not None and f.evidence.reads > 0 for f in crossed)
    print(f"\ncrosstalk {share:.3%}: reads in {touched} of 5 samples, no detection", end="")
    assert touched or share < 0.001


@pytest.mark.slow  # coverage of single samples: test_amounts.py
def test_copies_are_linear_over_the_levels_and_intervals_cover_them(world: World) -> None:
    true, seen, covered, trials = [], [], 0, 0
    lengths = {a: sum(len(g) for g in world.genomes.of(a)[-1:]) for a in AGENTS}
    for level in (12, 60, 300):
        for agent, found in positives(world, level, R10, seed=300 + level):
            quantity = next(iter(found[agent].quantities), None)
            if quantity is None or quantity.value is None or agent == "SIV":
                continue  # SIV's reads are spread over eight segments: no one length
            spike_bases, bases = 40 * min(1500, 6000), level * min(1500, lengths[agent])
            expected = SPIKE_COPIES * (bases / lengths[agent]) / (spike_bases / 6000)
            assert quantity.low is not None and quantity.high is not None
            true.append(expected)
            seen.append(quantity.value)
            trials += 1
            covered += quantity.low <= expected <= quantity.high
    score = determination(true, seen)
    print(
        f"\nR2 {score:.3f} over {len(true)}; interval covers truth {Score(covered, trials)}", end=""
    )
    assert score >= 0.9


def test_perv_c_is_told_from_the_copies_of_a_and_b_in_the_host(world: World) -> None:
    found = run_pack(world, [{"PERV-C": 60}, {}], model=R10, seed=9)
    assert found[0]["PERV-C"].call is Call.DETECTED
    evidence = found[0]["PERV-C"].evidence
    assert evidence is not None
    assert evidence.reads >= 45
    assert found[1]["PERV-C"].call is Call.NOT_DETECTED
    assert found[0]["PERV-C"].name.startswith("SYNTHETIC")


def test_lod95_of_the_report_holds_in_made_runs(world: World) -> None:
    nothing = run_pack(world, [{}], model=R10, seed=10)[0]
    limit = nothing["CSFV"].lod95
    assert limit is not None and limit.value is not None
    assert limit.unit == "copies/mL"
    # at the limit, a run holds this many reads of CSFV (12.3 kb), by the spike's own yield
    spike_genomes = SPIKE_COPIES / (40 * 1500 / 6000)
    reads = round(limit.value / spike_genomes * 12_300 / 1500)
    assert 5 <= reads <= 11
    found = run_pack(world, [{"CSFV": reads}] * 20, model=R10, seed=11)
    hits = sum(f["CSFV"].call is Call.DETECTED for f in found)
    print(f"\ndetected at LOD95 ({reads} reads): {Score(hits, 20)}", end="")
    assert hits >= 17
