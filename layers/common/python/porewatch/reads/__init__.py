"""Read files, checked whole in one pass: FASTQ, BAM, POD5; folders of them.

`check` is the one door; C libraries parse in `sandbox`.
"""
