"""What this backend says of a construct that it cannot express: which construct, of which rule, where, and why."""

from __future__ import annotations

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError

from exchange.stix.errors import shown


class RefusedError(SigmaFeatureNotSupportedByBackendError):
    """A rule holds something that a query cannot say exactly.

    construct: what it is. reason: one clause. field: the field that it stands at, "" for none.
    rule: title of the rule, "" until somebody who knows it says so. The message is safe to show.
    """

    def __init__(self, construct: str, reason: str, field: str = "", rule: str = "") -> None:
        self.construct = construct
        self.reason = reason
        self.field = field
        self.rule = rule
        super().__init__(str(self))

    def of_rule(self, title: str) -> RefusedError:
        """The same, naming the rule unless one is named already."""
        return self if self.rule else RefusedError(self.construct, self.reason, self.field, title)

    def __str__(self) -> str:
        rule = f"Rule {shown(self.rule)}: " if self.rule else ""
        field = f" at field {shown(self.field)}" if self.field else ""
        return f"{rule}{self.construct}{field}: {self.reason}."
