"""Codes of what an account, an invitation or a link does not allow as it is. The catalogues say
each of them in words."""

from __future__ import annotations

from enum import StrEnum


class PeopleCode(StrEnum):
    """Why something about people was not done."""

    INVITATION_EXPIRED = "invitation_expired"
    INVITATION_WITHDRAWN = "invitation_withdrawn"
    INVITATION_USED = "invitation_used"
    SHARE_EXPIRED = "share_expired"
    UNSUBSCRIBE_OVER = "unsubscribe_over"
    SHARE_REVOKED = "share_revoked"
    OWN_ADMIN_ROLE = "own_admin_role"
    LAST_ADMIN = "last_admin"
    STACK_ADMIN_STAYS = "stack_admin_stays"
    ROLE_NOT_HELD = "role_not_held"
    SCOPE_NOT_HELD = "scope_not_held"
    PROJECT_CLOSED = "project_closed"
    PROJECT_FULL = "project_full"
    PROJECT_BUDGET_SPENT = "project_budget_spent"
    TIER_RUN_TOO_LARGE = "tier_run_too_large"
    TIER_MONTH_RUNS = "tier_month_runs"
    TIER_MONTH_SPENT = "tier_month_spent"
    CAP_MONTH_RUNS = "cap_month_runs"
    CAP_MONTH_SPENT = "cap_month_spent"
    TIER_ABOVE = "tier_above"
    TIER_ABOVE_UNLIMITED = "tier_above_unlimited"
    RESULTS_CLOSED = "results_closed"
    RESULTS_THAWING = "results_thawing"
    SUBSCRIBED_ALREADY = "subscribed_already"
    NEVER_PAID = "never_paid"
    NOTHING_SOLD = "nothing_sold"
    STILL_SUBSCRIBED = "still_subscribed"
    NEVER_SEALED = "never_sealed"
    SHOWN_ONCE = "shown_once"
    TOO_MANY_TOKENS = "too_many_tokens"
    ASKS_FOR_PERSON = "asks_for_person"
    ASKS_FOR_SESSION = "asks_for_session"
    WEBHOOK_ADDRESS = "webhook_address"
    WEBHOOK_TOO_MANY = "webhook_too_many"
    WEBHOOK_STOPPED = "webhook_stopped"
