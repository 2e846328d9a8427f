"""Hints between exchanges: the network side, and its tasks. Who is told what is a service."""
