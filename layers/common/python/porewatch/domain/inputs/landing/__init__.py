"""What lands: one classifier of paths, names and first bytes for every entry point.

`names` says what one file is -> `tells` says which sample its path names -> `heads` looks at first
bytes -> `sorting` puts a whole folder, tar or run together: what is read, what is left out and why,
and every fault in one go. submit, screen, S3 events, final summary and tar all use these.
"""
