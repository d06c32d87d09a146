"""Signing reports: begin, confirm, complete; and showing what was signed."""
