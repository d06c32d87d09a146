"""Coverage is summed by folder."""

from __future__ import annotations

from tests.coverage_by_folder import Covered, by_folder


def test_files_of_a_folder_are_summed_and_folders_without_code_left_out() -> None:
    files = {
        "a/b/one.py": {"summary": {"num_statements": 10, "covered_lines": 4}},
        "a/b/two.py": {"summary": {"num_statements": 30, "covered_lines": 26}},
        "a/three.py": {"summary": {"num_statements": 5, "covered_lines": 5}},
        "c/__init__.py": {"summary": {"num_statements": 0, "covered_lines": 0}},
    }

    assert by_folder(files) == {"a": Covered(5, 5), "a/b": Covered(40, 30)}
    assert by_folder(files)["a/b"].share == 0.75
