"""What every door reads of an HTTP request in the same way: credentials, bodies, parameters. It answers nothing."""
