"""The panel list that ships with the worker."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from porewatch.domain.base import now
from porewatch.domain.calls.panel import PanelEntry
from porewatch.domain.calls.references import (
    BundleManifest,
    Contig,
    ContigRole,
)
from porewatch.domain.errors import BundleRefused
from porewatch_worker.references.building.decoys import missing_decoys
from porewatch_worker.references.building.fetch import (
    not_chosen,
    shipped_accessions,
)
from porewatch_worker.references.panel import read_panel, shipped_panel

PANEL = shipped_panel()
BY_CODE = {entry.code: entry for entry in PANEL.entries}


def test_all_98_rows_of_the_list_are_there_once() -> None:
    assert len(PANEL.entries) == len(BY_CODE) == 98
    assert Counter(entry.category for entry in PANEL.entries) == {
        "virus": 48, "bacterium": 27, "parasite": 19, "fungus": 2, "umbrella": 2,
    }  # fmt: skip
    names = Counter(entry.name.lower() for entry in PANEL.entries)
    assert [name for name, times in names.items() if times > 1] == []


def test_every_line_of_the_source_list_leads_to_a_row() -> None:
    lines = {int(n) for e in PANEL.entries for n in re.findall(r"\b\d+\b(?!/)", e.list_lines)}
    overall = {int(n) for e in PANEL.entries for n in re.findall(r"(\d+)/", e.list_lines)}
    assert set(range(1, 42)) <= lines | overall
    assert set(range(42, 71)) | set(range(72, 91)) <= overall
    assert BY_CODE["REO"].list_lines == "21, 39"
    assert BY_CODE["EPERY"].list_lines == "55/14, 68/27"
    assert BY_CODE["ACTB"].list_lines == "58/17, 62/21"


@pytest.mark.parametrize("entry", PANEL.entries, ids=lambda entry: entry.code)
def test_a_row_that_is_not_simply_screened_says_why(entry: PanelEntry) -> None:
    assert entry.status == "screened" or len(entry.status_reason) > 20
    assert (entry.status == "umbrella") == (entry.category == "umbrella") == bool(entry.members)
    assert entry.source


def test_umbrellas_point_to_rows_that_stand_on_their_own() -> None:
    umbrellas = {e.code: e.members for e in PANEL.entries if e.members}
    assert umbrellas == {"PCV": ("PCV2", "PCV3"), "PERV": ("PERV-A", "PERV-B", "PERV-C")}
    for members in umbrellas.values():
        assert all(BY_CODE[code].category == "virus" for code in members)


def test_taxids_from_memory_are_marked_unverified() -> None:
    assert [(t.taxid, t.verified) for t in BY_CODE["PPV"].taxids] == [(10796, True)]
    assert [(t.taxid, t.verified) for t in BY_CODE["EC"].taxids] == [(562, False)]
    assert [(t.taxid, t.verified) for t in BY_CODE["FMDV"].taxids] == [
        (12110, False), (12118, True),
    ]  # fmt: skip
    assert BY_CODE["PLHV"].taxids == ()
    assert sum(not t.verified for e in PANEL.entries for t in e.taxids) == 40


def test_names_that_are_no_taxa_are_not_promised() -> None:
    assert {e.code for e in PANEL.entries if e.status == "not_by_sequencing"} == {"FUNGI", "ECTO"}
    assert {"COCC", "HOOK", "CALV", "SPUMV", "POLYOMA"} <= {
        e.code for e in PANEL.entries if e.status == "partly"
    }
    assert "Prions" in PANEL.provenance
    assert not any("prion" in e.name.lower() for e in PANEL.entries)


def test_genomes_and_severities_are_read_from_the_list() -> None:
    pcv2, asfv, tg = BY_CODE["PCV2"], BY_CODE["ASFV"], BY_CODE["TG"]
    assert (pcv2.circular, pcv2.genome_length, pcv2.special_management) == (True, 1770, True)
    assert (asfv.genome_length, asfv.severity, asfv.zoonotic) == (180_000, "critical", False)
    assert (tg.genome_length, tg.zoonotic) == (65_000_000, True)
    assert sum(e.special_management for e in PANEL.entries) == 10


def test_every_accession_serves_a_row_that_can_hold_it() -> None:
    wanted = shipped_accessions()
    accessions = Counter(w.accession for w in wanted)
    assert max(accessions.values()) == 1
    for w in wanted:
        assert re.fullmatch(r"(NC_\d{6}|[A-Z]{2}\d{6}|[A-Z]\d{5})", w.accession)
        if w.role is ContigRole.PANEL:
            assert not BY_CODE[w.target].members
            row = BY_CODE[w.target]
            assert (w.circular == "yes") == (row.circular or row.category == "bacterium")
        in_segments = (
            re.search(r"(\d+) segments", BY_CODE[w.target].genome) if w.role == "panel" else None
        )
        assert bool(w.segment) == bool(in_segments), w.accession
    assert [w.accession for w in wanted if not w.confirmed] == ["MH381769"]


@pytest.mark.parametrize("entry", PANEL.entries, ids=lambda entry: entry.code)
def test_every_row_says_what_to_do_and_names_a_sequence_or_why_there_is_none(
    entry: PanelEntry,
) -> None:
    assert entry.actions and all(action.endswith(".") for action in entry.actions)
    if entry.severity in {"critical", "high"} and not entry.code.startswith("PERV"):
        assert entry.actions[0].startswith("Do not release")
    if entry.zoonotic and entry.status != "not_by_sequencing":
        assert any("people can catch it" in action for action in entry.actions)
    named = any(w.target == entry.code and w.confirmed for w in shipped_accessions())
    assert bool(entry.no_accession) == (not named and not entry.members)
    assert not entry.no_accession or entry.no_accession.startswith("not chosen yet: ")


def test_decoys_are_named_by_row_and_all_but_one_can_be_fetched() -> None:
    wanted = {d for e in PANEL.entries for d in e.decoys}
    shipped = {w.target for w in shipped_accessions() if w.role is ContigRole.DECOY}
    assert wanted - shipped == {"CVB5"}, "coxsackievirus B5: no accession was looked up"
    assert shipped <= wanted
    assert {"PCV2", "JEV", "CSFV", "PERV-C", "MT"} <= {e.code for e in PANEL.entries if e.decoys}


def test_the_fetch_has_a_reason_for_every_row_without_a_sequence() -> None:
    reasons = dict(line.split(" (", 1) for line in not_chosen(shipped_accessions(), PANEL))
    bare = {e.code for e in PANEL.entries if e.no_accession}
    assert reasons.keys() == bare
    assert "deletion variant of TGEV" in reasons["PRCV"]
    some = [w for w in shipped_accessions() if w.target != "ASFV"]
    assert any(line.startswith("ASFV (") for line in not_chosen(some, PANEL))


def test_a_bundle_without_a_near_relative_gets_a_remark() -> None:
    def contig(target: str, role: ContigRole) -> Contig:
        return Contig(name=target, role=role, target=target, length=1000)

    def lines(*contigs: Contig) -> list[str]:
        bundle = BundleManifest(
            name="b", version="1", created_at=now(), synthetic=True, files={}, contigs=contigs,
            panel_k=13, panel_w=5, host_bases=1,
        )  # fmt: skip
        return list(missing_decoys(bundle, PANEL))

    pcv2, pcv1 = contig("PCV2", ContigRole.PANEL), contig("PCV1", ContigRole.DECOY)
    (line,) = lines(pcv2)
    assert line.startswith("PCV2 is screened without PCV1")
    assert lines(pcv2, pcv1) == []
    assert lines(pcv1) == []


def test_a_broken_list_is_refused_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "panel.json"
    path.write_text(PANEL.model_dump_json().replace('"severity":"low"', '"severity":"mild"', 1))
    with pytest.raises(BundleRefused, match=r"panel\.json: .* wrong at entries\.\d+\.severity"):
        read_panel(path)
