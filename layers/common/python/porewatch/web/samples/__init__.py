"""Animals of a project by pathogens, and one animal in time."""
