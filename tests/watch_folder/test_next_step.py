"""What is next for a file, and the journal's states: whatever is written, read, sent or killed."""

from __future__ import annotations

import hashlib
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from porewatch.domain.errors import ConfigurationRefused, Unavailable
from porewatch.domain.runs import ReadKind
from porewatch.reads.summary import ReadsSummary
from porewatch_cli.watch_folder.doorstep import LONGEST_S, pause_after
from porewatch_cli.watch_folder.journal import Journal
from porewatch_cli.watch_folder.next_step import (
    Known,
    Seen,
    Stamp,
    State,
    Step,
    after_check,
    after_refusal,
    may_seal,
    next_step,
)

SETTLE = 10.0
NAME = "fastq_pass/a\udcff.fastq"
ONE, OTHER = Stamp(5, 1), Stamp(6, 1)


def step(seen: Seen, known: Known | None = None, now: float = 0.0) -> Step:
    return next_step(seen, known, now=now, settle=SETTLE)


def test_a_file_is_taken_when_it_stands_still_or_was_renamed() -> None:
    assert step(Seen(ONE, "p", 0.0), now=9.9) is Step.WAIT
    assert step(Seen(ONE, "p", 0.0), now=10.0) is Step.CHECK
    assert step(Seen(ONE, "p", 0.0, renamed=True)) is Step.CHECK


def test_a_content_is_checked_sent_and_left_alone() -> None:
    seen = Seen(ONE, "p", 0.0)
    checked = after_check(seen, None, "a")
    assert (checked.state, step(seen, checked)) == (State.CHECKED, Step.SEND)
    sent = checked._replace(state=State.SENT)
    assert step(seen, sent) is Step.REST
    assert step(seen._replace(place="q"), sent) is Step.SEND
    assert step(Seen(OTHER, "p", 0.0), sent) is Step.WAIT
    assert step(seen, after_refusal(seen, sent)) is Step.REST


def test_what_arrived_and_was_only_touched_is_not_sent_again() -> None:
    sent = Known(ONE, "p", State.SENT, "a", 1)
    touched = Seen(Stamp(5, 2), "p", 0.0)
    assert after_check(touched, sent, "a") == Known(touched.stamp, "p", State.SENT, "a", 1)
    assert after_check(touched, sent, "b").state is State.CHECKED
    assert after_check(touched._replace(place="q"), sent, "a").state is State.CHECKED


def test_a_run_is_sealed_when_all_rests_and_nothing_lacks_for_long() -> None:
    calm = {"lacking": False, "waited": 0.0, "patience": 300.0}
    assert may_seal([], **calm)
    assert may_seal([Step.REST], **calm)
    for busy in (Step.WAIT, Step.CHECK, Step.SEND):
        assert not may_seal([Step.REST, busy], **calm | {"waited": 900.0})
    assert not may_seal([Step.REST], **calm | {"lacking": True, "waited": 299.0})
    assert may_seal([Step.REST], **calm | {"lacking": True, "waited": 300.0})


def test_pauses_grow_to_their_end_and_are_spread() -> None:
    pauses = [pause_after(number, 1.0) for number in range(1, 2000)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_S
    assert {pause_after(n, 0.0) * 2 == pause_after(n, 1.0) for n in range(1, 99)} == {True}
    assert min(pause_after(n, 0.0) for n in range(1, 99)) >= 1


class Machine(RuleBasedStateMachine):
    """One file that somebody writes as he likes, the real journal, a door that keeps what arrives,
    and an agent that dies between any two lines."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.journal = Journal(Path(self.folder.name) / "j")
        self.content, self.mtime, self.now = b"", 0, 0.0
        self.changed, self.seen_at, self.remembered = 0.0, 0.0, None
        self.arrived: list[bytes] = []
        self.unsound: set[bytes] = set()

    def teardown(self) -> None:
        self.journal.__exit__(None, None, None)
        self.folder.cleanup()

    @property
    def stamp(self) -> Stamp:
        return Stamp(len(self.content), self.mtime)

    def seen(self) -> Seen:
        if self.remembered != self.stamp:
            self.remembered, self.seen_at = self.stamp, self.now
        return Seen(self.stamp, "place", self.seen_at)

    @rule(more=st.sampled_from([b"a", b"bb"]), sound=st.booleans())
    def written(self, more: bytes, sound: bool) -> None:
        self.content, self.mtime, self.changed = self.content + more, self.mtime + 1, self.now
        if not sound:
            self.unsound.add(self.content)

    @rule()
    def touched(self) -> None:
        self.mtime, self.changed = self.mtime + 1, self.now

    @rule(seconds=st.sampled_from([1.0, 6.0, 11.0]))
    def time_goes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def killed(self) -> None:
        self.journal.__exit__(None, None, None)
        self.journal = Journal(Path(self.folder.name) / "j")
        self.remembered = None

    @rule(dies=st.booleans(), down=st.booleans())
    @precondition(lambda self: self.content)
    def works(self, dies: bool, down: bool) -> None:
        self._work(dies=dies, down=down)

    def _work(self, *, dies: bool = False, down: bool = False) -> None:
        seen, known = self.seen(), self.journal.known().get(NAME)
        what = next_step(seen, known, now=self.now, settle=SETTLE)
        if what is Step.CHECK:
            assert self.now - self.changed >= SETTLE
            self._check(seen, known)
        elif what is Step.SEND and not down:
            if not self.arrived or self.arrived[-1] != self.content:  # as a door looks first
                self.arrived.append(self.content)
            if not dies:
                self.journal.keep_sent(NAME, seen.stamp)

    def _check(self, seen: Seen, known: Known | None) -> None:
        if self.content in self.unsound:
            self.journal.keep_unsound(NAME, after_refusal(seen, known), "damaged")
            return
        digest = hashlib.sha256(self.content).hexdigest()
        found = summary(len(self.content), digest)
        self.journal.keep_checked(NAME, after_check(seen, known, digest), found)

    @invariant()
    def what_is_said_to_be_sent_is_there(self) -> None:
        known = self.journal.known().get(NAME)
        if known is not None and known.state is State.SENT:
            assert hashlib.sha256(self.arrived[-1]).hexdigest() == known.sha256
            assert known.arrivals <= len(self.arrived)

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        assert all(a != b for a, b in pairwise(self.arrived))

    @rule()
    @precondition(lambda self: self.content)
    def comes_to_rest(self) -> None:
        """From any state: left alone, the last content is there."""
        self.seen()
        self.now += SETTLE
        self._work()
        self._work()
        known = self.journal.known()[NAME]
        assert next_step(self.seen(), known, now=self.now, settle=SETTLE) is Step.REST
        if self.content not in self.unsound:
            assert self.arrived[-1] == self.content


def summary(size: int, digest: str) -> ReadsSummary:
    return ReadsSummary(name="a", kind=ReadKind.FASTQ, size=size, sha256=digest, reads=1, bases=1)


TestJournal = Machine.TestCase
TestJournal.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_a_journal_keeps_what_it_was_given(tmp_path: Path) -> None:
    seen = Seen(ONE, "place\udcff", 0.0)
    with Journal(tmp_path / "deep/j") as journal:
        known = after_check(seen, None, "ab")
        journal.keep_checked(NAME, known, summary(5, "ab" * 32))
        journal.keep_fact("run_id", "r")
    with Journal(tmp_path / "deep/j") as journal:
        assert journal.known() == {NAME: known}
        assert journal.fact("run_id") == "r"
        found = journal.summary(NAME, ONE)
        assert found is not None and found.size == 5
        assert journal.summary(NAME, OTHER) is None
        journal.keep_sent(NAME, OTHER)
        assert journal.known()[NAME].state is State.CHECKED
        journal.keep_sent(NAME, ONE)
        assert journal.known()[NAME] == known._replace(state=State.SENT, arrivals=1)


def test_what_is_no_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"my notes, which are no database at all" * 200)
    with pytest.raises(ConfigurationRefused, match="no journal of this version"):
        Journal(file)
    assert file.read_bytes().startswith(b"my notes")
    with Journal(tmp_path / "j") as journal:
        journal.keep_fact("version", "99")
    with pytest.raises(ConfigurationRefused, match="no journal of this version"):
        Journal(tmp_path / "j")


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        Journal(tmp_path / "file/j")
