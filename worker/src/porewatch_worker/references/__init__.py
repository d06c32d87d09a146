"""Reference bundles: the panel list, building, verifying, loading and fetching.

Order of a bundle's life: `fetch` (optional) -> `build` -> `verify` -> `load`. On disk a bundle is
`<root>/<name>/<version>/bundle.json` beside the files it names; a version never changes.
"""
