"""The head of a report is what lab.toml has, or a sentence about what is wrong in it."""

from __future__ import annotations

import pytest

from porewatch.domain.errors import LaboratoryRefused
from porewatch.domain.identity import Laboratory
from porewatch.domain.inputs.lab_file import parse_laboratory


def test_every_key_reaches_the_laboratory_and_an_address_may_be_one_text() -> None:
    text = '\ufefflaboratory = "Labor Süd"\naddress = """\nWeg 1\n\nOrt\n"""\nclient = "株式会社"\n'
    found = parse_laboratory(text.encode(), file="lab.toml")
    assert found == Laboratory(laboratory="Labor Süd", address=("Weg 1", "Ort"), client="株式会社")
    listed = b'address = ["a", "b"]\ncontact = "x@example.org"\nproject = ""\n'
    assert parse_laboratory(listed, file="lab.toml").address == ("a", "b")


@pytest.mark.parametrize(
    ("content", "expected", "remedy"),
    [
        (b"", "says nothing", "laboratory, address"),
        (b'client = ""', "says nothing", "laboratory, address"),
        (b'labratory = "x"', "'labratory' is not known", "did you mean laboratory"),
        (b'zzz = "x"', "'zzz' is not known", "use laboratory"),
        (b'[lab]\nclient = "x"', r"\[lab\] is a table", "above"),
        (b"client = Example", "lab.toml line 1: it is not TOML", "quotation marks"),
        (b'\n\nclient = "a\nb"', "line 3", "quotation marks"),
        (b'client = "a"\nclient = "b"', "it is not TOML", "quotation marks"),
        (b"client = 5", "client 5: ", "one short line"),
        (b'client = "x\\u202Ey"', r"U\+202E RIGHT-TO-LEFT OVERRIDE", "one short line"),
        (b'contact = "x\\u0007"', "control character", "one short line"),
        (b'address = ["1","2","3","4","5","6","7"]', "address", "one short line"),
        (b'client = "G\xf6ttingen"', "line 1: it is not UTF-8", "UTF-8"),
        (b"#" * 70_000, "bytes", "head of a report"),
        (('client = "%s"' % ("x" * 121)).encode(), "at most 120", "one short line"),
    ],
)
def test_what_cannot_be_used_is_named_with_a_remedy(
    content: bytes, expected: str, remedy: str
) -> None:
    with pytest.raises(LaboratoryRefused, match=expected) as refused:
        parse_laboratory(content, file="lab.toml")
    assert refused.value.file == "lab.toml"
    assert remedy in str(refused.value.remedy)
