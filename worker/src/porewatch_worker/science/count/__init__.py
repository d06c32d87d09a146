"""What units of reads leave behind, added up: targets, depth, evidence, unassigned reads."""
