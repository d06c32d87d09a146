"""The table of roles in docs/people.md is the policy's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from porewatch.domain.people.roles import ALLOWED, SCOPE_OF, STACK_ALLOWED, Role

PAGE = Path(__file__).parents[2] / "docs/people.md"


def rows() -> Iterator[str]:
    yield f"| | {' | '.join(Role)} | a token's scope |"
    yield f"|---|{':-:|' * len(Role)}---|"
    for where, table in (("", ALLOWED), ("whole stack: ", STACK_ALLOWED)):
        for action, allowed in table.items():
            marks = " | ".join("✓" if role in allowed else "–" for role in Role)
            name = action.value.replace("_", " ")
            yield f"| {where}{name} | {marks} | `{SCOPE_OF[action].value}` |"


def test_the_table_of_roles_is_what_the_policy_has() -> None:
    written = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    assert written == list(rows())
