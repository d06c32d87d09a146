"""Where an upload goes: never outside of its run, never where the control plane writes."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from porewatch.domain import s3_keys
from porewatch.domain.errors import InputRefused, Refused
from porewatch.domain.inputs.file_names import Landed, classify
from porewatch.domain.submission.part_plan import MOST_BYTES, MOST_PARTS, part_plan
from porewatch.domain.submission.placing import place, shown_path
from porewatch.domain.uploads.run_archives import run_id_of

RUN = "r-abc"
PIECES = st.sampled_from(
    [
        "..",
        ".",
        "",
        "/",
        "\\",
        "run.json",
        "quarantine",
        "manifests",
        "content",
        "runs",
        "r-b",
        "a.fastq",
        "final_summary_1.txt",
        "held.final_summary_1.txt.log",
        "input.tar",
        "\x00",
        "%2e%2e",
        "sample_sheet.csv",
        "fastq_pass",
        "barcode01",
        "～",
        "ﬀ",
        "\u202e",
        "a=b",
        "bundle=x",
    ]
)
PATHS = st.one_of(
    st.lists(PIECES, max_size=6).map("/".join), st.lists(PIECES).map("".join), st.text()
)


@given(PATHS, st.integers(0, 2**50))
@example("held.final_summary_1.txt.log", 5)
def test_no_path_leaves_its_run(path: str, size: int) -> None:
    try:
        found = place(path, size, {})
    except Refused:
        return
    if not found.stored:
        assert found.problem
        return
    key = s3_keys.raw_key(RUN, found.stored)
    assert s3_keys.split_raw_key(key) == (RUN, found.stored)
    assert not {"", ".", ".."} & set(key.split("/"))
    assert found.stored.split("/")[0] not in ("quarantine", "manifests", "content")
    assert len(key.encode()) <= 1024
    assert classify(found.stored) not in (Landed.MANIFEST, Landed.SUMMARY)
    if key.endswith(".tar"):
        assert run_id_of(key) == RUN
    else:
        assert shown_path(found.stored) == found.path


@given(st.integers(0, MOST_BYTES))
@example(60 * 10**9)
@example(MOST_BYTES)
def test_every_file_fits_into_the_parts_that_s3_takes(size: int) -> None:
    plan = part_plan(size)
    assert plan.parts <= MOST_PARTS
    assert 8 * 2**20 <= plan.part_bytes <= 5 * 2**30
    lengths = plan.part_bytes * (plan.parts - 1) + plan.length(plan.parts)
    assert lengths == size


@given(st.one_of(st.integers(max_value=-1), st.integers(min_value=MOST_BYTES + 1)))
def test_a_size_that_no_object_has_is_refused(size: int) -> None:
    try:
        part_plan(size)
    except InputRefused:
        return
    raise AssertionError(size)
