"""Delivery of webhooks: the network side, and its tasks. What is due and what becomes of it are services."""
