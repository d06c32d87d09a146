"""A genome whose title names another row of the list is filed in the wrong place."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.domain.calls.references import ContigRole
from porewatch.domain.errors import BundleRefused
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.building.fetch import shipped_accessions
from porewatch_worker.references.building.titles import named_instead
from porewatch_worker.references.panel import shipped_panel
from tests.worker.bundles import bases, folder_with_two_viruses

LIST = shipped_panel().entries


@pytest.mark.parametrize(
    ("title", "code", "names"),
    [
        ("Classical swine fever virus, complete genome", "JEV", "CSFV"),
        ("Classical swine fever virus, complete genome", "CSFV", None),
        ("West Nile virus lineage 2, complete genome", "JEV", None),  # on no list: nobody knows
        ("Mycoplasma suis str. Illinois, complete genome", "EPERY", None),
        ("Influenza A virus segment 4", "SIV", None),
        ("Salmonella enterica strain LT2", "YERS", "SALM"),
        ("Strongyloides ransomi isolate 1", "STRONG", None),
        ("Mycobacterium tuberculosis variant bovis AF2122/97, complete genome", "MB", None),
        ("Mycobacterium tuberculosis variant bovis AF2122/97, complete genome", "MT", "MB"),
        ("Mycobacterium tuberculosis H37Rv, complete genome", "MB", "MT"),
        ("porcine sapelovirus 1", "PEV", None),
        ("", "PPV", None),
    ],
)
def test_a_title_that_names_another_row_and_not_its_own_is_noticed(
    title: str, code: str, names: str | None
) -> None:
    other = named_instead(title, code, LIST)
    assert (other.code if other else None) == names


def test_no_shipped_accession_is_filed_under_another_row() -> None:
    panel = [w for w in shipped_accessions() if w.role is ContigRole.PANEL]
    assert not [w for w in panel if named_instead(w.title, w.target, LIST)]


def test_a_bundle_with_a_genome_in_the_wrong_place_is_refused_by_file_and_record(
    tmp_path: Path,
) -> None:
    source = folder_with_two_viruses(tmp_path / "in")
    (source / "panel" / "JEV.fa").write_text(
        f">NC_1.1 Japanese encephalitis virus, genome\n{bases(900, 31)}\n"
        f">NC_2.1 Classical swine fever virus, complete genome\n{bases(900, 32)}\n"
    )
    expected = (
        r"JEV\.fa record 2 line 3: 'NC_2\.1' is filed under JEV .* names CSFV.* file it under CSFV"
    )
    with pytest.raises(BundleRefused, match=expected):
        build_bundle(source, tmp_path / "root", "mine", "1")
