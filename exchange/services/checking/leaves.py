"""Log leaves: one for each entry and operation, committing to what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from exchange.services.checking.report import Report
from exchange.services.database import execute
from exchange.services.log import CLEAR_OPERATIONS, LEAF_VERSION, committed
from exchange.stix.canonical import canonicalize

BATCH = 1_000

_LEAVES = """
SELECT f.seq, f.operation, f.salt, f.record, f.data, f.version_id, v.digest, v.version_text, o.stix_id
FROM leaf f LEFT JOIN version v ON v.id = f.version_id LEFT JOIN object o ON o.id = v.object_id
WHERE f.seq > %(after)s ORDER BY f.seq LIMIT %(limit)s
"""
_MISSING = """
SELECT e.seq FROM entry e LEFT JOIN leaf f ON f.seq = e.seq AND f.version_id = e.version_id
WHERE f.seq IS NULL AND NOT e.is_shared LIMIT 20
"""


def check_leaves(report: Report, tell: Callable[[str, int], None]) -> None:
    """Check that no leaf is missing and each commits to its record, and its record to its version."""
    for (seq,) in execute(_MISSING, {}).fetchall():
        report.add("leaf-missing", f"entry {seq}", "the operation has no leaf")
    after = -1
    while True:
        batch = execute(_LEAVES, {"after": after, "limit": BATCH}).fetchall()
        for row in batch:
            _check_leaf(report, row)
        report.count("leaves", len(batch))
        tell("leaves", report.checked["leaves"])
        if len(batch) < BATCH:
            return
        after = batch[-1][0]


def _check_leaf(report: Report, row: tuple[Any, ...]) -> None:
    seq, operation, salt, record, data, version_id, digest, version_text, stix_id = row
    where = f"leaf {seq}"
    if record is None:
        if digest is not None:
            report.add("leaf", where, "its record is gone while the version is stored")
        return
    fields = orjson.loads(record)
    if operation in CLEAR_OPERATIONS:
        expected = canonicalize({"v": LEAF_VERSION, "record": fields})
    else:
        expected = committed(bytes(salt or b""), bytes(record))
    if bytes(data) != expected or fields["operation"] != operation:
        report.add("leaf", where, "it does not commit to its record")
    said = (fields["id"], fields["version"], fields["payload_sha256"])
    if version_id is not None and said != (stix_id, version_text, bytes(digest or b"").hex()):
        report.add("leaf", where, "its record is of another version")
