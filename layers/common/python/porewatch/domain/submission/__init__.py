"""A run as people send it: registered, uploaded file by file in parts, described, sealed."""
