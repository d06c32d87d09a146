"""What the people table holds: accounts, and what opens them."""
