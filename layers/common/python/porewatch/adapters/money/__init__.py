"""What is charged, and at which rates."""
