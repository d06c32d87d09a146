"""Submit a run: collect, check, upload and seal it; sample sheets."""
