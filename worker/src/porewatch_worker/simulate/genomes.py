"""Synthetic genomes for the demo: a host, panel members, near relatives, a spike-in.

They carry the shape of the real ones (length, circles, segments, strains, poly-A tails, tandem
repeats, proviruses in the host, a shared backbone with differing envelope genes) and none of their
sequence. Every name contains SYNTHETIC; targets of panel members keep the panel's codes, so that
the checklist of the report works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from porewatch.domain.calls.references import ContigRole
from porewatch_worker.references.building.sheet import COLUMNS
from porewatch_worker.simulate.edits import Codes, diverge, random_codes, to_bytes

MARK = "SYNTHETIC"
SPIKE = f"{MARK}-SPIKE"
HOST_BASES = 2_000_000
PROVIRUSES = ((0.01, "A"), (0.03, "B"), (0.05, "A"), (0.08, "B"))
"""Divergence and class of the proviruses in the host."""

SHORT_REPEATS, LONG_REPEATS = 0.10, 0.18
"""Shares of the host that are repeats of about 300 bases and of 1 to 6 kb."""

SINGLE_COPY = 60_000
"""Bases of a host contig without repeats or proviruses, to measure the host's depth by."""


@dataclass(frozen=True)
class Genome:
    """One contig. `features`, `single_copy`: places in it, as a bundle's sheet writes them."""

    name: str
    codes: Codes
    role: ContigRole
    target: str
    description: str
    circular: bool = False
    segment: str = ""
    features: str = ""
    single_copy: str = ""

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class Provirus:
    """A PERV-like copy in the host: `contig[start:end]`."""

    contig: str
    start: int
    end: int
    source: str
    divergence: float


@dataclass(frozen=True)
class GenomeSet:
    genomes: tuple[Genome, ...]
    proviruses: tuple[Provirus, ...]

    def of(self, target: str) -> tuple[Genome, ...]:
        """The contigs of one target (strains or segments). Raises KeyError for an unknown one."""
        found = tuple(genome for genome in self.genomes if genome.target == target)
        if not found:
            raise KeyError(target)
        return found


def synthetic_genomes(seed: int, host_bases: int = HOST_BASES) -> GenomeSet:
    """The whole set. Parts have generators of their own, so one can change without the others."""
    rngs = iter(np.random.default_rng(seed).spawn(5))
    viruses = tuple(_viruses(next(rngs)))
    pervs = tuple(_pervs(next(rngs)))
    host, proviruses = _host(host_bases, pervs, next(rngs))
    spike = Genome(
        name=SPIKE,
        codes=random_codes(6000, next(rngs)),
        role=ContigRole.SPIKE,
        target=SPIKE,
        description=f"{MARK} internal control, 6.0 kb, invented",
    )
    single = Genome(
        name=f"{MARK}-HOST-SINGLE-COPY",
        codes=random_codes(SINGLE_COPY, next(rngs), 0.42),
        role=ContigRole.HOST,
        target="host",
        description=f"{MARK} host, invented, no real pig",
        single_copy="yes",
    )
    return GenomeSet((*host, single, *viruses, *pervs, spike), proviruses)


def _panel(
    code: str, codes: Codes, suffix: str = "", *, circular: bool = False, segment: str = ""
) -> Genome:
    return Genome(
        name=f"{MARK}-{code}{suffix}",
        codes=codes,
        role=ContigRole.PANEL,
        target=code,
        description=f"{MARK} stand-in for {code}, invented, no real sequence",
        circular=circular,
        segment=segment,
    )


def _decoy(label: str, codes: Codes, relative: str, *, circular: bool = False) -> Genome:
    return Genome(
        name=f"{MARK}-{label}-LIKE",
        codes=codes,
        role=ContigRole.DECOY,
        target=f"{MARK}-{label}-LIKE",
        description=f"{MARK} near relative of {MARK}-{relative}, invented",
        circular=circular,
    )


def _viruses(rng: np.random.Generator) -> Iterator[Genome]:
    yield from _small_circles(rng)
    yield _panel("PPV", random_codes(5000, rng, 0.39))
    yield from _with_relatives(rng)
    hev = random_codes(7200, rng, 0.56)
    for number, genome in enumerate((hev, diverge(hev, 0.22, rng), diverge(hev, 0.25, rng)), 1):
        yield _panel("HEV", _tailed(genome), f"-{number}")
    prrsv = random_codes(15_000, rng, 0.52)
    yield _panel("PRRSV", _tailed(prrsv), "-1")
    yield _panel("PRRSV", _tailed(diverge(prrsv, 0.35, rng)), "-2")
    for number, length in enumerate((2341, 2341, 2233, 1778, 1565, 1413, 1027, 890), 1):
        segment = random_codes(length, rng, 0.43)
        yield _panel("SIV", segment, f"-{number}", segment=str(number))
    yield _panel("PCMV", _with_tandems(random_codes(128_000, rng, 0.45), rng))


def _small_circles(rng: np.random.Generator) -> Iterator[Genome]:
    pcv2 = random_codes(1768, rng, 0.48)
    yield _panel("PCV2", pcv2, circular=True)
    yield _panel("PCV2", diverge(pcv2, 0.05, rng), "-b", circular=True)
    yield _decoy("PCV1", diverge(pcv2, 0.22, rng), "PCV2", circular=True)
    yield _panel("PCV3", random_codes(2000, rng, 0.50), circular=True)
    yield _panel("TTV", random_codes(2800, rng, 0.46), circular=True)


def _with_relatives(rng: np.random.Generator) -> Iterator[Genome]:
    """Panel members that have a near relative outside the list, or on it."""
    svdv = random_codes(7400, rng, 0.47)
    yield _panel("SVDV", _tailed(svdv))
    yield _decoy("COXSACKIE-B5", _tailed(diverge(svdv, 0.12, rng)), "SVDV")
    csfv = random_codes(12_300, rng, 0.46)
    yield _panel("CSFV", csfv)
    yield _panel("BVDV", diverge(csfv, 0.25, rng))
    yield _decoy("BORDER-DISEASE", diverge(csfv, 0.20, rng), "CSFV")
    jev = random_codes(11_000, rng, 0.51)
    yield _panel("JEV", jev)
    yield _decoy("WEST-NILE", diverge(jev, 0.25, rng), "JEV")


def _tailed(codes: Codes, length: int = 60) -> Codes:
    return np.concatenate([codes, np.zeros(length, np.uint8)])


def _with_tandems(codes: Codes, rng: np.random.Generator) -> Codes:
    """Three arrays of tandem repeats, as herpes genomes have them."""
    out = codes.copy()
    for place, unit, copies in ((0.2, 40, 14), (0.5, 27, 9), (0.8, 62, 8)):
        start = int(place * len(codes))
        out[start : start + unit * copies] = np.tile(random_codes(unit, rng, 0.7), copies)
    return out


def _pervs(rng: np.random.Generator) -> Iterator[Genome]:
    """A, B, C with one backbone (2 % apart) and differing envelopes, and a distant class E.

    LTR 640, leader 60, gag 1600, pol 3500, env from 5,800 (surface part 1400 with 35 %, the rest
    560 with 3 % divergence), 200 more, LTR 640: 8,600 bases.
    """
    ltr = random_codes(640, rng, 0.5)
    core = random_codes(60 + 1600 + 3500, rng, 0.49)
    surface, membrane = random_codes(1400, rng, 0.49), random_codes(560, rng, 0.49)
    end = random_codes(200, rng, 0.49)
    for kind in "ABC":
        own_ltr = diverge(ltr, 0.02, rng)
        parts = [own_ltr, diverge(core, 0.02, rng), diverge(surface, 0.35, rng)]
        parts += [diverge(membrane, 0.03, rng), diverge(end, 0.02, rng), own_ltr]
        begin = len(parts[0]) + len(parts[1])
        env = f"env:{begin + 1}..{begin + len(parts[2]) + len(parts[3])}"
        yield replace(_panel(f"PERV-{kind}", np.concatenate(parts)), features=env)
    whole = np.concatenate([ltr, core, surface, membrane, end, ltr])
    yield _decoy("PERV-E", diverge(whole, 0.25, rng), "PERV-A")


def _host(
    bases: int, pervs: tuple[Genome, ...], rng: np.random.Generator
) -> tuple[tuple[Genome, ...], tuple[Provirus, ...]]:
    """Three contigs with repeats; the proviruses are in the first two."""
    short = [random_codes(300, rng, 0.55) for _ in range(3)]
    long = [random_codes(6000, rng, 0.42) for _ in range(2)]
    contigs: list[Genome] = []
    proviruses: list[Provirus] = []
    for number, share in enumerate((0.45, 0.35, 0.20), 1):
        name = f"{MARK}-HOST-{number}"
        codes = _with_repeats(int(bases * share), short, long, rng)
        own = PROVIRUSES[(number - 1) * 2 : number * 2]
        codes, placed = _insert(name, codes, own, pervs, rng)
        proviruses += placed
        contigs.append(
            Genome(name, codes, ContigRole.HOST, "host", f"{MARK} host, invented, no real pig")
        )
    return tuple(contigs), tuple(proviruses)


def _with_repeats(
    bases: int, short: list[Codes], long: list[Codes], rng: np.random.Generator
) -> Codes:
    """Unique sequence between diverged copies of the repeats, at the shares above."""
    unique_share = 1 - SHORT_REPEATS - LONG_REPEATS
    parts: list[Codes] = []
    filled = 0
    while filled < bases:
        block = int(rng.exponential(6000)) + 500
        fresh = [random_codes(int(block * unique_share), rng, 0.42)]
        for _ in range(rng.poisson(block * SHORT_REPEATS / 300)):
            fresh.append(_copy(short, 300, rng))
        for _ in range(rng.poisson(block * LONG_REPEATS / 3500)):
            fresh.append(_copy(long, int(rng.integers(1000, 6001)), rng))
        parts += fresh
        filled += sum(map(len, fresh))
    return np.concatenate(parts)[:bases]


def _copy(family: list[Codes], length: int, rng: np.random.Generator) -> Codes:
    """The end of a repeat (copies lose their beginning), 5 to 20 % diverged."""
    codes = family[int(rng.integers(len(family)))][-length:]
    copy = diverge(codes, float(rng.uniform(0.05, 0.20)), rng)
    return copy if rng.random() < 0.5 else (3 - copy[::-1]).astype(np.uint8)


def _insert(
    contig: str,
    codes: Codes,
    inserts: tuple[tuple[float, str], ...],
    pervs: tuple[Genome, ...],
    rng: np.random.Generator,
) -> tuple[Codes, list[Provirus]]:
    parts: list[Codes] = []
    placed: list[Provirus] = []
    done = length = 0
    for number, (divergence, kind) in enumerate(inserts, 1):
        source = next(genome for genome in pervs if genome.target == f"PERV-{kind}")
        copy = diverge(source.codes, divergence, rng)
        cut = len(codes) * number // (len(inserts) + 1)
        parts += [codes[done:cut], copy]
        start = length + cut - done
        done, length = cut, start + len(copy)
        placed.append(Provirus(contig, start, length, source.name, divergence))
    return np.concatenate([*parts, codes[done:]]), placed


def write_genomes(genomes: GenomeSet, folder: Path) -> Path:
    """Write `host.fa`, `panel.fa` and the sheet that `build_bundle` reads; returns the sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["\t".join(COLUMNS)]
    with (folder / "host.fa").open("wb") as host, (folder / "panel.fa").open("wb") as panel:
        for genome in genomes.genomes:
            is_host = genome.role is ContigRole.HOST
            out = host if is_host else panel
            out.write(f">{genome.name} {genome.description}\n".encode())
            out.write(to_bytes(genome.codes) + b"\n")
            circular = "yes" if genome.circular else "no"
            rows.append(
                f"{'host' if is_host else 'panel'}.fa\t{genome.name}\t{genome.role}\t"
                f"{genome.target}\t{circular}\t{genome.segment}\t\t{MARK}, drawn from a seed\t\t\t"
                f"{genome.features}\t{genome.single_copy}"
            )
    sheet = folder / "sheet.tsv"
    sheet.write_text("\n".join(rows) + "\n", "utf-8")
    return sheet
