"""A sample sheet: text and rows, columns, rules across rows, an example."""
