"""What objects claim about networks, domains and autonomous systems: found in them, kept in rows, fading with time."""
