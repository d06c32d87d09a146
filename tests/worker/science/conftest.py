"""A small bundle of real genomes, built once: viruses and bacteria, spike-ins, decoys, a host."""

from __future__ import annotations

import pytest

from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import LoadedBundle, load
from validation.screens import diverged, fasta_sequence, random_sequence
from validation.shared_data import real

SHEET = """file\tcontig\trole\ttarget\tsegment\tcircular
asfv_OP605386.fa\t\tpanel\tASFV\t\t
hev_three_genotypes.fa\t\tpanel\tHEV\t\t
jev_csfv_wnv2.fa\tNC_001437.1\tpanel\tJEV\t\t
jev_csfv_wnv2.fa\tNC_002657.1\tpanel\tCSFV\t\t
jev_csfv_wnv2.fa\tNC_001563.2\tdecoy\twest-nile-2\t\t
pcv1_pcv2_pcv3.fa\tNC_001792.2\tdecoy\tPCV1\t\tyes
pcv1_pcv2_pcv3.fa\tNC_005148.1\tpanel\tPCV2\t\t
pcv1_pcv2_pcv3.fa\tNC_031753.1\tpanel\tPCV3\t\t
rabies_NC_001542.fa\t\tpanel\tRABV\t\t
porcine_parvovirus1.fa\t\tpanel\tPPV\t\t
ecoli_MG1655.fa.gz\t\tpanel\tEC\t\tyes
saureus_USA300.fa.gz\t\tpanel\tSTAPH\t\tyes
sars_cov_2.fa\t\tpanel\tX-SARS-CoV-2\t\t
ebola_zaire.fa\t\tpanel\tX-EBOV\t\t
measles.fa\t\tpanel\tX-MEASLES\t\t
mumps.fa\t\tpanel\tX-MUMPS\t\t
vzv.fa\t\tpanel\tX-VZV\t\t
lambda.fa.gz\t\tspike\tlambda\t\t
phix174.fa.gz\t\tspike\tphix174\t\tyes
perv_e_AF356697.fa\t\tpanel\tX-PERV-E\t\t
pig_ATM_cds.fa\t\thost\t\t\t
host.fa\t\thost\t\t\t
"""
FLU_SEGMENTS = (
    *("NC_026438.1", "NC_026435.1", "NC_026437.1", "MW626062.1"),
    *("NC_026436.1", "MW626056.1", "NC_026431.1", "NC_026432.1"),
)
FLU = "".join(
    f"iav_h1n1pdm_8seg.fa\t{name}\tpanel\tSIV\t{segment}\t\n"
    for segment, name in enumerate(FLU_SEGMENTS, start=1)
)


@pytest.fixture(scope="session")
def real_bundle(tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    """Real genomes; the host is 300 kb of random sequence with two PERV-E copies in it (2 and
    6 % diverged), beside the one pig coding sequence at hand."""
    root = tmp_path_factory.mktemp("references")
    folder = root / "fasta"
    folder.mkdir()
    for line in (SHEET + FLU).splitlines()[1:]:
        name = line.split("\t")[0]
        target = folder / name
        if name != "host.fa" and not target.exists():
            target.symlink_to(real(f"genomes/{name}"))
    perv = fasta_sequence(folder / "perv_e_AF356697.fa")
    host = random_sequence(300_000, 1)
    host = host[:100_000] + diverged(perv, 0.02, 2) + host[100_000:200_000]
    host += diverged(perv, 0.06, 3) + random_sequence(100_000, 4)
    (folder / "host.fa").write_text(f">host1\n{host}\n")
    sheet = root / "sheet.tsv"
    sheet.write_text(SHEET + FLU)
    build_bundle(folder, root, "real", "1", sheet=sheet)
    return load(root, "real@1")
