"""A run that is sent again while it is in progress: nothing new starts, and a remark says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.adapters.objects import Objects
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import ManifestRefused
from porewatch.domain.rules import run_endings
from porewatch.domain.sealing import parse_manifest
from porewatch_cli.stack import Stack
from porewatch_cli.submit.submit import submit
from tests.cli.test_choices import READS, reads, stack  # noqa: F401 - fixtures

RUN = "pig-7"


def sealed(stack: Stack, reads: Path) -> str:  # noqa: F811
    """The run as the cloud seals it; its key."""
    assert submit(reads, stack=stack, run_id=RUN, quiet=True).remarks == ()
    key = s3_keys.seal_key(RUN)
    manifest = parse_manifest(Objects("raw").get(key), run_id=RUN)
    stack.runs.seal(manifest, sealed_by="run.json", at=now())
    return key


def test_the_same_reads_again_show_how_far_the_run_is(stack: Stack, reads: Path) -> None:  # noqa: F811
    key = sealed(stack, reads)
    (remark,) = submit(reads, stack=stack, run_id=RUN, quiet=True).remarks
    assert "already in progress: sealed, revision 0" in remark
    manifest = parse_manifest(Objects("raw").get(key), run_id=RUN)
    stack.runs.start(manifest, execution_arn="a", bundle="demo@1", at=now())
    (remark,) = submit(reads, stack=stack, run_id=RUN, quiet=True).remarks
    assert "running, revision 0" in remark
    assert f"porewatch watch {RUN}" in remark
    stack.runs.apply(RUN, run_endings.complete, 0, report_keys={}, findings=0, cost_usd=0, at=now())
    assert submit(reads, stack=stack, run_id=RUN, quiet=True).remarks == ()


def test_other_reads_are_refused_before_they_are_sent_while_the_run_is_at_work(
    stack: Stack,  # noqa: F811
    reads: Path,  # noqa: F811
) -> None:
    key = sealed(stack, reads)
    content = Objects("raw").get(key)
    manifest = parse_manifest(content, run_id=RUN)
    stack.runs.start(manifest, execution_arn="a", bundle="demo@1", at=now())
    reads.write_bytes(READS.replace(b"@r1", b"@r2") + READS)
    with pytest.raises(ManifestRefused, match="under way with another manifest"):
        submit(reads, stack=stack, run_id=RUN, quiet=True)
    assert Objects("raw").get(key) == content
    assert Objects("raw").get(s3_keys.raw_key(RUN, "fastq/a.fastq")) == READS
