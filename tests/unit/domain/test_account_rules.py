"""The lives of invitations and links, in any order of what happens to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from porewatch.domain.errors import AccountRefused
from porewatch.domain.people import account_rules as rules
from porewatch.domain.people.accounts import Invitation, User
from porewatch.domain.people.credentials import ShareLink
from porewatch.domain.people.roles import Role

AT = datetime(2026, 3, 2, tzinfo=UTC)
LASTS = timedelta(hours=10)
ADA, BEN = "u-aaaaaaaaaaaaaaaa", "u-bbbbbbbbbbbbbbbb"
INVITATION = Invitation(
    invitation_id="0" * 64, place="default", roles=frozenset({Role.VIEWER}), email="a@b",
    given_by=ADA, at=AT, expires_at=AT + LASTS,
)  # fmt: skip
LINK = ShareLink(
    share_id="0" * 64, run_id="run-1", revision=1, made_by=ADA, made_at=AT, expires_at=AT + LASTS
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["ada", "ben", "withdraw"]), st.integers(0, 20)), max_size=8
)


@given(STEPS)
def test_an_invitation_is_used_by_one_at_most_while_it_lasts(steps: list[tuple[str, int]]) -> None:
    now, seen, withdrawn, user = INVITATION, AT, False, None
    for what, hours in steps:
        seen = max(seen, AT + timedelta(hours=hours))
        before = now
        try:
            if what == "withdraw":
                now = rules.withdraw(now)
                withdrawn = True
            else:
                now = rules.accept(now, ADA if what == "ada" else BEN, seen)
        except AccountRefused as refusal:
            assert now == before
            expected = {
                "invitation_used": user is not None,
                "invitation_withdrawn": withdrawn and user is None,
                "invitation_expired": seen >= INVITATION.expires_at and user is None,
            }
            assert expected[refusal.code]
            continue
        if what != "withdraw":
            assert user in (None, now.accepted_by)
            if user is None:
                assert not withdrawn
                assert seen < INVITATION.expires_at
            user = now.accepted_by
        assert not (now.withdrawn and now.accepted_by)
        assert (now.place, now.roles, now.expires_at) == (
            INVITATION.place, INVITATION.roles, INVITATION.expires_at
        )  # fmt: skip


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=8))
def test_a_link_opens_until_it_is_revoked_or_over(steps: list[tuple[bool, int]]) -> None:
    link, seen = LINK, AT
    for revokes, hours in steps:
        seen = max(seen, AT + timedelta(hours=hours))
        if revokes:
            first = link.revoked_at
            link = rules.revoke(link, seen)
            assert link.revoked_at == (first or seen), "the first time counts"
        open_now = link.revoked_at is None and seen < LINK.expires_at
        assert open_now != link.over(seen)
        if open_now:
            rules.refuse_over(link, seen)
            continue
        with pytest.raises(AccountRefused) as refusal:
            rules.refuse_over(link, seen)
        revoked = link.revoked_at is not None
        assert refusal.value.code == ("share_revoked" if revoked else "share_expired")


def test_a_tombstone_has_nothing_of_the_person() -> None:
    user = User(
        user_id=ADA, issuer="https://i", subject="s", name="Ada", email="ada@lab.example",
        stack_role=Role.ADMIN, language="ja", created_at=AT, seen_at=AT + LASTS,
    )  # fmt: skip
    left = rules.tombstone(user).model_dump(exclude_defaults=True)
    assert left == {
        "user_id": ADA, "issuer": "", "subject": "", "name": "", "disabled": True, "deleted": True,
        "created_at": AT, "seen_at": AT,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("role", "disabled", "by", "refused"),
    [
        (None, False, ADA, True),
        (Role.OPERATOR, False, ADA, True),
        (Role.ADMIN, True, ADA, True),
        (Role.ADMIN, False, ADA, False),
        (None, True, BEN, False),
    ],
)
def test_an_admin_takes_nothing_from_himself(
    role: Role | None, disabled: bool, by: str, refused: bool
) -> None:
    user = User(
        user_id=ADA, issuer="i", subject="s", name="Ada", stack_role=Role.ADMIN,
        created_at=AT, seen_at=AT,
    )  # fmt: skip
    if not refused:
        rules.refuse_own_loss(user, role, disabled, by)
        return
    with pytest.raises(AccountRefused):
        rules.refuse_own_loss(user, role, disabled, by)
