"""Progress of a stage, in S3 or a folder, so that a successor on another instance can resume.

Order: `checkpoint` (load, save) -> `writer` (when) -> `objects`, `index` (locations).
"""
