"""How the bytes of a sheet become text: a strict order, and never other text in silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.errors import SampleSheetRefused
from porewatch.domain.inputs.landing.sheets import (
    choose,
    is_minknows_record,
)
from porewatch.domain.inputs.sheet.sample_sheet import (
    parse_sample_sheet,
    read_sheet,
)
from porewatch.domain.inputs.sheet.table_text import (
    Encoding,
    decode,
    rows_of,
)

SHEET = "alias,barcode,type,tissue\nブタ1,barcode01,test_sample,血漿\n水,barcode02,ntc,\n"
RECORD = (
    "protocol_run_id,position_id,flow_cell_id,sample_id,experiment_id,flow_cell_product_code,kit\n"
    "5a1d2c3b,MN1,FBA11111,豚,exp1,FLO-MIN114,SQK-NBD114-24\n"
)
SAVED = {
    "utf-8": Encoding.UTF8,
    "utf-8-sig": Encoding.UTF8_MARK,
    "utf-16": Encoding.UTF16,
    "cp932": Encoding.CP932,
}


@pytest.mark.parametrize("codec", SAVED)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_sheet_is_the_same_however_it_was_saved(codec: str, delimiter: str) -> None:
    content = SHEET.replace(",", delimiter).replace("\n", "\r\n").encode(codec)
    sheet = read_sheet(content, file="s.csv")
    assert sheet.faults == ()
    assert sheet.encoding is SAVED[codec]
    assert [(s.name, s.barcode, s.tissue) for s in sheet.samples] == [
        ("ブタ1", "barcode01", "血漿"),
        ("水", "barcode02", None),
    ]


@pytest.mark.parametrize("codec", SAVED)
def test_minknows_record_is_known_in_every_encoding(codec: str) -> None:
    assert is_minknows_record(RECORD.encode(codec))
    assert not is_minknows_record(SHEET.encode(codec))
    there = {"a.csv": RECORD.encode(codec), "b.csv": SHEET.encode(codec)}
    found = choose(there, there.__getitem__).chosen
    assert found is not None and found[0] == "b.csv"


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_orders_of_utf16_are_read(mark: bytes) -> None:
    codec = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert decode(mark + SHEET.encode(codec), "s").text == SHEET


def test_what_decodes_as_utf8_is_utf8_even_where_it_decodes_as_shift_jis() -> None:
    both = "name\né\n".encode()
    assert both.decode("cp932") == "name\nﾃｩ\n"
    assert decode(both, "s") == ("name\né\n", Encoding.UTF8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Straße", "nothing says which"), ("Österreich", "nothing says which"),
     ("Élevage", "nothing says which"), ("Göttingen", "not Shift-JIS"), ("Größe", "not Shift-JIS"),
     ("Müller", "not Shift-JIS"), ("señor", "not Shift-JIS"), ("the pig\u2019s", "which")],
)  # fmt: skip
def test_a_western_sheet_is_refused_and_never_read_as_other_words(text: str, expected: str) -> None:
    content = f"name,notes\npig 1,{text}\n".encode("cp1252")
    with pytest.raises(SampleSheetRefused, match=expected) as refusal:
        parse_sample_sheet(content, file="pigs.csv")
    assert (refusal.value.file, refusal.value.line) == ("pigs.csv", 2)
    assert "CSV UTF-8" in (refusal.value.remedy or "")


@pytest.mark.parametrize("name", ["豚A", "豚1", "豚", "ﾌﾞﾀ1", "ﾌﾞ", "男1", "ミニブタ-01", "№1 豚"])
def test_a_japanese_sheet_is_read_even_where_a_western_page_would_decode_it(name: str) -> None:
    found = decode(f"name,notes\nx,{name}\n".encode("cp932"), "s")
    assert (found.encoding, name in found.text) == (Encoding.CP932, True)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"PK\x03\x04" + bytes(30), "workbook"), (b"\xd0\xcf\x11\xe0" + bytes(30), "workbook"),
     ("name\nx\n".encode("utf-32"), "UTF-32"), ("name\nx\n".encode("utf-16-le"), "zero bytes"),
     (b"\xff\xfen\x00a", "not UTF-16"), (b"\xef\xbb\xbfname\n\xff\n", "byte order mark"),
     (b"name\n\xff\xff\n", "not Shift-JIS"), (b"name\n\xf0\x40\n", "not Shift-JIS")],
)  # fmt: skip
def test_what_does_not_decode_is_refused_by_what_it_is(content: bytes, expected: str) -> None:
    with pytest.raises(SampleSheetRefused, match=expected) as refusal:
        parse_sample_sheet(content, file="pigs.csv")
    assert refusal.value.file == "pigs.csv"
    assert refusal.value.remedy
    assert not is_minknows_record(content)


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(content: bytes) -> None:
    try:
        text = decode(content, "s").text
    except SampleSheetRefused as refusal:
        assert refusal.file == "s" and refusal.remedy
    else:
        text.encode()  # no half characters


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_excels_own_line_says_the_delimiter(first: str) -> None:
    (pig,) = parse_sample_sheet(f"{first}\r\nname;barcode\r\na;barcode01\r\n", file="s")
    assert pig.barcode == "barcode01"


def test_lines_for_people_are_left_out_and_still_counted() -> None:
    text = '# made today; by me\nname,barcode\n"# none, yet",\na,barcode01\n"b\nc",barcode02\n'
    assert [(row.line, row.cells[0]) for row in rows_of(text, "s")] == [
        (2, "name"), (4, "a"), (5, "b\nc"),
    ]  # fmt: skip
