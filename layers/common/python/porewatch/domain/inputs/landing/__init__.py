"""What lands: one classifier of paths, names and first bytes for every entry point.

`file_names` says what one file is -> `owners` whose it is -> `first_bytes` looks into it ->
`sorting` puts a whole folder, tar or run together: what is read, what is left out and why, and
every fault in one go. submit, screen, S3 events, final summary and tar all use these.
"""
