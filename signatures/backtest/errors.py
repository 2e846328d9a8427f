"""What can be wrong with the input of a backtest. Each message is one line that names the place, safe to print."""


class BacktestError(Exception):
    """Signatures or logs that cannot be used."""
