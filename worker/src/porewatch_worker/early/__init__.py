"""Screening each file as it lands, with the alert part of a bundle."""
