"""A bundle's files are in memory before mappy takes the interpreter's lock to load them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mappy
import pytest

from porewatch_worker.references import load


def test_a_file_is_read_to_its_last_byte(tmp_path: Path) -> None:
    file = tmp_path / "host.mmi"
    file.write_bytes(b"x" * (2 * load.PIECE + 7))
    assert load.read_ahead(file) == 2 * load.PIECE + 7


def test_an_index_is_read_through_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fasta = tmp_path / "panel.fa"
    fasta.write_text(">a\n" + "ACGTTGCAAC" * 500 + "\n")
    order: list[str] = []
    read, aligner = load.read_ahead, mappy.Aligner

    def reads(path: Path) -> int:
        order.append("read")
        return read(path)

    def loads(*given: Any, **settings: Any) -> Any:
        order.append("load")
        return aligner(*given, **settings)

    monkeypatch.setattr(load, "read_ahead", reads)
    monkeypatch.setattr(mappy, "Aligner", loads)
    assert load._aligner(fasta).seq_names == ["a"]
    assert order == ["read", "load"]
