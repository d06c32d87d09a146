"""What a tier allows a run and its user. Pure; each rule refuses by code, and says what the next
tier would allow."""

from __future__ import annotations

from porewatch.domain.errors import TierRefused
from porewatch.domain.money.budget import Books, is_spent
from porewatch.domain.reasons.reason import PeopleCode, Reason, because
from porewatch.domain.tiers.tier import Tier, TierName, tiers

GIGABYTE = 1e9
TIER_CODES = frozenset(
    {PeopleCode.TIER_RUN_TOO_LARGE, PeopleCode.TIER_MONTH_RUNS, PeopleCode.TIER_MONTH_SPENT}
)
"""Refusals that another tier may not have."""


def next_tier(name: TierName) -> TierName | None:
    """The tier above; None for the highest."""
    names = list(TierName)
    above = names.index(name) + 1
    return names[above] if above < len(names) else None


def upgrade_of(name: TierName) -> tuple[TierName, Tier] | None:
    """The tier above, and what it allows."""
    above = next_tier(name)
    return (above, tiers()[above]) if above else None


def refuse_size(name: TierName, size: int) -> None:
    """TierRefused for a run of more bytes than the tier allows. `size`: bytes that are there."""
    most = tiers()[name].run_gigabytes
    if most is None or size <= most * GIGABYTE:
        return
    upgrade = _allows(name, "run_gigabytes", "{:g} GB")
    values = {"tier": name.value, "most": f"{most:g}", "size": f"{size / GIGABYTE:,.2f}"}
    raise _refused(name, because(PeopleCode.TIER_RUN_TOO_LARGE, **values, upgrade=upgrade))


def month_full(name: TierName) -> TierRefused:
    """As many runs of the user began in this month as the tier allows."""
    most = tiers()[name].month_runs or 0
    upgrade = _allows(name, "month_runs", "{:g}")
    values = {"tier": name.value, "upgrade": upgrade}
    return _refused(name, because(PeopleCode.TIER_MONTH_RUNS, most=most, **values))


def refuse_spent(name: TierName, books: Books) -> None:
    """TierRefused when nothing is left of what the user's runs may cost in this month. `books`:
    what they cost, and what is held for their machines at work."""
    most = tiers()[name].month_usd
    if most is None or not is_spent(most, books):
        return
    values = {
        "tier": name.value,
        "most": f"{most:.2f}",
        "spent": f"{books.spent_usd:.2f}",
        "held": f"{books.held_usd:.2f}",
    }
    upgrade = _allows(name, "month_usd", "{:.2f} USD")
    raise _refused(name, because(PeopleCode.TIER_MONTH_SPENT, **values, upgrade=upgrade))


def _allows(name: TierName, limit: str, form: str) -> tuple[Reason, ...]:
    """What the tier above allows in place of this limit; nothing for the highest."""
    above = upgrade_of(name)
    if above is None:
        return ()
    most = getattr(above[1], limit)
    if most is None:
        return (because(PeopleCode.TIER_ABOVE_UNLIMITED, tier=above[0].value),)
    return (because(PeopleCode.TIER_ABOVE, tier=above[0].value, most=form.format(most)),)


def _refused(name: TierName, why: Reason) -> TierRefused:
    refused = TierRefused(why, remedy="see your account for other tiers, and what this one allows.")
    refused.tier = name.value
    return refused
