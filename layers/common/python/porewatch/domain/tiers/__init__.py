"""What a user's tier allows, and which tier he has."""
