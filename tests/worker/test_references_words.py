"""Sampled words of large panel genomes stand in their bundle, verified as every file is."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.domain.calls.references import BundleManifest
from porewatch.domain.errors import BundleRefused
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import LoadedBundle, load
from porewatch_worker.references.verify import verify_bundle
from porewatch_worker.science.call import containment
from porewatch_worker.science.call.containment import ReferenceKmers
from porewatch_worker.science.sequence.conserved import LARGE
from tests.worker.bundles import bases, fasta, folder_with_two_viruses


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("words")
    folder = folder_with_two_viruses(path / "in")
    fasta(folder / "panel" / "EC.fa", coli=bases(LARGE, 8), plasmid=bases(5_000, 9))
    build_bundle(folder, path / "root", "mine", "1")
    return path / "root"


def words_of(bundle: LoadedBundle, stored: Path | None) -> ReferenceKmers:
    return ReferenceKmers(bundle.contigs.values(), bundle.panel_aligner.seq, stored)


def test_stored_words_are_those_that_would_be_made(root: Path) -> None:
    bundle = load(root, "mine@1")
    assert bundle.words is not None
    own = bundle.panel_aligner.seq("coli", 1_000, 60_000)
    plasmid = bundle.panel_aligner.seq("plasmid")
    stored, made = words_of(bundle, bundle.words), words_of(bundle, None)
    for stretch in (own, plasmid, bases(50_000, 10)):
        assert stored.found("EC", [stretch]) == made.found("EC", [stretch])
    sampled, found = stored.found("EC", [own, plasmid])
    assert sampled == found > 500


def test_nothing_is_hashed_where_the_words_are_stored(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = load(root, "mine@1")
    monkeypatch.setattr(containment, "_kmers_of", lambda *_: pytest.fail("hashed a reference"))
    assert words_of(bundle, bundle.words).found("EC", [bases(5_000, 9)])[1] > 20


def test_a_bundle_of_small_genomes_has_none(tmp_path: Path) -> None:
    folder = folder_with_two_viruses(tmp_path / "in")
    manifest = build_bundle(folder, tmp_path / "root", "small", "1")
    assert manifest.words is None
    assert not (tmp_path / "root" / "small" / "1" / "words.npz").exists()
    assert load(tmp_path / "root", "small@1").words is None


def test_a_manifest_of_an_earlier_version_has_none(root: Path) -> None:
    text = (root / "mine" / "1" / "bundle.json").read_text()
    manifest = BundleManifest.model_validate_json(text)
    earlier = manifest.model_dump(mode="json", exclude={"words"})
    assert BundleManifest.model_validate(earlier).words is None
    assert manifest.words is not None


def test_altered_words_are_refused_by_file(tmp_path: Path) -> None:
    folder = folder_with_two_viruses(tmp_path / "in")
    fasta(folder / "panel" / "EC.fa", coli=bases(LARGE, 8))
    build_bundle(folder, tmp_path / "root", "mine", "1")
    path = tmp_path / "root" / "mine" / "1" / "words.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BundleRefused, match=r"words\.npz: was altered"):
        verify_bundle(tmp_path / "root", "mine@1")


def test_the_same_genomes_give_the_same_bytes(tmp_path: Path) -> None:
    folder = folder_with_two_viruses(tmp_path / "in")
    fasta(folder / "panel" / "EC.fa", coli=bases(LARGE, 8))
    one, two = (build_bundle(folder, tmp_path / n, "mine", "1").words for n in ("a", "b"))
    assert one is not None
    assert one == two
