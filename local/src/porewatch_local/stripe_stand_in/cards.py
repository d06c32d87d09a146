"""Cards that the stand-in knows, by the numbers that Stripe gives for tests."""

from __future__ import annotations

WORKS = "4242424242424242"
DECLINED = "4000000000000002"
FAILS_LATER = "4000000000000341"
"""Its first payment works, and no renewal does."""

CARDS = {
    WORKS: "works",
    DECLINED: "is declined",
    FAILS_LATER: "works now, fails on renewal",
}
