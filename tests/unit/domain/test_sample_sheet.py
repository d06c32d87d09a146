"""Sample sheets: what is understood, and how each mistake is reported."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.errors import SampleSheetRefused, SeveralRefused
from porewatch.domain.inputs.sheet.sample_sheet import (
    ROLES,
    parse_barcode,
    parse_sample_sheet,
)
from porewatch.domain.runs import SampleRole


def test_our_own_columns_become_samples_with_numbers_and_roles() -> None:
    sheet = (
        "name,barcode,role,material,volume_ml,spike_copies,extraction_efficiency\n"
        "pig 12,barcode01,sample,dna,0.5,1e4,0.8\n"
        "ntc,barcode02,no_template_control,,,,\n"
    )
    pig, control = parse_sample_sheet(sheet, file="s.csv")
    assert (pig.name, pig.barcode, pig.volume_ml, pig.spike_copies) == (
        "pig 12",
        "barcode01",
        0.5,
        1e4,
    )
    assert pig.extraction_efficiency == 0.8
    assert control.role is SampleRole.NO_TEMPLATE_CONTROL
    assert control.volume_ml is None


def test_the_sheet_minknow_writes_is_understood() -> None:
    sheet = (
        "protocol_run_id,position_id,flow_cell_id,sample_id,experiment_id,"
        "flow_cell_product_code,kit,barcode,alias,type\r\n"
        "e4994c62,X1,FAX00001,pool,exp,FLO-MIN114,SQK-NBD114-24,barcode03,pig_3,test_sample\r\n"
        "e4994c62,X1,FAX00001,pool,exp,FLO-MIN114,SQK-NBD114-24,barcode04,blank,negative_control\r\n"
    )
    samples = parse_sample_sheet(b"\xef\xbb\xbf" + sheet.encode(), file="s.csv")
    assert [(s.name, s.barcode, s.role.value) for s in samples] == [
        ("pig_3", "barcode03", "sample"),
        ("blank", "barcode04", "no_template_control"),
    ]


def test_minknows_sheet_of_a_run_without_barcodes_names_the_sample_by_its_sample_id() -> None:
    sheet = "protocol_run_id,sample_id,kit\nx,plasma7,SQK-LSK114\n"
    (sample,) = parse_sample_sheet(sheet, file="s.csv")
    assert (sample.name, sample.barcode) == ("plasma7", None)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_commas_tabs_and_semicolons_separate_cells(delimiter: str) -> None:
    sheet = f"sample{delimiter}barcode\n\npig{delimiter}Barcode07\n"
    (sample,) = parse_sample_sheet(sheet, file="s")
    assert sample.barcode == "barcode07"


@pytest.mark.parametrize(
    ("sheet", "line", "expected"),
    [
        ("", None, "sheet is empty"),
        ("\n , \n", None, "sheet is empty"),
        ("name,barcode\n", None, "no sample"),
        ("barcode,role\nbarcode01,sample\n", 1, "no column name"),
        ("name,volum_ml\na,1\n", 1, "'volum_ml' is not known. Remedy: did you mean volume_ml"),
        ("name,alias\na,b\n", 1, "two columns give the name"),
        ("name,barcode\na,barcode01\na,barcode02\n", 3, "name 'a' was already given in line 2"),
        ("name,barcode\na,barcode01\nb,barcode01\n", 3, "'barcode01' was already given in line 2"),
        ("name,barcode\na,barcode99999\n", 2, "barcode 'barcode99999' cannot be used"),
        ("name,barcode\na,bc-x\n", 2, "barcode 'bc-x' cannot be used"),
        ("name,barcode\na,barcode00\n", 2, "barcode01 to barcode96"),
        ("name,barcode\na,NB07\n", 2, "write barcode07"),
        ("name,barcode\na,barcode01\nb,\n", 3, "'b' has no barcode"),
        ("name,role\na,blank-ish\n", 2, "role 'blank-ish' cannot be used"),
        ("name,material\na,protein\n", 2, "use dna or rna"),
        ("name,volume_ml\na,half\n", 2, "volume_ml 'half' cannot be used"),
        ('name;volume_ml\na;"0,5"\n', 2, "with a point"),
        ("name,volume_ml\na,-1\n", 2, "greater than 0"),
        ("name,volume_ml\na,nan\n", 2, "greater than 0"),
        ("name,spike_copies\na,0\n", 2, "greater than 0"),
        ("name,extraction_efficiency\na,1.5\n", 2, "at most 1"),
        ("name,spike_cv\na,15\n", 2, "at most 2"),
        ("name,extraction_cv\na,20 %\n", 2, "like 0.5"),
        ("name,nucleic_acid_ng_per_ml\na,0\n", 2, "greater than 0"),
        ("name,nucleic_acid_ng_ml\na,5\n", 1, "nucleic_acid_ng_per_ml"),
        ("name,barcode\n../a,barcode01\n", 2, "name '../a' cannot be used"),
        ("name,barcode\n,barcode01\n", 2, "name '' cannot be used"),
        ("name,barcode\na\n", 2, "1 cells, the header has 2"),
        ("name,volume_ml\npig 1,0,5\n", 2, "3 cells, the header has 2"),
        ("name,barcode\na,barcode0\n", 2, "write it as MinKNOW does"),
        ('name,barcode\na,"barcode01\n', 2, "not CSV"),
    ],
)
def test_each_mistake_is_reported_with_file_line_value_and_remedy(
    sheet: str, line: int | None, expected: str
) -> None:
    with pytest.raises(SampleSheetRefused) as refusal:
        parse_sample_sheet(sheet, file="pigs.csv")
    assert refusal.value.line == line
    assert refusal.value.remedy
    assert str(refusal.value).startswith("pigs.csv")
    assert expected in str(refusal.value)


def test_empty_cells_behind_the_last_column_are_nothing() -> None:
    (sample,) = parse_sample_sheet("name,volume_ml\npig 1,0.5,,\n", file="pigs.csv")
    assert sample.volume_ml == 0.5


def test_a_spreadsheet_sent_as_csv_is_refused_by_line() -> None:
    with pytest.raises(SampleSheetRefused, match="line 2: the sheet is not UTF-8 text"):
        parse_sample_sheet(b"name\n\xff\xfe", file="pigs.csv")


@given(st.text(max_size=400))
def test_any_text_gives_samples_or_one_clear_refusal(text: str) -> None:
    try:
        samples = parse_sample_sheet(text, file="any.csv")
    except (SampleSheetRefused, SeveralRefused) as refusal:
        for fault in getattr(refusal, "faults", (refusal,)):
            assert fault.file == "any.csv"
            assert fault.remedy
    else:
        assert samples
        assert len({s.name for s in samples}) == len(samples)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z"), st.sampled_from(list(ROLES))
        ),
        min_size=1,
        max_size=96,
        unique_by=lambda pair: pair[0],
    ),
    st.sampled_from([",", "\t", ";"]),
)
def test_what_was_written_is_what_is_read(rows: list[tuple[str, str]], delimiter: str) -> None:
    lines = [
        delimiter.join((name, f"barcode{i:02d}", role)) for i, (name, role) in enumerate(rows, 1)
    ]
    samples = parse_sample_sheet(
        "\n".join([delimiter.join(("alias", "barcode", "type")), *lines]), file="s"
    )
    assert [(s.name, s.role) for s in samples] == [(name, ROLES[role]) for name, role in rows]


@pytest.mark.parametrize(
    "value", ["barcode01", " BARCODE96 ", "Barcode48", "barcode97", "barcode384", "barcode12a"]
)
def test_barcodes_that_a_folder_may_bear_pass_in_any_case(value: str) -> None:
    assert parse_barcode(value) == value.strip().lower()


def test_a_sheet_states_uncertainties_and_the_mass_of_nucleic_acid() -> None:
    sheet = "name,spike_cv,extraction_cv,nucleic_acid_ng_per_ml,nucleic_acid_cv\npig,0.1,.3,42,\n"
    (pig,) = parse_sample_sheet(sheet, file="s.csv")
    assert (pig.spike_cv, pig.extraction_cv) == (0.1, 0.3)
    assert (pig.nucleic_acid_ng_per_ml, pig.nucleic_acid_cv) == (42.0, None)


IDENTITY = (
    "name,accession,animal,species,tissue,collected,received,requester,analyst\n"
    "ブタ1,V-26/0815,  SLA-d 7 ,Sus scrofa,脾臓,2026/3/1,2026-03-02,動物病院,佐藤\n"
)


def test_whose_sample_it_is_stands_in_the_sheet() -> None:
    (pig,) = parse_sample_sheet(IDENTITY, file="s.csv")
    assert (pig.accession, pig.animal, pig.species, pig.tissue) == (
        "V-26/0815", "SLA-d 7", "Sus scrofa", "脾臓",
    )  # fmt: skip
    assert (pig.collected, pig.received) == (date(2026, 3, 1), date(2026, 3, 2))
    assert (pig.requester, pig.analyst) == ("動物病院", "佐藤")


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [("collected", "01/03/2026", "the year first"), ("collected", "28.11.2026", "the year first"),
     ("received", "2026-02-30", "no such day"), ("received", "2062", "the year first"),
     ("collected", "0026-03-01", "year 26"), ("collected", "2026-3/1", "the year first"),
     ("received", "2026-02-28T10:00", "the year first"), ("animal", "pig\u202e7", "U\\+202E"),
     ("accession", "x" * 121, "121 characters"), ("requester", "a\x07b", "control")],
)  # fmt: skip
def test_an_identity_that_cannot_be_meant_is_refused(
    column: str, value: str, expected: str
) -> None:
    with pytest.raises(SampleSheetRefused, match=expected) as refusal:
        parse_sample_sheet(f"name,{column}\na,{value}\n", file="s.csv")
    assert (refusal.value.line, refusal.value.column) == (2, column)


def test_nothing_is_received_before_it_was_collected() -> None:
    with pytest.raises(SampleSheetRefused, match="before it was collected") as refusal:
        parse_sample_sheet("name,collected,received\na,2026-03-02,2026-03-01\n", file="s.csv")
    assert refusal.value.line == 2


def test_all_faults_are_reported_at_once_with_line_and_column() -> None:
    sheet = (
        "alias,barcode,type,volume_ml,colour\n"
        "a,barcode01,test_sample,0.5,\n"
        "b,barcode01,blankish,0.5,\n"
        ",barcode03,,half,\n"
        "d,barcode04,\n"
        "a,barcode05,,-1,\n"
        "a,barcode06,,1,\n"
    )
    with pytest.raises(SeveralRefused) as refusal:
        parse_sample_sheet(sheet, file="s.csv")
    places = [(fault.line, getattr(fault, "column", None)) for fault in refusal.value.faults]
    assert places == [
        (1, "colour"), (3, "type"), (3, "barcode"), (4, "alias"), (4, "volume_ml"), (5, None),
        (6, "volume_ml"), (6, "name"), (7, "name"),
    ]  # fmt: skip
    assert refusal.value.file == "s.csv"


def test_wide_letters_of_a_japanese_keyboard_are_plain_ones_but_in_names() -> None:
    sheet = "ｎａｍｅ,barcode,type,volume_ml,collected\n"
    sheet += "Ａ１,ｂａｒｃｏｄｅ０１,ＮＴＣ,０．５,２０２６／３／１\n"
    (pig,) = parse_sample_sheet(sheet, file="s.csv")
    assert (pig.name, pig.barcode, pig.volume_ml) == ("Ａ１", "barcode01", 0.5)
    assert (pig.role, pig.collected) == (SampleRole.NO_TEMPLATE_CONTROL, date(2026, 3, 1))
