"""Every output of the stack that the command line or the local tools read is one the template has.

`porewatch submit` once read an output that no template ever had, and refused all raw signal.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from porewatch_local.stack_template.template import Template

ROOT = Path(__file__).resolve().parents[2]
READERS = sorted([*ROOT.glob("cli/src/**/*.py"), *ROOT.glob("local/src/**/*.py")])
DECLARED = set(Template.load(ROOT / "template.yaml").body["Outputs"])


def read_by(code: str) -> Iterator[str]:
    """Names of outputs read in `code`: x.output("A"), x.outputs["A"], x.outputs.get("A"), and of
    buckets, x.bucket("Raw")."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Call(func=ast.Attribute(attr="output"), args=[ast.Constant(value=str(name))]):
                yield name
            case ast.Call(func=ast.Attribute(attr="bucket"), args=[ast.Constant(value=str(life))]):
                yield f"{life}BucketName"
            case ast.Call(
                func=ast.Attribute(attr="get", value=ast.Attribute(attr="outputs")),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name
            case ast.Subscript(
                value=ast.Attribute(attr="outputs"), slice=ast.Constant(value=str(name))
            ):
                yield name


def test_every_output_that_is_read_is_in_the_template() -> None:
    outputs_read = {
        (name, path.relative_to(ROOT).as_posix())
        for path in READERS
        for name in read_by(path.read_text())
    }
    assert len({name for name, _ in outputs_read}) >= 6, "the outputs are read in another way now"
    assert {(name, path) for name, path in outputs_read if name not in DECLARED} == set()


@pytest.mark.parametrize(
    "code",
    ["s.output('X')", "s.outputs['X']", "s.outputs.get('X') == 'on'", "s.outputs.get('X', '')"],
)
def test_each_way_of_reading_is_seen(code: str) -> None:
    assert list(read_by(code)) == ["X"]


def test_a_stack_shows_whether_it_takes_raw_signal() -> None:
    assert "Basecalling" in DECLARED
