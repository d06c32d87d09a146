"""Payment: begin it, change it, read what became of it, show what it allows."""
