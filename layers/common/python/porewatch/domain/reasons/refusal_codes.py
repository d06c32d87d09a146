"""Codes of refusals that say more than their class does. The catalogues say each of them in words.

A refusal without one of these has its class for a code (`domain.errors`).
"""

from __future__ import annotations

from enum import StrEnum


class RefusalCode(StrEnum):
    """Why a sample sheet cannot be used."""

    SHEET_NO_BARCODE = "sheet_no_barcode"
    SHEET_NAME_TWICE = "sheet_name_twice"
    SHEET_BARCODE_TWICE = "sheet_barcode_twice"
    SHEET_NAMES_LOOK_ALIKE = "sheet_names_look_alike"
    SHEET_CONTROLS_WITHOUT_SAMPLE = "sheet_controls_without_sample"
    SHEET_OTHER_FLOW_CELL = "sheet_other_flow_cell"
    SHEET_IS_WORKBOOK = "sheet_is_workbook"
    SHEET_IS_UTF32 = "sheet_is_utf32"
    SHEET_ZERO_BYTES = "sheet_zero_bytes"
    SHEET_DOES_NOT_DECODE = "sheet_does_not_decode"
    SHEET_UNKNOWN_ENCODING = "sheet_unknown_encoding"
    SHEET_AMBIGUOUS_ENCODING = "sheet_ambiguous_encoding"
    SHEET_NOT_CSV = "sheet_not_csv"
    SHEET_EMPTY = "sheet_empty"
    SHEET_NO_SAMPLE = "sheet_no_sample"
    SHEET_COLUMN_TWICE = "sheet_column_twice"
