"""What projects are charged."""
