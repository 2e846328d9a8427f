"""Pushing to peers: the network side. What is sent, and what becomes of it, are services."""
