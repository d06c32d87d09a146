"""A bundle is verified before it is used, and a changed one is refused by file."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from porewatch.domain.errors import BundleRefused
from porewatch_worker.references import verify
from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.installed import (
    list_bundles,
    read_manifest,
)
from porewatch_worker.references.load import load
from tests.worker.bundles import folder_with_two_viruses


@pytest.fixture
def root(tmp_path: Path) -> Path:
    build_bundle(folder_with_two_viruses(tmp_path / "in"), tmp_path / "root", "mine", "1")
    return tmp_path / "root"


def flip_a_base(path: Path) -> None:
    """Same size, same modification time, one base changed."""
    seen = path.stat()
    content = bytearray(path.read_bytes())
    content[-10] = ord("A") if content[-10] != ord("A") else ord("C")
    path.write_bytes(bytes(content))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


TAMPERING: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "panel": ("panel.fa", flip_a_base, r"panel\.fa: was altered: its sha256"),
    "host": ("host.fa", flip_a_base, r"host\.fa: was altered: its sha256"),
    "list": ("panel.json", lambda p: p.write_text(p.read_text() + "\n"), "was altered: .* bytes"),
    "gone": ("host.fa", Path.unlink, r"host\.fa: is missing"),
    "manifest": ("bundle.json", lambda p: p.write_text(p.read_text().replace("HEV", "PPV")),
                 r"bundle\.json: was altered"),
    "seal": ("bundle.json.sha256", Path.unlink, "the manifest's seal is missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", TAMPERING)
def test_a_tampered_bundle_is_refused_by_file_even_after_a_good_load(root: Path, case: str) -> None:
    load(root, "mine@1")
    name, tamper, message = TAMPERING[case]
    tamper(root / "mine" / "1" / name)
    for check in (load, verify.verify_bundle):
        with pytest.raises(BundleRefused, match=message) as refusal:
            check(root, "mine@1")
        assert "build the bundle again" in str(refusal.value)


def test_an_unchanged_bundle_is_hashed_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = verify.sha256_of

    def watched(path: Path) -> str:
        hashed.append(path.name)
        return real(path)

    monkeypatch.setattr(verify, "sha256_of", watched)
    verify.check_bundle(root, "mine@1")
    assert sorted(hashed) == ["bundle.json", "host.fa", "panel.fa", "panel.json"]
    hashed.clear()
    verify.check_bundle(root, "mine@1")
    assert hashed == []
    (root / "mine" / "1" / "host.fa").touch()
    verify.check_bundle(root, "mine@1")
    assert "host.fa" in hashed
    hashed.clear()
    verify.verify_bundle(root, "mine@1")
    assert "host.fa" in hashed


def test_a_bundle_is_loaded_once_for_all_threads(root: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        loaded = list(threads.map(lambda _: load(root, "mine@1"), range(16)))
    assert len({id(bundle) for bundle in loaded}) == 1


def test_a_missing_bundle_is_named_beside_those_that_are_there(root: Path) -> None:
    with pytest.raises(BundleRefused, match=r"no bundle mine@2 .*\(there: mine@1\)"):
        load(root, "mine@2")
    with pytest.raises(BundleRefused, match=r"'../mine@1' is not a bundle"):
        load(root, "../mine@1")


def test_a_renamed_folder_is_not_another_bundle(root: Path) -> None:
    (root / "mine" / "1").rename(root / "mine" / "2")
    with pytest.raises(BundleRefused, match="the manifest names mine@1, the folder mine@2"):
        read_manifest(root, "mine@2")


def test_unfinished_builds_are_not_listed(root: Path) -> None:
    left_behind = root / "mine" / ".building-x"
    left_behind.mkdir()
    (left_behind / "bundle.json").write_bytes((root / "mine" / "1" / "bundle.json").read_bytes())
    assert [bundle.ref for bundle in list_bundles(root)] == ["mine@1"]
