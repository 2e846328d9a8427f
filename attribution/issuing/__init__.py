"""The node as issuer of selectors: its epochs, and evaluations within budgets."""
