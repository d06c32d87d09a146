"""What a stage has done so far, in S3 or a folder, for a successor on another instance.

Order: `checkpoint` (load, save) -> `writer` (when) -> `objects`, `index` (what lies where).
"""
