"""Pages of what projects are charged."""
