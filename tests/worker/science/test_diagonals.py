"""The search of many windows at once finds what looking at one pair after the other finds."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch_worker.science.sequence.seed_search import DiagonalSearch

SIZE, APART, DRIFT = 3, 2, 1
SEQUENCES = st.text("ACG", max_size=14)  # few letters: k-mers come again and again


def plainly(patterns: list[str], windows: list[str]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for w, window in enumerate(windows):
        for p, pattern in enumerate(patterns):
            hits = [
                (place, place - inside)
                for place in range(len(window) - SIZE + 1)
                for inside in range(len(pattern) - SIZE + 1)
                if window[place : place + SIZE] == pattern[inside : inside + SIZE]
            ]
            if any(
                abs(a - b) >= APART and abs(d - e) <= DRIFT
                for (a, d), (b, e) in combinations(hits, 2)
            ):
                found.setdefault(w, []).append(p)
    return found


@given(st.lists(SEQUENCES, min_size=1, max_size=4), st.lists(SEQUENCES, max_size=5))
def test_all_at_once_finds_what_one_by_one_finds(patterns: list[str], windows: list[str]) -> None:
    search = DiagonalSearch(patterns, size=SIZE, apart=APART, drift=DRIFT)
    assert search.search(windows) == plainly(patterns, windows)


def test_a_window_too_long_to_count_its_diagonals_is_refused() -> None:
    search = DiagonalSearch(["ACGACG"], size=SIZE, apart=APART, drift=DRIFT)
    with pytest.raises(ValueError, match="shorter than 1024"):
        search.search(["ACG" * 400])
