"""What somebody sees and changes of himself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from porewatch.domain.base import Model
from porewatch.domain.billing.billing_event import BillingEvent
from porewatch.domain.errors import AccountRefused, PorewatchError
from porewatch.domain.mail.suppression import SuppressionCode
from porewatch.domain.people import policy
from porewatch.domain.people.account_rules import tombstone
from porewatch.domain.people.accounts import MailChoice, User
from porewatch.domain.people.principal import Means, Principal
from porewatch.domain.people.roles import Role, Scope
from porewatch.domain.reasons.catalogue import SOURCE, languages
from porewatch.domain.reasons.reason import PeopleCode, because
from porewatch.domain.tiers.tier import TierName
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.billing.customers import Customers
    from porewatch.adapters.people.accounts import Accounts
    from porewatch.adapters.people.credentials import Sessions, Tokens
    from porewatch.adapters.people.entitlements import Entitlements
    from porewatch.adapters.people.mail_suppressions import Suppressions
    from porewatch.adapters.webhooks.store import Webhooks

_log = logging.getLogger(__name__)
STAYS = ("runs", "audit_trails", "acknowledgements")


def _language(text: str) -> str:
    if text not in languages():
        raise ValueError(f"use one of {', '.join(languages())}")
    return text


def _known(schema: dict[str, Any]) -> None:
    schema["enum"] = list(languages())


class Me(Answer):
    """Who asks. `scopes`: of his token; None: everything he may do. The API key's holder has no
    user id."""

    means: Means
    user_id: str = ""
    name: str = ""
    email: str = ""
    email_verified: bool = False
    language: str = SOURCE
    mail: MailChoice = MailChoice.NONE
    mail_suspicions: bool = False
    mail_suppressed: Annotated[
        SuppressionCode | None, Field(description="why no mail is sent to his address; None: it is")
    ] = None
    stack_role: Role | None = None
    roles: dict[str, tuple[Role, ...]] = {}
    groups: dict[str, tuple[Role, ...]] = {}
    scopes: tuple[Scope, ...] | None = None


class MeChange(Model):
    """What is not sent stays."""

    language: Annotated[str, AfterValidator(_language), Field(json_schema_extra=_known)] | None = (
        None
    )
    mail: MailChoice | None = None
    mail_suspicions: bool | None = None


@dataclass(frozen=True)
class Paying:
    """What is known of who pays; `ask` queues a customer, to be read again."""

    entitlements: Entitlements
    customers: Customers
    ask: Callable[[BillingEvent], None]


class Deleted(Answer):
    """What a user's deletion removed (how many of each), and what stays with his id alone, or with
    the name under which he acted."""

    user_id: str
    sessions: int
    tokens: int
    memberships: int
    webhooks: int = 0
    stays: tuple[str, ...] = STAYS


def me(who: Principal, *, accounts: Accounts, suppressions: Suppressions) -> Me:
    """Who asks. NotSignedIn for nobody."""
    policy.refuse_nobody(who)
    user = accounts.user(who.user_id) if who.user_id else None
    of_user = {"email", "email_verified", "language", "mail", "mail_suspicions"}
    suppressed = suppressions.find(user.email) if user and user.email else None
    return Me(
        means=who.means,
        user_id=who.user_id,
        name=who.name,
        stack_role=who.stack_role,
        roles={place: tuple(sorted(roles)) for place, roles in sorted(who.roles.items())},
        groups={place: tuple(sorted(roles)) for place, roles in sorted(who.groups.items())},
        mail_suppressed=suppressed.code if suppressed else None,
        scopes=None if who.scopes is None else tuple(sorted(who.scopes)),
        **(user.model_dump(include=of_user) if user else {}),
    )


def change_me(
    change: MeChange, who: Principal, *, accounts: Accounts, suppressions: Suppressions
) -> Me:
    """Language and what mail he gets. Needs a token's scope `manage`."""
    changes = change.model_dump(exclude_none=True)

    def rule(user: User) -> User:
        return user.model_copy(update=changes)

    accounts.change_user(policy.require_user(who, Scope.MANAGE), rule)
    return me(who, accounts=accounts, suppressions=suppressions)


def delete_me(
    who: Principal,
    *,
    accounts: Accounts,
    sessions: Sessions,
    tokens: Tokens,
    webhooks: Webhooks,
    paying: Paying,
) -> Deleted:
    """Remove his data: what opens something first, who he was last; then what he could still pay is
    closed. It may be repeated as long as it was not done. AccountRefused for an admin of the stack:
    there must always be one, and another one takes the role away first; and for somebody whose
    subscription renews itself."""
    user_id = policy.require_session(who)
    if who.stack_role is Role.ADMIN:
        remedy = "let another admin take the role away first."
        raise AccountRefused(because(PeopleCode.STACK_ADMIN_STAYS), remedy=remedy)
    paid = paying.entitlements.of(user_id)
    if paid is not None and paid.tier is not TierName.FREE and paid.paid_until is None:
        raise AccountRefused(because(PeopleCode.STILL_SUBSCRIBED))
    places = accounts.memberships(user_id)
    for membership in places:
        accounts.remove_member(membership.place, user_id)
    made, begun = tokens.of_user(user_id), sessions.of_user(user_id)
    for token in made:
        tokens.revoke(token)
    heard = webhooks.of_user(user_id)
    for webhook in heard:
        webhooks.remove(webhook)
    accounts.forget_user(user_id, tombstone)
    _close_checkout(user_id, paying)
    for session in begun:
        sessions.end(session)
    return Deleted(
        user_id=user_id,
        sessions=len(begun),
        tokens=len(made),
        memberships=len(places),
        webhooks=len(heard),
    )


def _close_checkout(user_id: str, paying: Paying) -> None:
    """By who reads his customer: it finds that he is deleted. A message that is not taken does not
    undo that he is; all customers are read once a day."""
    try:
        known = paying.customers.of(user_id)
        if known is not None:
            event = "user deleted"
            paying.ask(BillingEvent(kind="customer", customer=known.customer, event_type=event))
    except PorewatchError as error:
        _log.warning("an open checkout of %s is closed by the daily reading: %s", user_id, error)
