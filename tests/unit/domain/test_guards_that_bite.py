"""Guards of a line each, which nothing else would miss: what they keep out, seen alone."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from porewatch.domain.errors import ManifestRefused
from porewatch.domain.records.file_record import FileRecord, FileState
from porewatch.domain.runs import ReadKind
from porewatch.domain.sealing import input_file, seal
from porewatch.domain.uploads import readiness
from porewatch.domain.uploads.run_archives import refuse_member

AT = datetime(2026, 3, 1, tzinfo=UTC)
PATH = "fastq/a.fastq"


def checked(etag: str, state: FileState = FileState.VALID) -> FileRecord:
    return FileRecord(
        run_id="r", path=PATH, kind=ReadKind.FASTQ, state=state, size=9, etag=etag, sha256="a" * 64,
        reads=1, bases=4, checked_at=AT,
    )  # fmt: skip


@pytest.mark.parametrize("sha256", [None, "a" * 64])
def test_an_object_of_equal_size_that_was_not_checked_is_waited_for(sha256: str | None) -> None:
    """What was checked goes by its etag: the same bytes, not as many."""
    manifest = seal([input_file(PATH, 9, sha256)], run_id="r", created_at=AT)
    lying: Any = {PATH: SimpleNamespace(size=9, etag="new")}
    assert readiness.check(manifest, lying, {PATH: checked("old")}).waiting_for == (PATH,)
    assert readiness.check(manifest, lying, {PATH: checked("new")}).waiting_for == ()


def test_an_old_verdict_does_not_set_a_new_object_aside() -> None:
    manifest = seal([input_file(PATH, 9)], run_id="r", created_at=AT)
    lying: Any = {PATH: SimpleNamespace(size=9, etag="new")}
    old = checked("old", FileState.QUARANTINED)
    assert readiness.check(manifest, lying, {PATH: old}).waiting_for == (PATH,)


def test_a_sparse_member_is_no_ordinary_file() -> None:
    """By its type, or by what extended headers made of an ordinary one."""
    by_type, by_header = tarfile.TarInfo(PATH), tarfile.TarInfo(PATH)
    by_type.type = tarfile.GNUTYPE_SPARSE
    by_type.sparse = by_header.sparse = [(0, 9)]  # type: ignore[attr-defined]
    for member in (by_type, by_header):
        member.size = 9
        with pytest.raises(ManifestRefused, match="not an ordinary file"):
            refuse_member(member, 1, 9, size=10_240)
    plain = tarfile.TarInfo(PATH)
    plain.size = 9
    refuse_member(plain, 1, 9, size=10_240)
