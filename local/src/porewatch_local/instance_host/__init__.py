"""EC2 and Batch on this machine: every running instance or job of ours is a local process group.

Uses public AWS APIs only. Order of reading: `config` (its settings), `machine` (one instance's
folder, record and processes), `cloud` (its calls of AWS), `metadata` (what an instance may read),
`jobs` (what is different for Batch), `surroundings` (a program's environment), `host` (the loop
that holds them together), `server` (the address of both).
There is no isolation: user-data runs with the rights of whoever started the host.
"""
