"""How attributed things stand: who says what of one, and which names are names of the same."""
