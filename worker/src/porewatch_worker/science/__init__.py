"""From reads to calls: `sequence` < `read` < `count` < `amounts`, `call` < `release`.

Each folder imports the ones before it.
"""
