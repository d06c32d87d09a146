"""Which objects are a run's, and which are not."""

from __future__ import annotations

import pytest

from porewatch.domain.retention.whereabouts import (
    is_searched,
    is_tar_of,
    raw_prefixes,
)

KNOWN = frozenset({"inbox/other-name.tar", "runs/another/input.tar"})


@pytest.mark.parametrize(
    ("key", "mine"),
    [
        ("inbox/run-1.tar", True),
        ("inbox/release-policy=donor-screening/run-1.tar", True),
        ("inbox/run-1/input.tar", True),
        ("anywhere/run-1/input.tar", True),
        ("quarantine/inbox/run-1.tar", True),
        ("quarantine/inbox/run-1.tar.reason.txt", True),
        ("inbox/other-name.tar", True),
        ("runs/another/input.tar", True),
        ("inbox/run-10.tar", False),
        ("inbox/run-1.tar.gz", False),
        ("inbox/run-1.txt", False),
        ("inbox/not a run id.tar", False),
        ("runs/another/run-1.tar", False),
        ("inbox/run-1/notes.tar", False),
        ("quarantine/inbox/run-10.tar.reason.txt", False),
    ],
)
def test_a_tar_is_a_runs_by_its_name_or_by_the_ledger(key: str, mine: bool) -> None:
    assert is_tar_of("run-1", key, KNOWN) is mine


@pytest.mark.parametrize(
    ("folder", "searched"),
    [
        ("inbox/", True),
        ("somewhere/", True),
        ("quarantine/inbox/", True),
        ("runs/", False),
        ("manifests/", False),
        ("quarantine/", False),
        ("quarantine/runs/", False),
    ],
)
def test_folders_with_a_folder_for_each_run_are_not_searched(folder: str, searched: bool) -> None:
    assert is_searched(folder) is searched


def test_a_prefix_ends_where_the_run_id_ends() -> None:
    assert all(prefix.endswith("/run-1/") for prefix in raw_prefixes("run-1"))
