"""Lookups: single questions, long streams, and lists for other software."""
