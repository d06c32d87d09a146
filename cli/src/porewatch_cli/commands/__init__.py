"""The commands as Typer sees them: options and help. Each asks a module of the command's name."""
