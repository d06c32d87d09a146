"""The whole pack: make the genomes, screen every run, count, compare with the requirements.

PPA is counted over samples of the series that hold ten reads of the agent or more, NPA over all
members that are not in a sample. PERV-A and -B are in every host and count in neither.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from porewatch.domain.base import now
from porewatch.domain.calls.findings import Call
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker import __version__
from porewatch_worker.science.amounts.efficiency import FOUND_BY_MAPPING
from porewatch_worker.science.amounts.lod import CHANCE
from porewatch_worker.science.intervals import gamma_quantile
from porewatch_worker.validation.requirements import requirements
from porewatch_worker.validation.result import ClassResult, SetResult, Share, Validation
from porewatch_worker.validation.score import limit, series, share
from porewatch_worker.validation.screened import ScreenedSample, screen_made
from porewatch_worker.validation.sets import ABOUT, SERIES, SIZES, all_runs
from porewatch_worker.validation.worlds import CLASSES, World, make_world

SEED = 20261121
ENOUGH = 10
OnRun = Callable[[int, int, str], None]


def validate(size: str = "small", *, seed: int = SEED, on_run: OnRun | None = None) -> Validation:
    """Run the pack; `tell(done, total, what)` after every run. Raises KeyError for other sizes."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="porewatch-validate-") as folder:
        world = make_world(Path(folder), seed)
        runs = all_runs(world, SIZES[size], seed)
        seen: list[ScreenedSample] = []
        for number, run in enumerate(runs, 1):
            seen += screen_made(world, run)
            if on_run:
                on_run(number, len(runs), run.kind)
        return summed_up(world, seen, size, seed, time.monotonic() - began)


def summed_up(
    world: World, seen: Sequence[ScreenedSample], size: str, seed: int, seconds: float
) -> Validation:
    """Every number of the result, from what was seen."""
    diluted = [s for s in seen if s.run.kind == SERIES]
    stated = gamma_quantile(CHANCE, ScreeningParameters().detected_min_reads) / FOUND_BY_MAPPING
    points = series((round(s.tube.expected or 0, 3), _hit(s)) for s in diluted)
    sets = tuple(_set(world, kind, [s for s in seen if s.run.kind == kind]) for kind in ABOUT)
    positive = _found(s for s in diluted if s.tube.reads >= ENOUGH)
    at_limit = _found(s for s in diluted if (s.tube.expected or 0) >= stated)
    negative = _left_alone(seen, world.screened)
    return Validation(
        size=size,
        seed=seed,
        version=__version__,
        parameters_sha256=ScreeningParameters().digest(),
        finished_at=now(),
        seconds=round(seconds, 1),
        positive=positive,
        at_limit=at_limit,
        stated_limit_reads=stated,
        negative=negative,
        limit=limit(points, "expected reads"),
        series=points,
        classes=tuple(_class(name, diluted, seen) for name in dict.fromkeys(CLASSES.values())),
        sets=sets,
        requirements=requirements(positive, at_limit, negative, sets, stated),
    )


def _hit(seen: ScreenedSample) -> bool:
    return seen.calls.get(seen.tube.label) is Call.DETECTED


def _found(seen: Iterable[ScreenedSample]) -> Share | None:
    hits = [_hit(s) for s in seen]
    return share(sum(hits), len(hits))


def false_calls(seen: ScreenedSample, codes: Iterable[str]) -> list[str]:
    """Members that are detected and not in the sample (type C is in an A/C recombinant)."""
    there = seen.tube.truth | ({"PERV-C"} if seen.tube.alarm else set())
    return [c for c in codes if c not in there and seen.calls.get(c) is Call.DETECTED]


def _left_alone(seen: Sequence[ScreenedSample], codes: Sequence[str]) -> Share | None:
    trials = sum(c not in s.tube.truth for s in seen for c in codes)
    return share(trials - sum(len(false_calls(s, codes)) for s in seen), trials)


def _class(
    name: str, diluted: Sequence[ScreenedSample], judged: Sequence[ScreenedSample]
) -> ClassResult:
    agents = tuple(code for code, own in CLASSES.items() if own == name)
    mine = [s for s in diluted if s.tube.label in agents]
    points = series((s.tube.copies or 0.0, _hit(s)) for s in mine)
    return ClassResult(
        name=name,
        agents=agents,
        series=points,
        limit=limit(points, "genome copies in the library"),
        agreement=_found(s for s in mine if s.tube.reads >= ENOUGH),
        negative=_left_alone(judged, agents),
    )


def _set(world: World, kind: str, seen: Sequence[ScreenedSample]) -> SetResult:
    put_in = [(s, code) for s in seen for code in sorted(s.tube.truth)]
    hits = sum(s.calls.get(code) is Call.DETECTED for s, code in put_in)
    false = [f"{c} in {s.tube.label}" for s in seen for c in false_calls(s, world.screened)]
    with_cut = [s for s in seen if s.tube.alarm]
    return SetResult(
        name=kind,
        about=ABOUT[kind],
        runs=len({s.run.seed for s in seen}),
        samples=len(seen),
        positive=share(hits, len(put_in)),
        negative=_left_alone(seen, world.screened),
        false_calls=tuple(false),
        right_alarms=share(sum(s.recombinant for s in with_cut), len(with_cut)),
        false_alarms=sum(s.recombinant and not s.tube.alarm for s in seen),
    )
