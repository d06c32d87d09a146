"""A child process that parses untrusted files, limited in memory, time and output.

Order: `parent` starts it, `child` is its side, `run` reads one file or stream through it.
"""
