"""Sigma rules and correlations (specification 2.1.0) as DuckDB SQL, exactly or not at all.

Pure: no Django, no files, no network. It writes queries; who runs them over which logs is decided elsewhere.
"""

from signatures.duckdb_backend.backend import DuckDbBackend
from signatures.duckdb_backend.refusals import RefusedError

__all__ = ["DuckDbBackend", "RefusedError"]
