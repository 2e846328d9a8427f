"""The invented labs of quickstart: who they are and where their keys live."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exchange.stix.keys import Custody

NODE = "main"
NODE_TITLE = "Commonwatch demonstration exchange"
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class DemoLab:
    """A lab of the demonstration. `person` is the handle of its one person."""

    slug: str
    name: str
    custody: Custody

    @property
    def person(self) -> str:
        return f"{self.slug}-analyst"

    @property
    def scopes(self) -> list[str]:
        """A lab that holds its key has no use for the exchange's signature."""
        return ["read", "publish", "feedback", *(["sign"] if self.custody == "exchange" else [])]

    def folder(self, data_dir: Path) -> Path:
        """Where the lab's own files are: in earnest, a machine of the lab."""
        return data_dir / "labs" / self.slug


LABS = (
    DemoLab("aurora", "Aurora", "lab"),
    DemoLab("borealis", "Borealis", "exchange"),
    DemoLab("cobalt", "Cobalt", "lab"),
)
