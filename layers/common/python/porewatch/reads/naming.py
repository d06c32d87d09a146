"""What a file name promises. The rules are the domain's, so that manifest, validator and worker
give one file one verdict; here they are found by those who open files."""

from porewatch.domain.inputs.file_kinds import (
    SUFFIXES,
    find_kind,
    is_gzip_name,
    kind_of,
)

__all__ = ["SUFFIXES", "find_kind", "is_gzip_name", "kind_of"]
