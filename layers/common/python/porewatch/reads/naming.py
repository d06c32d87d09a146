"""File kinds by name. The rules are in the domain, so that manifest, validator and worker give one
file one verdict; this module is for code that opens files."""

from porewatch.domain.inputs.file_kinds import (
    SUFFIXES,
    find_kind,
    is_gzip_name,
    kind_of,
)

__all__ = ["SUFFIXES", "find_kind", "is_gzip_name", "kind_of"]
