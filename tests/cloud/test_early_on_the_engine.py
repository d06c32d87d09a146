"""While the run goes on: a file lands in the deployed stack, and an alert is out in seconds."""

from __future__ import annotations

import time

import pytest

from porewatch.adapters.early.early_evidence import EarlyEvidence
from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.domain.runs import RunState
from tests.cloud.lab import Lab
from tests.cloud.making import wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.xdist_group("end to end")]
WARNED_WITHIN = 120.0
"""Seconds, on a machine that other tests use: the bound of the product is measured apart."""


def test_a_file_raises_an_alert_before_the_run_is_sealed(lab: Lab) -> None:
    done = lab.command("references", "push", lab.demo.bundle, "--replace")
    assert done.returncode == 0, done.stderr
    assert f"{lab.demo.bundle.replace('@', '-alert@')}" in done.stdout
    run_id, ledger = lab.run_id("early"), lab.stack.table
    files = {f"fastq/barcode01/reads_{n:02d}.fastq.gz": c for n, c in enumerate(lab.donor)}
    began = time.monotonic()
    lab.put_files(run_id, files)
    wait_for(
        lambda: EarlyEvidence(ledger).totals(run_id).files == len(files),
        WARNED_WITHIN,
        "all files to be screened",
        every=0.5,
    )
    alerts = AlertLedger(ledger).of_run(run_id)
    took = time.monotonic() - began
    print(f"\n{len(files)} files screened {took:.1f} s after the first landed")
    assert {(a.sample, a.code) for a in alerts}, EarlyEvidence(ledger).totals(run_id)
    codes = {code for found in lab.demo.expected.values() for code in found}
    assert {a.code for a in alerts} <= codes
    assert lab.stack.runs.get(run_id).state is RunState.RECEIVING
