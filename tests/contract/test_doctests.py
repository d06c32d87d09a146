"""Examples in docstrings of the rules and of the science are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import porewatch.domain
import porewatch_worker.science

LEAST = 30


def modules(package: ModuleType) -> list[str]:
    found = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    return [one.name for one in found]


def examples(name: str) -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [one for one in finder.find(importlib.import_module(name)) if one.examples]


MODULES = [*modules(porewatch.domain), *modules(porewatch_worker.science)]


def run(one: doctest.DocTest) -> tuple[int, str]:
    lines: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    failed = runner.run(one, out=lines.append).failed
    return failed, "".join(lines)


@pytest.mark.parametrize("name", [name for name in MODULES if examples(name)])
def test_examples_are_true(name: str) -> None:
    for one in examples(name):
        failed, output = run(one)
        assert not failed, output


def test_rules_have_examples() -> None:
    assert sum(len(examples(name)) for name in MODULES) >= LEAST


def test_a_wrong_example_is_seen() -> None:
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    assert run(wrong)[0] == 1
