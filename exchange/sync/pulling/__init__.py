"""Pulling from peers: page after page of a channel, until nothing is left or something goes wrong."""
