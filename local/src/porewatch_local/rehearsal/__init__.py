"""`make rehearse`: what a real account can be asked before the first deploy."""
