"""The six phases as stages run them: dorado, the one pass over reads, quantification, report."""
