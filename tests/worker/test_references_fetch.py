"""References by accession, against a stand-in that honours efetch's parameters."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from porewatch.domain.calls.references import ContigRole
from porewatch.domain.errors import BundleRefused, Unavailable
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.building.fetch import (
    Entrez,
    ReferenceRecord,
    fetch,
    read_accessions,
)
from tests.worker.bundles import bases, fasta
from tests.worker.entrez_server import Entrez as Server
from tests.worker.entrez_server import serving

PCV2 = ReferenceRecord("PCV2", ContigRole.PANEL, "NC_005148", circular="yes")
SPIKE = ReferenceRecord("phix174", ContigRole.SPIKE, "NC_001422", circular="yes")
GUESS = ReferenceRecord(
    "POLYOMA", ContigRole.PANEL, "MH381769", confirmed=False, remark="not confirmed"
)


@pytest.fixture
def server() -> Iterator[Server]:
    records = {
        "NC_005148": f">NC_005148.1 Porcine circovirus 2\n{bases(1768, 1)}\n",
        "NC_001422": f">NC_001422.1 phiX174\n{bases(2000, 2)}\n",
        "WRONG": f">NC_000001.2 something else\n{bases(300, 3)}\n",
    }
    with serving(Server(records)) as running:
        yield running


def client(server: Server, **more: object) -> tuple[Entrez, list[float]]:
    waits: list[float] = []
    return Entrez(base_url=server.url, sleep=waits.append, timeout_s=5, **more), waits  # type: ignore[arg-type]


def test_fetched_records_become_a_bundle_that_knows_where_they_came_from(
    server: Server, tmp_path: Path
) -> None:
    entrez, _ = client(server, email="me@example.org", api_key="k")
    fasta(tmp_path / "in" / "host" / "pig.fa", chr1=bases(9000, 4))
    lines: list[str] = []
    sheet = fetch((PCV2, SPIKE, GUESS), tmp_path / "in", entrez, on_line=lines.append)
    manifest = build_bundle(tmp_path / "in", tmp_path / "root", "mine", "1", sheet=sheet)
    contig = next(c for c in manifest.contigs if c.target == "PCV2")
    digest = hashlib.sha256(server.records["NC_005148"].encode()).hexdigest()
    assert (contig.accession, contig.circular) == ("NC_005148.1", True)
    assert contig.source.startswith("NCBI nuccore NC_005148.1, fetched 20")
    assert contig.source.endswith(f"sha256 {digest}")
    assert [query["id"] for query in server.queries] == ["NC_005148", "NC_001422"]
    assert {(a["tool"], a["email"], a["api_key"]) for a in server.queries} == {
        ("porewatch", "me@example.org", "k")
    }
    assert lines[-1] == "MH381769 (POLYOMA): left out, not confirmed"


def test_a_record_whose_title_is_anothers_is_refused(server: Server, tmp_path: Path) -> None:
    fetch((replace(PCV2, title="circovirus 2"),), tmp_path, client(server)[0])
    with pytest.raises(BundleRefused, match=r"NC_001422 is 'phiX174', and lambda should be"):
        fetch((replace(SPIKE, target="lambda", title="Lambda"),), tmp_path, client(server)[0])


def test_trouble_that_passes_is_waited_out(server: Server, tmp_path: Path) -> None:
    server.trouble = ["busy", "broken", "cut"]
    entrez, waits = client(server)
    fetch((PCV2,), tmp_path, entrez)
    assert waits == [0.34, 2.0, 4.0, 8.0]
    assert (tmp_path / "panel" / "NC_005148.fa").read_text() == server.records["NC_005148"]


def test_a_broken_off_fetch_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    fetch((PCV2,), tmp_path, client(server)[0])
    fetch((PCV2, SPIKE), tmp_path, client(server)[0])
    assert [query["id"] for query in server.queries] == ["NC_005148", "NC_001422"]


def test_another_record_than_the_one_asked_for_is_refused(server: Server, tmp_path: Path) -> None:
    wrong = ReferenceRecord("PCV3", ContigRole.PANEL, "WRONG")
    with pytest.raises(BundleRefused, match=r"requested WRONG, received NC_000001\.2"):
        fetch((wrong,), tmp_path, client(server)[0])


def test_another_version_than_the_one_asked_for_is_refused(server: Server, tmp_path: Path) -> None:
    newer = ReferenceRecord("PCV2", ContigRole.PANEL, "NC_005148.2")
    with pytest.raises(BundleRefused, match=r"requested NC_005148\.2"):
        fetch((newer,), tmp_path, client(server)[0])


def test_an_unknown_accession_is_refused_at_once(server: Server, tmp_path: Path) -> None:
    unknown = ReferenceRecord("PCV3", ContigRole.PANEL, "NC_999999")
    with pytest.raises(BundleRefused, match=r"NC_999999 \(HTTP 400\)"):
        fetch((unknown,), tmp_path, client(server)[0])
    assert len(server.queries) == 1


def test_without_a_network_the_way_round_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    entrez = Entrez(base_url=url, attempts=2, sleep=lambda _: None)
    with pytest.raises(
        Unavailable, match=r"NC_005148 could not be fetched .* build from the folder"
    ):
        fetch((PCV2,), tmp_path, entrez)
    assert list(tmp_path.rglob("*.fa")) == []


def test_a_wrong_accession_list_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "list.tsv"
    path.write_text("target\trole\taccession\nPCV2\tguest\tNC_005148\n")
    with pytest.raises(BundleRefused, match=r"list\.tsv line 2: the row is not target"):
        read_accessions(path)
