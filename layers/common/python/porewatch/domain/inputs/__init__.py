"""What people send: file names and kinds, final summaries, `lab.toml`.

`sheet` reads sample sheets; `landing` sorts a whole folder, tar or run.
"""
