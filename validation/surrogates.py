"""SYNTHETIC-A, -B, -C: three stand-ins for PERV types, built when a test needs them.

No sequence of PERV-A, -B or -C and no env of another gammaretrovirus is at hand. What is real is
the backbone, PERV class E (AF356697). Each surrogate is that genome, 2 % changed, with a part of it
as env: a surface piece of 1,400 bases changed by 18 % (so that two types differ by a third, as
gammaretroviral receptor-binding parts do) and a transmembrane piece of 560 changed by 3 %. That
tests typing and junctions, not PERV. Env is made in steps of 70 bases, whose borders are the same
place in all types: there recombinants can be cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from porewatch.domain.calls.references import ContigRole
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import LoadedBundle, load
from porewatch_worker.simulate.edits import Codes, diverge, random_codes, to_bytes, to_codes
from porewatch_worker.simulate.genomes import Genome
from validation.shared_data import real

ENV_START, SURFACE, MEMBRANE, STEP = 5640, 1400, 560, 70
EXTRA_STEP = 4
LOCUS_BASES = 40_000
GAP = 20_000
KINDS = ("A", "B", "C")


@dataclass(frozen=True)
class Surrogate:
    """`borders[i]` is where step i of env begins in `codes`; the last one ends env."""

    kind: str
    codes: Codes
    borders: tuple[int, ...]

    @property
    def env(self) -> tuple[int, int]:
        return self.borders[0], self.borders[-1]


def surrogates(seed: int = 1, longer: dict[str, int] | None = None) -> dict[str, Surrogate]:
    """One of each type; `longer`: type -> bases that its env has more, from step EXTRA_STEP on.
    Skips the test when the real backbone is not at hand."""
    lines = real("genomes/perv_e_AF356697.fa").read_text().splitlines()[1:]
    backbone = to_codes("".join(lines).upper().encode())
    rngs = np.random.default_rng(seed).spawn(len(KINDS))
    more = longer or {}
    return {
        k: _surrogate(k, backbone, rng, more.get(k, 0)) for k, rng in zip(KINDS, rngs, strict=True)
    }


def _surrogate(kind: str, backbone: Codes, rng: np.random.Generator, more: int) -> Surrogate:
    end = ENV_START + SURFACE + MEMBRANE
    parts = [diverge(backbone[:ENV_START], 0.02, rng)]
    borders = [len(parts[0])]
    for start in range(ENV_START, end, STEP):
        rate = 0.18 if start < ENV_START + SURFACE else 0.03
        piece = diverge(backbone[start : start + STEP], rate, rng)
        if start == ENV_START + EXTRA_STEP * STEP:
            piece = np.concatenate([piece, random_codes(more, rng)])
        parts.append(piece)
        borders.append(borders[-1] + len(parts[-1]))
    parts.append(diverge(backbone[end:], 0.02, rng))
    return Surrogate(kind, np.concatenate(parts), tuple(borders))


def recombinant(left: Surrogate, right: Surrogate, step: int) -> Codes:
    """`left` up to that step of env, `right` from there."""
    return np.concatenate([left.codes[: left.borders[step]], right.codes[right.borders[step] :]])


def copy_of(codes: Codes, rate: float, rng: np.random.Generator) -> Codes:
    """An integrated or circulating copy: a strain the references do not hold."""
    return diverge(codes, rate, rng)


def genome(name: str, codes: Codes, target: str = "perv") -> Genome:
    """For the read simulator, which needs no more than names and codes."""
    return Genome(name, codes, ContigRole.PANEL, target, "SYNTHETIC")


@dataclass(frozen=True)
class PervWorld:
    """Surrogates, a haploid host with copies of them, and the bundle of references."""

    types: dict[str, Surrogate]
    host: Codes
    locus: Codes
    bundle: LoadedBundle


def make_perv_world(
    root: Path,
    *,
    copies: tuple[str, ...] = ("A", "B"),
    locus: int = LOCUS_BASES,
    named: bool = True,
    seed: int = 1,
    longer: dict[str, int] | None = None,
) -> PervWorld:
    """The host reference begins with a single-copy locus (the bundle names it if `named`),
    and holds `copies` (1 to 3 % from the references) after it."""
    types = surrogates(seed, longer)
    rng = np.random.default_rng(seed + 1000)
    host = host_with(types, copies, random_codes(locus, rng), rng)
    folder = root / "fasta"
    folder.mkdir(parents=True)
    rows = ["file\trole\ttarget\tdescription\tfeatures\tsingle_copy"]
    for kind, s in types.items():
        name = f"SYNTHETIC-{kind}"
        (folder / f"{name}.fa").write_bytes(b">%b\n%b\n" % (name.encode(), to_bytes(s.codes)))
        place = f"env:{s.env[0] + 1}..{s.env[1]}"
        rows.append(f"{name}.fa\tpanel\tPERV-{kind}\tSYNTHETIC surrogate\t{place}\t")
    (folder / "host.fa").write_bytes(b">host\n%b\n" % to_bytes(host))
    single = f"1..{locus}" if named else ""
    rows.append(f"host.fa\thost\thost\tSYNTHETIC\t\t{single}")
    sheet = root / "sheet.tsv"
    sheet.write_text("\n".join(rows) + "\n")
    build_bundle(folder, root, "surrogate", "1", sheet=sheet, synthetic=True)
    return PervWorld(types, host, host[:locus], load(root, "surrogate@1"))


def host_with(
    types: dict[str, Surrogate], copies: tuple[str, ...], locus: Codes, rng: np.random.Generator
) -> Codes:
    """The locus, then the copies with 20 kb of random sequence around each."""
    parts = [locus]
    for kind in copies:
        parts.append(random_codes(GAP, rng))
        parts.append(copy_of(types[kind].codes, rng.uniform(0.01, 0.03), rng))
    return np.concatenate([*parts, random_codes(GAP, rng)])
