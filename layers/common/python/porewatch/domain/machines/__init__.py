"""What machines say of themselves to the credential broker, and what they are given."""
