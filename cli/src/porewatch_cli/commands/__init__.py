"""The commands of Typer: options and help. Each calls a module for its work."""
