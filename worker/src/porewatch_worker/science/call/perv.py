"""PERV in a sample: copies, types, recombinants, and whether to raise an alarm.

PERV-A and -B are in every pig: no alarm. An alarm is raised for

- PERV-C: at least `detected_min_reads` reads whose env is of type C, from `detected_min_starts`
  distinct starts, more than mistyped reads of the other types explain (`perv_mistyped`) and more
  than crossover from other barcodes does. Copies in the host's reference do not matter: what the
  donor carries counts.
- A/C recombinants: a junction between A and C that recurs (see `perv_recombinants.py`).

False-alarm rates of both, measured on genomes with A and B only, are in docs/science/perv.md.
Where a reference is a surrogate, types are called SYNTHETIC-A, never PERV-A.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from porewatch.domain.calls.evidence import SampleScreen, ScreenResult
from porewatch.domain.calls.findings import Call, JunctionSite, PervResult, PervType
from porewatch.domain.calls.perv import PervScreen
from porewatch.domain.calls.references import BundleManifest, Contig
from porewatch.domain.reasons.reason import Code, Reason, Reasons, Value, because
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.call.perv_alarm import ALARM_PAIR, ALARM_TYPE
from porewatch_worker.science.call.perv_copies import HostDepth, copies, host_depth
from porewatch_worker.science.call.perv_recombinants import Frame, sites, smallest_share
from porewatch_worker.science.call.remarks import SYNTHETIC, is_surrogate
from porewatch_worker.science.call.unread import NOTHING, ToCome
from porewatch_worker.science.intervals import gamma_cdf


@dataclass(frozen=True)
class PervReferences:
    """PERV in a bundle. Lengths in bases, means over its genomes."""

    synthetic: bool
    types_by_env: tuple[str, ...]
    length: int
    env_length: int
    locus_length: int
    host_length: int

    def name(self, kind: str) -> str:
        """`PERV-C`, or SYNTHETIC-C when a reference is a surrogate."""
        return f"{SYNTHETIC if self.synthetic else 'PERV'}-{kind}"


def perv_references(bundle: BundleManifest) -> PervReferences | None:
    """None when the bundle has no PERV genome."""
    pervs = [c for c in bundle.contigs if c.perv_type]
    if not pervs:
        return None
    with_env = [c for c in pervs if "env" in c.features]
    kinds = {c.perv_type for c in with_env if c.perv_type}
    loci = [b - a for c in bundle.contigs for a, b in c.single_copy]
    return PervReferences(
        synthetic=bundle.synthetic or any(is_surrogate(c) for c in pervs),
        types_by_env=tuple(sorted(kinds)) if len(kinds) > 1 else (),
        length=round(sum(c.length for c in pervs) / len(pervs)),
        env_length=_mean_env(with_env),
        locus_length=sum(loci),
        host_length=bundle.host_bases,
    )


def _mean_env(contigs: Sequence[Contig]) -> int:
    spans = [b - a for a, b in (c.features["env"] for c in contigs)]
    return round(sum(spans) / len(spans)) if spans else 0


def perv_results(
    screen: ScreenResult,
    samples: Sequence[Sample],
    bundle: BundleManifest,
    parameters: ScreeningParameters,
    to_come: ToCome = NOTHING,
) -> tuple[PervResult, ...]:
    """One result a sample; none when the bundle has no PERV genome. `to_come`: what the rest of a
    run that goes on may bring against an alarm."""
    known = perv_references(bundle)
    if known is None:
        return ()
    by_name = {s.name: s for s in samples}
    return tuple(
        _result(by_name[s.sample], s, Others(screen, s.sample, to_come), known, parameters)
        for s in screen.samples
    )


def _result(
    sample: Sample,
    screen: SampleScreen,
    others: Others,
    references: PervReferences,
    parameters: ScreeningParameters,
) -> PervResult:
    counted = screen.perv or PervScreen()
    host = None
    if sample.material == "dna":
        host = host_depth(screen, counted, references.locus_length, references.host_length)
    pairs = {pair: others.reads(_joins(pair)) for pair in _pairs(counted)}
    found = sites(counted.junctions, Frame(references.env_length, pairs, parameters))
    call, why = judge_type(counted, others.reads(_typed), parameters, others.rest(counted))
    return PervResult(
        sample=sample.name,
        material=sample.material,
        synthetic=references.synthetic,
        types_told=tuple(references.name(kind) for kind in references.types_by_env),
        counted=counted,
        types=tuple(_types(counted, references, host)),
        copies=copies(counted.bases, counted.squares, counted.reads, references.length, host)
        if host and counted.reads
        else None,
        sites=found,
        type_c=call if ALARM_TYPE in references.types_by_env else None,
        type_c_why=why if ALARM_TYPE in references.types_by_env else (),
        smallest_share=smallest_share(
            counted.env_reads, counted.env_bases, references.env_length, parameters
        ),
        alarm_reasons=tuple(_alarms(call, why, found, references)),
        limit_reasons=tuple(_limits(sample, screen.account.host, host, references)),
    )


def judge_type(
    counted: PervScreen, others: float, parameters: ScreeningParameters, ahead: float = 0.0
) -> tuple[Call, Reasons]:
    """PERV-C by env: the call and why. `others`: reads of env C in other samples of the run.
    `ahead`: reads of other types that the rest of the sample may bring."""
    p, mine = parameters, counted.types.get(ALARM_TYPE)
    rest = sum(t.reads for kind, t in counted.types.items() if kind != ALARM_TYPE)
    if mine is None or not mine.reads:
        none = because(Code.PERV_NONE_OF_TYPE, reads=rest, type=ALARM_TYPE)
        return Call.NOT_DETECTED, (none,)
    there: dict[str, Value] = {"mine": mine.reads, "reads": mine.reads + rest, "type": ALARM_TYPE}
    if mine.reads < p.detected_min_reads or mine.starts < p.detected_min_starts:
        few = because(Code.PERV_TYPE_FEW, needed=p.detected_min_reads, **there)
        return Call.INDETERMINATE, (few,)
    if rest and gamma_cdf(mine.reads, p.perv_mistyped * (rest + ahead)) >= p.crossover_chance:
        return Call.INDETERMINATE, (because(Code.PERV_TYPE_MISREAD, **there),)
    if others and gamma_cdf(mine.reads, p.crossover * others) >= p.crossover_chance:
        crossed = because(Code.PERV_TYPE_CROSSOVER, elsewhere=others, **there)
        return Call.INDETERMINATE, (crossed,)
    return Call.DETECTED, (because(Code.PERV_TYPE_SUPPORTED, starts=mine.starts, **there),)


@dataclass(frozen=True)
class Others:
    """The other samples of the run, seen from one of them."""

    screen: ScreenResult
    sample: str
    to_come: ToCome = NOTHING

    def reads(self, count: Callable[[PervScreen], int]) -> float:
        """Reads of a kind in all of them, and the most that are still to come."""
        seen = {s.sample: count(s.perv) for s in self._screens() if s.perv}
        ahead = sum(self.to_come.most(s.sample, seen.get(s.sample, 0)) for s in self._screens())
        return sum(seen.values()) + ahead

    def rest(self, counted: PervScreen) -> float:
        """Reads of other types that the rest of this sample may bring."""
        rest = sum(t.reads for kind, t in counted.types.items() if kind != ALARM_TYPE)
        return self.to_come.most(self.sample, rest)

    def _screens(self) -> Iterator[SampleScreen]:
        return (s for s in self.screen.samples if s.sample != self.sample)


def _typed(counted: PervScreen) -> int:
    return counted.types[ALARM_TYPE].reads if ALARM_TYPE in counted.types else 0


def _pairs(counted: PervScreen) -> set[str]:
    return {f"{j.left}/{j.right}" for j in counted.junctions}


def _joins(pair: str) -> Callable[[PervScreen], int]:
    return lambda counted: sum(f"{j.left}/{j.right}" == pair for j in counted.junctions)


def _types(
    counted: PervScreen, known: PervReferences, host: HostDepth | None
) -> Iterator[PervType]:
    """Copies by type: env depth shared out by the bases of typed reads. (Reads over conserved parts
    of env decide for no type, whichever they are of.)"""
    typed = sum(t.env_bases for t in counted.types.values())
    for kind, t in sorted(counted.types.items()):
        amount = None
        if host and t.reads:
            scale = counted.env_bases / typed
            bases, squares = t.env_bases * scale, t.env_squares * scale**2
            amount = copies(bases, squares, t.reads, known.env_length, host)
        yield PervType(name=known.name(kind), counted=t, copies=amount)


def _alarms(
    call: Call, why: Reasons, found: Sequence[JunctionSite], known: PervReferences
) -> Iterator[Reason]:
    if call is Call.DETECTED:
        yield because(Code.PERV_ALARM_TYPE, name=known.name(ALARM_TYPE), why=why)
    for site in found:
        if site.call is Call.DETECTED and {site.left, site.right} == ALARM_PAIR:
            yield because(
                Code.PERV_ALARM_RECOMBINANT, name=known.name("A/C"), left=site.left,
                right=site.right, low=site.low, high=site.high, why=site.why,
            )  # fmt: skip


def _limits(
    sample: Sample, host_reads: int, host: HostDepth | None, references: PervReferences
) -> Iterator[Reason]:
    if not references.types_by_env:
        yield because(Code.PERV_NO_ENV)
    elif len(references.types_by_env) < 3:
        yield because(Code.PERV_TWO_TYPES, types=references.types_by_env)
    if sample.material == "rna":
        yield because(Code.PERV_RNA)
    elif host is None:
        yield because(Code.PERV_FEW_HOST if host_reads else Code.PERV_NO_HOST)
