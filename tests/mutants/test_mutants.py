"""The table of what is mutated is sound, and what survives is compared without line numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.run import (
    PACKAGES,
    REPOSITORY,
    Accepted,
    Survivor,
    Target,
    _survivor,
    accepted,
    mutated,
    targets,
    unexpected,
)

DIFF = """--- src/porewatch/domain/results/audit.py
+++ src/porewatch/domain/results/audit.py
@@ -1,3 +1,3 @@
 def chained(events):
-    for number in enumerate(events, start=1):
+    for number in enumerate(events, start=2):
"""
MOST_MINUTES = 10
"""Targets that take longer are run by hand: `make mutants TARGET=...`."""
FOUND = Survivor(
    "porewatch.domain.results.audit.chained",
    "- for number in enumerate(events, start=1):\n+ for number in enumerate(events, start=2):",
)


def test_a_survivor_is_named_by_its_function_and_the_lines_that_differ() -> None:
    name = "porewatch.domain.results.audit.x_chained__mutmut_4"
    assert _survivor({"name": name, "diff": DIFF, "how": "survived"}) == FOUND
    method = {"name": "a.b.xǁAnchorǁplace__mutmut_1", "diff": DIFF, "how": "no tests"}
    assert _survivor(method)[::2] == ("a.b.Anchor.place", "no tests")


def test_a_survivor_that_nobody_accepted_is_told() -> None:
    known = [Accepted(FOUND.place, FOUND.change, "because")]
    other = FOUND._replace(place="porewatch.domain.results.audit.faults")
    assert unexpected([FOUND, other], known) == [other]
    assert unexpected([FOUND._replace(change="- a\n+ b")], known) != []


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        ('Bad("no reads.", remedy="send it.")', 'Bad("NO READS.", remedy="send it.")', False),
        ('Bad("no reads.", remedy="send it.")', 'Bad("no reads.", remedy=None)', True),
        ('raise Bad(f"{n} reads are left.")', 'raise Bad(f"XX{n} reads are left.XX")', False),
        ('state = "running"', 'state = "RUNNING"', True),
        ('if n > 1: say("one of them")', 'if n >= 1: say("one of them")', True),
        ('Bad("it is the run\'s own.")', 'Bad("IT IS THE RUN\'S OWN.")', False),
        ("Bad('say \"no\" to all of it')", "Bad('XXsay \"no\" to all of itXX')", False),
        ('Bad(f"{n} reads are left.")', 'Bad(f"")', True),
        ('get(code="x", keys="pk, sk")', 'get(code="x", keys="PK, SK")', True),
        ('ask("#p = :p AND #s BETWEEN")', 'ask("XX#p = :p AND #s BETWEENXX")', True),
        ('START = "start another"', 'START = "START ANOTHER"', True),
        ('Bad("it is there.", code="x y")', 'Bad("it is there.", code="X Y")', True),
    ],
)  # fmt: skip
def test_a_changed_sentence_is_no_survivor_and_a_lost_one_is(
    before: str, after: str, counts: bool
) -> None:
    one = FOUND._replace(change=f"- {before}\n+ {after}")
    assert unexpected([one], []) == ([one] if counts else [])


def test_what_is_mutated_is_there_and_so_are_its_tests() -> None:
    for target in targets().values():
        for module in target.modules:
            package, _, rest = module.partition("/")
            assert (REPOSITORY / PACKAGES[package] / rest).is_file(), module
        for test in target.tests:
            file, _, name = test.partition("::")
            assert f"def {name}" in (REPOSITORY / file).read_text(encoding="utf-8"), test


def test_every_survivor_that_stays_has_a_reason_and_is_told_once() -> None:
    there = accepted()
    assert all(len(one.why.split()) >= 4 for one in there)
    assert len({(one.place, one.change) for one in there}) == len(there)
    modules = {
        m.removesuffix(".py").replace("/", ".") for t in targets().values() for m in t.modules
    }
    assert {one.place for one in there if not one.place.startswith(tuple(modules))} == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, t in targets().items() if 0 < t.minutes <= MOST_MINUTES])
def test_no_change_survives_but_those_with_a_reason(name: str, tmp_path: Path) -> None:
    tried, found = mutated(targets()[name], tmp_path)
    assert tried > 10
    assert unexpected(found, accepted()) == []


@pytest.mark.slow
def test_a_test_that_is_taken_away_is_missed(tmp_path: Path) -> None:
    """With half of its tests mutants of a target survive."""
    half = Target(targets()["audit"].modules, ("tests/unit/domain/test_audit.py",))
    _, found = mutated(half, tmp_path / "half")
    assert any(one.place.endswith("anchors.day_due") for one in found)
