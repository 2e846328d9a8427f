"""What every door reads of an HTTP request in the same way, and the one form of an entry. It answers nothing."""
