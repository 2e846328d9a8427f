"""What a check of the exchange answers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """Something stored that contradicts what else is stored, or its own signature.

    kind: stable slug. where: table and row. detail: one sentence.
    """

    kind: str
    where: str
    detail: str


@dataclass(slots=True)
class Report:
    """`checked` counts what was looked at by kind; a sound exchange has no faults."""

    checked: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.faults

    def count(self, kind: str, number: int = 1) -> None:
        self.checked[kind] = self.checked.get(kind, 0) + number

    def add(self, kind: str, where: str, detail: str) -> None:
        self.faults.append(Fault(kind, where, detail))
