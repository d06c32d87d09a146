"""From FASTA files to a verified bundle: sheet, checks, masking, decoys, homology."""
