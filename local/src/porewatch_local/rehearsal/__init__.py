"""`make rehearse`: checks against a real account before the first deploy."""
