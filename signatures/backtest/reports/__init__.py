"""A backtest's results for programs, for a terminal, and as one page."""
