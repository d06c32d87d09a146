"""What somebody pays for: subscriptions at the payment provider, and what follows from them."""
