"""The table of planted faults fits the tree, and each fault is noticed by its test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.planted import Fault, copy_tree, faults, noticed, passes, planted
from tests.mutants.run import REPOSITORY

FAULTS = faults()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_line_that_a_fault_changes_is_there_once(fault: Fault) -> None:
    text = (REPOSITORY / fault.file).read_text(encoding="utf-8")
    assert text.count(fault.before) == 1
    assert fault.after != fault.before and len(fault.weakness.split()) >= 4
    file, _, name = fault.test.partition("::")
    assert f"def {name}" in (REPOSITORY / file).read_text(encoding="utf-8")


def test_a_fault_is_there_only_while_it_is_tried(tmp_path: Path) -> None:
    fault = Fault("n", "w", "a.py", "one\n", "two\n", "t")
    (tmp_path / "a.py").write_text("one\nlast\n", encoding="utf-8")
    with planted(fault, tmp_path):
        assert (tmp_path / "a.py").read_text(encoding="utf-8") == "two\nlast\n"
    assert (tmp_path / "a.py").read_text(encoding="utf-8") == "one\nlast\n"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("tree")
    copy_tree(work)
    return work


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_each_fault_is_noticed_by_its_test(fault: Fault, copied: Path) -> None:
    assert passes(fault, copied), f"{fault.test} fails without a fault"
    seen, said = noticed(fault, copied)
    assert seen, said
