"""Names of samples: every script, nothing hidden, and an ASCII key that never moves."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from porewatch.domain.errors import ManifestRefused, SampleSheetRefused
from porewatch.domain.inputs.landing.run_paths import run_paths
from porewatch.domain.inputs.sample_keys import (
    file_keys,
    in_ascii,
    in_subject,
    keyed,
)
from porewatch.domain.inputs.sheet.sample_sheet import parse_sample_sheet
from porewatch.domain.runs import Sample, SampleRole
from porewatch.domain.sample_names import as_seen, sample_name
from porewatch.domain.sealing import input_file, seal
from tests.unit.domain.test_manifest_digest import BEFORE, full

GOOD = ("pig 12", "7", "a.b_c-d", "ブタ1", "豚-02", "돼지 3", "свинья", "χοίρος", "Schwein_ü",
        "ไทย", "सूअर", "خنزير", "חזיר", "٣", "Ⅳ号", "猪" * 63)  # fmt: skip
BAD = {
    "": "empty", " pig": "blank", "pig ": "blank", "\u3000pig": "blank", ".pig": "first",
    "-pig": "first", "\u0301a": "first", "a/b": "U+002F", "a\\b": "U+005C", "../a": "first",
    "a\u2215b": "DIVISION SLASH", "a\tb": "control", "a\x00b": "control", "a\nb": "control",
    "a\x1bb": "control", "a\u202eb": "RIGHT-TO-LEFT", "a\u2066b": "LEFT-TO-RIGHT ISOLATE",
    "a\u200bb": "cannot be seen", "a\u200db": "cannot be seen", "a\u3164b": "HANGUL FILLER",
    "a\ufe0fb": "cannot be seen", "a\U000e0100b": "cannot be seen", "a\ue000b": "private",
    "a\ud800b": "half", "a\u2028b": "line break", "=1+1": "first", "a#b": "U+0023",
    "a🐖": "PIG", "①": "first", "a" * 64: "64 characters", "a" + "\u0323\u0331\u0301\u0308\u0306"
    "\u030b": "marks", "a:b": "U+003A", "a*": "U+002A", "a<b": "U+003C", "[red]": "first",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_every_script_may_be_used(name: str) -> None:
    assert sample_name(name) == unicodedata.normalize("NFC", name)
    assert Sample(name=name).name == sample_name(name)


@pytest.mark.parametrize("name", BAD)
def test_what_is_hidden_or_leaves_its_folder_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(ValueError, match=BAD[name].replace("+", r"\+")):
        sample_name(name)
    with pytest.raises(ValidationError):
        Sample(name=name)


@pytest.mark.parametrize("name", sorted(set(BAD) - {""}))
def test_a_sheet_refuses_such_a_name_with_file_row_and_remedy(name: str) -> None:
    if name.encode("utf-8", "replace").decode() != name or name != name.strip():
        pytest.skip("no file can hold it, or a cell is what stands between its blanks")
    quoted = '"' + name.replace('"', '""') + '"'
    with pytest.raises(SampleSheetRefused) as refusal:
        parse_sample_sheet(f"name,barcode\nok,barcode01\n\n{quoted},barcode02\n", file="s.csv")
    assert (refusal.value.file, refusal.value.line, refusal.value.column) == ("s.csv", 4, "name")
    assert "first a letter or digit" in (refusal.value.remedy or "")


@given(st.text(max_size=70))
def test_a_name_that_passes_is_kept_and_safe(text: str) -> None:
    try:
        name = sample_name(text)
    except ValueError:
        return
    assert sample_name(name) == name == unicodedata.normalize("NFC", name).strip()
    assert name.isprintable() and not set(name) & set('/\\:*?"<>|#=[]')
    key = in_ascii(name)
    assert key and key.isascii() and key.replace("-", "").replace("_", "").isalnum()


@given(st.lists(st.text("aAbé ブタ1.-_", min_size=1, max_size=4), max_size=12), st.randoms())
def test_keys_differ_on_any_file_system_and_those_not_of_ascii_never_move(
    texts: list[str], rng: object
) -> None:
    samples = list(named(*texts).values())
    keys = file_keys(samples)
    assert len({key.casefold() for key in keys.values()}) == len(samples)
    assert list(keys) == [s.name for s in samples]
    for name, key in keys.items():
        if not name.isascii():
            assert key == in_ascii(name)


def named(*texts: str) -> dict[str, Sample]:
    found = {}
    for text in texts:
        try:
            found[sample_name(text)] = Sample(name=text)
        except ValueError:
            continue
    return found


def test_keys_of_ascii_names_are_what_they_were() -> None:
    samples = named("pig 12", "a", "A", "a b", "a.b", "ブタ1", "1").values()
    ntc = Sample(name="a-b", role=SampleRole.NO_TEMPLATE_CONTROL)
    keys = file_keys([ntc, *samples])
    assert [keys[n] for n in ("pig 12", "a", "A", "a b", "a.b", "1")] == [
        "pig-12", "a", "A-2", "a-b", "a-b-2", "1",
    ]  # fmt: skip
    assert keys["a-b"] == "a-b-3"  # a control never takes the key of a sample
    assert keys["ブタ1"] == in_ascii("ブタ1") == "1-d9d57acf"


def test_an_ascii_name_that_is_written_like_a_key_keeps_it_and_the_other_gives_way() -> None:
    keys = file_keys(list(named("ブタ1", in_ascii("ブタ1")).values()))
    assert keys[in_ascii("ブタ1")] == in_ascii("ブタ1")
    assert keys["ブタ1"] == in_ascii("ブタ1") + "-2"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("é1", "e\u03011", "already given"), ("ブ", "フ\u3099", "already given"),
     ("A1", "Ａ１", "looks like"), ("ブタ", "ﾌﾞﾀ", "looks like"), ("PIG", "РIG", "looks like"),
     ("pig\u00a01", "pig 1", "already given"), ("pig\u30001", "pig 1", "already given")],
)  # fmt: skip
def test_names_that_look_alike_are_refused(one: str, other: str, expected: str) -> None:
    with pytest.raises(SampleSheetRefused, match=expected) as refusal:
        parse_sample_sheet(f"name,barcode\n{one},barcode01\n{other},barcode02\n", file="s.csv")
    assert refusal.value.line == 3
    twins = [Sample(name=one, barcode="barcode01"), Sample(name=other, barcode="barcode02")]
    with pytest.raises(ManifestRefused, match="duplicate sample name"):
        seal([input_file("fastq/a.fastq", 1)], run_id="r", created_at=full().created_at,
             samples=twins)  # fmt: skip


def test_names_that_differ_in_capitals_are_two_samples() -> None:
    assert as_seen("pig-A") != as_seen("PIG-A")
    two = parse_sample_sheet("name,barcode\npig-A,barcode01\nPIG-A,barcode02\n", file="s.csv")
    assert len(set(file_keys(two).values())) == 2


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_paths_in_the_run_have_the_key_where_a_name_is_not_ascii(form: str) -> None:
    samples = list(named("ブタ1", "ブタ1 b", "pig 2").values())
    keys = file_keys(samples)
    lying = [
        "x/fastq_pass/ブタ1/FAX1_pass_ブタ1_1234abcd_1234abcd_0.fastq.gz",
        "x/fastq_pass/ブタ1 b/a.fastq.gz",
        "x/fastq_pass/pig 2/a.fastq.gz",
    ]
    typed = [unicodedata.normalize(form, path) for path in lying]
    assert list(run_paths(typed, samples).values()) == [
        f"fastq/{keys['ブタ1']}/FAX1_pass_{keys['ブタ1']}_1234abcd_1234abcd_0.fastq.gz",
        f"fastq/{keys['ブタ1 b']}/a.fastq.gz",
        "fastq/pig 2/a.fastq.gz",
    ]


def test_a_name_within_a_longer_word_is_not_that_sample() -> None:
    keys = file_keys(list(named("ブタ").values()))
    assert keyed("fastq/ブタ小屋/a.fastq", keys) == "fastq/ブタ小屋/a.fastq"


def test_a_manifest_with_only_ascii_names_keeps_its_digest() -> None:
    assert full().digest() == BEFORE


def test_the_subject_of_a_mail_names_the_key_and_never_question_marks() -> None:
    assert in_subject("pig 12") == "pig 12"
    assert in_subject("ブタ1") == in_ascii("ブタ1")
