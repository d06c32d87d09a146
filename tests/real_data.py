"""The real bundle `real@1` and the real read sets: the proof, beside the invented demo.

The sequences are public data outside the repository (`validation/shared_data.py` says where). The
host is one pig coding sequence of 9 kb: enough for the machinery, no host genome, and labelled so.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.calls.findings import Call
from porewatch.domain.calls.references import BundleManifest
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.installed import bundle_folder
from porewatch_worker.references.verify import verify_bundle

REF = "real@1"
HOST_NOTE = "one pig coding sequence (ATM-like), NOT a pig genome"

GENOMES: tuple[tuple[str, str, str, str, str], ...] = (
    # file, contig ("" = all of the file), role, target, circular
    ("pcv1_pcv2_pcv3.fa", "NC_005148.1", "panel", "PCV2", "yes"),
    ("pcv1_pcv2_pcv3.fa", "NC_031753.1", "panel", "PCV3", "yes"),
    ("pcv1_pcv2_pcv3.fa", "NC_001792.2", "decoy", "PCV1", "yes"),
    ("porcine_parvovirus1.fa", "", "panel", "PPV", ""),
    ("jev_csfv_wnv2.fa", "NC_001437.1", "panel", "JEV", ""),
    ("jev_csfv_wnv2.fa", "NC_002657.1", "panel", "CSFV", ""),
    ("jev_csfv_wnv2.fa", "NC_001563.2", "panel", "X-WNV", ""),
    ("wnv1.fa", "", "panel", "X-WNV", ""),
    ("rabies_NC_001542.fa", "", "panel", "RABV", ""),
    ("hev_three_genotypes.fa", "", "panel", "HEV", ""),
    ("asfv_OP605386.fa", "", "panel", "ASFV", ""),
    ("ecoli_MG1655.fa.gz", "", "panel", "EC", "yes"),
    ("saureus_USA300.fa.gz", "", "panel", "STAPH", "yes"),
    ("sars_cov_2.fa", "", "panel", "X-SARS-COV-2", ""),
    ("measles.fa", "", "panel", "X-MEASLES", ""),
    ("ebola_zaire.fa", "", "panel", "X-EBOLA", ""),
    ("mumps.fa", "", "panel", "X-MUMPS", ""),
    ("vzv.fa", "", "panel", "X-VZV", ""),
    ("perv_e_AF356697.fa", "", "decoy", "PERV-E", ""),
    ("lambda.fa.gz", "", "spike", "lambda", "yes"),  # its cohesive ends close to a circle
    ("phix174.fa.gz", "", "spike", "phix174", "yes"),
    ("pig_ATM_cds.fa", "", "host", "host", ""),
)

SEGMENTS = (
    "NC_026438.1",
    "NC_026435.1",
    "NC_026437.1",
    "MW626062.1",
    "NC_026436.1",
    "MW626056.1",
    "NC_026431.1",
    "NC_026432.1",
)
"""Influenza A, in the order of their segment numbers."""


@dataclass(frozen=True)
class RealReads:
    """A real read set and the right answer.

    `finding` is the target that must get the call `call`, and none may be detected but those
    `beside` it; `control` is the spike-in that the reads are, if they are one; `traces` may be
    indeterminate. `reads` are primary reads, before they are cut; `least_share` of them must
    fall on the finding or the control.
    """

    path: str
    reads: int
    finding: str | None = None
    control: str | None = None
    least_share: float = 0.0
    what: str = ""
    traces: tuple[str, ...] = ()
    call: Call = Call.DETECTED
    beside: tuple[str, ...] = ()

    @property
    def detected(self) -> set[str]:
        """All that must be detected, and nothing else may be."""
        main = {self.finding} if self.finding and self.call is Call.DETECTED else set()
        return {*main, *self.beside}


READ_SETS: tuple[RealReads, ...] = (
    RealReads("reads/sars_cov_2_ont_2020_bc07.fastq.gz", 1720, "X-SARS-COV-2", None, 0.95,
              "MinION R9 amplicons, 2020"),
    RealReads("reads/sars_cov_2_MT007544.fastq.gz", 200, "X-SARS-COV-2", None, 0.95,
              "one 500-base amplicon: a heap of reads, no genome", call=Call.INDETERMINATE),
    RealReads("reads/ecoli400.bam", 355, "EC", None, 0.95,
              "E. coli R9, aligned BAM; S. aureus ligated to it, as in a mock community",
              beside=("STAPH",)),
    RealReads("reads/qcat_nobarcode_1k.fastq.gz", 989, None, "lambda", 0.95,
              "phage lambda R9, 2017, with a trace of the E. coli it was grown in", ("EC",)),
    RealReads("reads/r10_hac_v5.fastq.gz", 21, None, None, 0.0,
              "R10.4.1 hac v5.0.0, dorado headers, no pathogen"),
    RealReads("reads/nanotest_ultralong.fastq.gz", 371, "EC", None, 0.85,
              "ultra-long R9 reads, 2017, to 393 kb: E. coli at 82 % identity, not human"),
)  # fmt: skip


def real_bundle(shared: Path, root: Path) -> str:
    """Build `real@1` below `root` from `shared/data/genomes`, unless it is there and whole.

    Returns the reference. Raises BundleRefused when a genome is missing or altered.
    """
    folder = bundle_folder(root, REF)
    if folder.exists():
        verify_bundle(root, REF)
        return REF
    _build(shared / "data" / "genomes", root)
    return REF


def _build(genomes: Path, root: Path) -> BundleManifest:
    root.mkdir(parents=True, exist_ok=True)
    sheet = root / "real-sheet.tsv"
    with sheet.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerow(("file", "contig", "role", "target", "circular", "segment", "source"))
        for file, contig, role, target, circular in GENOMES:
            note = f"{file} ({HOST_NOTE})" if role == "host" else file
            writer.writerow((file, contig, role, target, circular, "", note))
        for number, contig in enumerate(SEGMENTS, 1):
            file = "iav_h1n1pdm_8seg.fa"
            writer.writerow((file, contig, "panel", "SIV", "", number, file))
    return build_bundle(
        _linked(genomes, root / "real-fasta"),
        root,
        "real",
        "1",
        sheet=sheet,
        description=f"Real public genomes. Host: {HOST_NOTE}.",
    )


def _linked(genomes: Path, folder: Path) -> Path:
    """A folder with just the genomes of the sheet: others may lie beside them."""
    folder.mkdir(exist_ok=True)
    for file in {row[0] for row in GENOMES} | {"iav_h1n1pdm_8seg.fa"}:
        link = folder / file
        if not link.exists():
            link.symlink_to(genomes / file)
    return folder
