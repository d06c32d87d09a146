"""What runs inside the engine's own interpreter. Standard library and the engine only."""
