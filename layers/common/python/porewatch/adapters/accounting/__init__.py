"""What projects are charged, put together."""
