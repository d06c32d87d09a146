"""Real kills: `python -m porewatch_local.kills --kills 30 --notices 30`.

The demo's reads are screened again and again on the embedded AWS. Each run loses its machine once,
at a moment drawn at random (by a seed) from all the time that machines work on such a run: the
worker gets SIGKILL, or the notice of a spot interruption, or (`--freezes`) SIGSTOP, so that its
machine is there and silent. Every run must end with the findings of an undisturbed one, and no more
than one unit of its work may be computed twice.

Order: the ground (reads in many files, as a sequencer writes them), an undisturbed run, the draw of
moments, the trials (some at once), the table. Exit code 1 when something does not hold.
"""

from __future__ import annotations

import argparse
import gzip
import random
import shutil
import sys
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from porewatch_cli.stack import find_stack
from porewatch_local.embedded.session import session
from porewatch_local.fault_trials.baseline import (
    Ground,
    Undisturbed,
    undisturbed,
)
from porewatch_local.fault_trials.report import (
    Proof,
    table,
)
from porewatch_local.fault_trials.trial import (
    Moment,
    Outcome,
    Strike,
    Trial,
)
from porewatch_local.paths import (
    Home,
    LocalProblem,
)
from porewatch_worker.simulate.demo import make_demo

SEED = 20261121
SCALE = 0.35
READS_PER_FILE = 320
TRIES = 4
"""How often a strike that missed is made again, in all, per strike that is wanted."""
WATCH_S = "1"
"""Seconds between a worker's looks at its metadata: 5 on AWS, where a run lasts for hours."""


def split_run(run: Path, into: Path, reads_per_file: int = READS_PER_FILE) -> Path:
    """The same reads in files of so many, with the sample sheet; what is there is kept."""
    if into.exists():
        return into
    draft = into.with_name(f"{into.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    for path in sorted(run.rglob("*.fastq.gz")):
        folder = draft / path.relative_to(run).parent
        folder.mkdir(parents=True)
        lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
        size = 4 * reads_per_file
        for number, start in enumerate(range(0, len(lines), size)):
            piece = gzip.compress(b"".join(lines[start : start + size]), 1, mtime=0)
            (folder / f"{path.name.split('.')[0]}_{number:03d}.fastq.gz").write_bytes(piece)
    shutil.copy(run / "sample_sheet.csv", draft)
    draft.rename(into)
    return into


def draw(calm: Undisturbed, random_: random.Random) -> Moment:
    """A moment of machine time, each as likely as any other."""
    at = random_.random() * sum(_life(calm, m.stage) for m in calm.stages)
    for manifest in calm.stages:
        life = _life(calm, manifest.stage)
        if at < life:
            return _moment(calm, manifest.stage, at)
        at -= life
    raise AssertionError("a moment beyond the end")


def _life(calm: Undisturbed, stage: str) -> float:
    """Seconds from the launch of a stage's machine to its result."""
    return calm.boot_s.get(stage, 0.0) + _work_s(calm, stage)


def _work_s(calm: Undisturbed, stage: str) -> float:
    (manifest,) = (m for m in calm.stages if m.stage == stage)
    return (manifest.finished_at - manifest.started_at).total_seconds()


def _moment(calm: Undisturbed, stage: str, at: float) -> Moment:
    boot = calm.boot_s.get(stage, 0.0)
    if at < boot:
        return Moment(stage=stage, units=None, after_s=at)
    (manifest,) = (m for m in calm.stages if m.stage == stage)
    unit_s = _work_s(calm, stage) / max(1, manifest.units)
    units = int((at - boot) / unit_s)
    return Moment(stage=stage, units=units, after_s=(at - boot) - units * unit_s)


def prove(
    ground: Ground, wanted: Sequence[Strike], *, seed: int = SEED, together: int = 4, tag: str = ""
) -> Proof:
    """Play until these strikes have landed, each in a run of its own."""
    tag = tag or uuid.uuid4().hex[:6]
    calm = undisturbed(ground, f"calm-{tag}")
    random_ = random.Random(seed)  # noqa: S311 - moments, not secrets
    wanted = list(wanted)
    random_.shuffle(wanted)
    landed: list[Outcome] = []
    missed = 0
    for attempt in range(TRIES):
        trials = [
            Trial(ground, f"{strike}-{tag}-{attempt}-{number}", strike, draw(calm, random_))
            for number, strike in enumerate(wanted)
        ]
        played = _play(trials, calm, together)
        landed += [o for o in played if o.landed]
        again = [o for o in played if not o.landed]
        missed += len(again)
        wanted = [o.strike for o in again]
        if not wanted:
            break
    units = sum(m.units for m in calm.stages)
    return Proof(outcomes=tuple(landed), missed=missed, units=units)


def strikes_of(kills: int, notices: int, freezes: int = 0) -> list[Strike]:
    kinds: tuple[tuple[Strike, int], ...] = (
        ("kill", kills),
        ("notice", notices),
        ("freeze", freezes),
    )
    return [strike for strike, many in kinds for _ in range(many)]


def _play(trials: Sequence[Trial], calm: Undisturbed, together: int) -> list[Outcome]:
    with ThreadPoolExecutor(together) as pool:
        return list(pool.map(lambda trial: _played(trial, calm), trials))


def _played(trial: Trial, calm: Undisturbed) -> Outcome:
    outcome = trial.play(calm.lasting)
    result = "landed" if outcome.landed else "came too late"
    print(f"{outcome.run_id}: {result}, {outcome.state.value}", file=sys.stderr, flush=True)
    return outcome


def ground_of(home: Home) -> Ground:
    """The running embedded AWS of a home, and the reads. Raises LocalProblem when it is down."""
    local = home.read()
    if local.control is None:
        raise LocalProblem("the instance host is not running. Remedy: run `porewatch up`.")
    demo = make_demo(home.root / f"kills-data-{SCALE}", home.references, scale=SCALE)
    folder = split_run(demo.run_folder, demo.run_folder.parent / f"split-{READS_PER_FILE}")
    return Ground(find_stack(folder=home.root), local.control, folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="porewatch_local.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--notices", type=int, default=30)
    parser.add_argument("--freezes", type=int, default=0, help="workers that fall silent: minutes")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--together", type=int, default=4, help="runs at once")
    parser.add_argument("--home", type=Path, help="of the embedded AWS (default .porewatch)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with session(given.home, environment={"POREWATCH_WATCH_SECONDS": WATCH_S}) as home:
        strikes = strikes_of(given.kills, given.notices, given.freezes)
        proof = prove(ground_of(home), strikes, seed=given.seed, together=given.together)
    return _print_proof(proof, given.json)


def _print_proof(proof: Proof, as_json: bool) -> int:
    faults = list(proof.faults())
    if as_json:
        print(proof.model_dump_json(indent=1))
    else:
        Console(width=110).print(table(proof))
    print(f"{len(proof.outcomes)} strikes survived, {proof.missed} came too late", file=sys.stderr)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
