"""The six phases as stages run them: dorado, the one pass over reads, quantification, report.

basecalling                                       basecalling.py, with dorado.py
quality control, host removal, pathogen detection screening.py (the pass), screening_records.py
quantification                                    quantification.py
reporting                                         reporting.py
"""
