"""B3 end to end: a bundle that lies in no folder of the machines, but in the stack's bucket."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from porewatch.domain import s3_keys
from porewatch.domain.stage.work_order import StoredOrder
from porewatch_worker.references.installed import (
    MANIFEST,
    SEAL,
    read_manifest,
)
from tests.cloud.lab import Lab

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("end to end")]
REF = "pushed@1"


def under_another_name(home: Path, references: Path) -> Path:
    """The demo's bundle as pushed@1, in a folder of bundles of its own."""
    folder = home / "elsewhere/pushed/1"
    shutil.copytree(references / "demo/1", folder, dirs_exist_ok=True)
    manifest = read_manifest(references, "demo@1").model_copy(update={"name": "pushed"})
    text = manifest.canonical_json().encode()
    (folder / MANIFEST).write_bytes(text)
    (folder / SEAL).write_text(hashlib.sha256(text).hexdigest())
    return home / "elsewhere"


def send_runs(lab: Lab) -> None:
    home, _ = lab.cloud.home, lab.demo
    root = under_another_name(home.root, home.references)
    done = lab.command("references", "push", REF, "--references", str(root), "--json")
    assert done.returncode == 0, done.stderr
    files = {f"fastq/barcode01/reads_{n:02d}.fastq.gz": c for n, c in enumerate(lab.donor[:2])}
    run_id = lab.run_id("pushed")
    lab.put_files(run_id, files)
    manifest = lab.manifest(run_id, files)
    lab.put_seal(run_id, manifest.model_copy(update={"bundle": REF}))


def test_a_run_is_screened_with_what_its_machines_fetched_from_the_bucket(lab: Lab) -> None:
    run = lab.completed(lab.run_id("pushed")).run
    sent = json.loads(lab.command("references", "list", "--stack", "", "--json").stdout or "[]")
    assert not [one for one in sent if one["name"] == "pushed"], "no folder of this machine has it"
    there = json.loads(lab.command("references", "list", "--pushed", "--json").stdout)
    assert REF in [one["ref"] for one in there]
    order = lab.stack.bucket("Results").get_json(
        s3_keys.order_key(run.run_id, run.revision, "report"), StoredOrder
    )
    assert lab.stack.bundles is not None
    pushed = lab.stack.bundles.find(REF)
    assert pushed is not None and order.bundle_sha256 == pushed.sha256
    assert any(finding.call == "detected" for finding in lab.findings(run).findings)
