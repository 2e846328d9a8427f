"""Runs signatures over logs."""
