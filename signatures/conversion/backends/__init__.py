"""The languages. Each module writes one; `exact.py` says what they have in common."""
