"""A stand-in for Stripe: the parts of its API that billing asks, its hosted pages, signed events
that are sent again, and switches for what goes wrong. No money moves; it knows three cards."""
