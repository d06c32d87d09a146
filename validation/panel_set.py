"""Ten agents of real sequence, their strains, and the real reads that hold none of them.

The set follows a study that chose the mapping parameters. Strains in the samples: HEV 19 and 25 %
from the two genotypes in the bundle (a real genome), rabies 14 %, JEV and CSFV 10 %, PCV2 5 %,
PPV 3 % (made by substitutions and small gaps); PCV3, ASFV, influenza and VZV as in the bundle.
Reads are simulated, 1.2 kb on average and 250 bases at least (shorter ones are for the length
filter, which is not measured here), with R10 or R9 errors. The host is 5 Mb of random sequence with
the one real pig coding sequence at hand beside it: no pig genome.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dnaio
import numpy as np

from porewatch.domain.calls.references import ContigRole
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import load
from porewatch_worker.simulate.edits import diverge, random_codes, to_codes
from porewatch_worker.simulate.errors import ErrorModel
from porewatch_worker.simulate.genomes import Genome, GenomeSet, write_genomes
from porewatch_worker.validation.sets import MadeRun, Tube
from porewatch_worker.validation.worlds import World
from validation.shared_data import real

HOST_BASES = 5_000_000
MEAN, SD, SHORTEST = 1200, 1020, 250
STRAINS = {"RABV": 0.14, "JEV": 0.10, "CSFV": 0.10, "PCV2": 0.05, "PPV": 0.03}
AGENTS = ("PCV2", "PCV3", "PPV", "JEV", "CSFV", "HEV", "RABV", "ASFV", "SIV", "X-VZV")
FILES = (
    ("pcv1_pcv2_pcv3.fa", "NC_005148.1", "PCV2"),
    ("pcv1_pcv2_pcv3.fa", "NC_031753.1", "PCV3"),
    ("porcine_parvovirus1.fa", "", "PPV"),
    ("jev_csfv_wnv2.fa", "NC_001437.1", "JEV"),
    ("jev_csfv_wnv2.fa", "NC_002657.1", "CSFV"),
    ("hev_three_genotypes.fa", "NC_001434.1", "HEV"),
    ("hev_three_genotypes.fa", "AB481226.1", "HEV"),
    ("rabies_NC_001542.fa", "", "RABV"),
    ("asfv_OP605386.fa", "", "ASFV"),
    ("iav_h1n1pdm_8seg.fa", "", "SIV"),
    ("vzv.fa", "", "X-VZV"),
    ("measles.fa", "", "X-MEASLES"),
    ("mumps.fa", "", "X-MUMPS"),
    ("ebola_zaire.fa", "", "X-EBOV"),
    ("sars_cov_2.fa", "", "X-SARS-CoV-2"),
)
UNKNOWN_STRAIN = ("hev_three_genotypes.fa", "AB073912.1")
NON_TARGETS = (
    "r10_hac_v5.fastq.gz",
    "ecoli400.bam",
    "qcat_nobarcode_1k.fastq.gz",
    "nanotest_ultralong.fastq.gz",
)
SARS = ("sars_cov_2_ont_2020_bc07.fastq.gz", "sars_cov_2_MT007544.fastq.gz")
HOST = "host"


def make_panel_world(root: Path, seed: int = 1) -> World:
    """The real genomes and their bundle. Skips the test when they are not at hand."""
    panel = tuple(
        genome for file, contig, code in FILES for genome in read_genomes(file, contig, code)
    )
    codes = random_codes(HOST_BASES, np.random.default_rng(seed), 0.42)
    host = Genome("random-host", codes, ContigRole.HOST, HOST, "random sequence, no pig genome")
    gene = read_genomes("pig_ATM_cds.fa", "", HOST, ContigRole.HOST)
    genomes = GenomeSet((*panel, host, *gene), ())
    sheet = write_genomes(genomes, root / "genomes")
    build_bundle(root / "genomes", root, "panel-set", "1", sheet=sheet)
    return World(genomes, load(root, "panel-set@1"))


def read_genomes(
    file: str, contig: str, code: str, role: ContigRole = ContigRole.PANEL
) -> tuple[Genome, ...]:
    made = []
    with dnaio.open(real(f"genomes/{file}")) as records:
        for number, record in enumerate(records, 1):
            name = record.name.split()[0]
            if contig in ("", name):
                segment = str(number) if code == "SIV" else ""
                codes = to_codes(record.sequence.upper().encode())
                circular = code in ("PCV2", "PCV3")
                made.append(
                    Genome(name, codes, role, code, "real", circular=circular, segment=segment)
                )
    return tuple(made)


def strain(world: World, code: str, seed: int) -> tuple[Genome, ...]:
    """What samples hold of an agent."""
    if code == "HEV":
        return read_genomes(*UNKNOWN_STRAIN, "HEV")
    rng = np.random.default_rng([seed, *code.encode()])
    rate = STRAINS.get(code, 0.0)
    return tuple(replace(g, codes=diverge(g.codes, rate, rng)) for g in world.genomes.of(code))


def made_run(world: World, reads: int, model: ErrorModel, seed: int) -> MadeRun:
    """Each agent in a sample of its own, with that many reads and nothing else."""
    tubes = tuple(
        Tube(code, ((strain(world, code, seed), reads),), frozenset({code}), reads)
        for code in AGENTS
    )
    return MadeRun("panel set", tubes, model, seed, mean=MEAN, sd=SD, shortest=SHORTEST)


def host_run(world: World, reads: int, model: ErrorModel, seed: int) -> MadeRun:
    """Host reads alone."""
    tube = Tube("host", ((world.genomes.of(HOST), reads),))
    return MadeRun("host reads", (tube,), model, seed, mean=3900, sd=3300)
