"""The servers that ours is measured against: each set up, filled, started and stopped; how fast they are is not known
here. What is absent is no error: it is named and left out."""
