"""What crossed between the two exchanges: samples sorted by producer, label and who got them.

Worked out from what labs pulled and verified, each at its own exchange; nothing is taken from what an exchange says of
itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from exchange.quickstart.labs import DemoNode
from exchange.quickstart.viewing import LabView
from exchange.samples import LABS, sample_ids, sample_objects
from exchange.stix.markings import Tlp, label_of


@dataclass(frozen=True, slots=True)
class Crossing:
    """Samples of one producer with one label and the same readers. found_at: exchanges where one of these got them.

    label: "" of markings, which have none.
    """

    producer: str
    published_at: str
    label: str
    seen_by: list[str]
    found_at: list[str]
    objects: list[str]

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return asdict(self)


def crossings_of(nodes: Sequence[DemoNode], views: Sequence[LabView], identities: Mapping[str, str]) -> list[Crossing]:
    """What each exchange has of the samples, by producer, from the loosest label to the strictest, markings last."""
    labels = _labels(identities)
    home = {lab.slug: node.name for node in nodes for lab in node.labs}
    found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for key in sample_ids(identities, datetime.now(UTC)):
        readers = tuple(view.lab for view in views if key in view.digests)
        found.setdefault((key.partition("/")[0], labels[key], readers), []).append(key.partition("/")[2])
    return [
        Crossing(
            producer=producer,
            published_at=home[producer],
            label=label,
            seen_by=list(readers),
            found_at=[node.name for node in nodes if node.name in {home[lab] for lab in readers}],
            objects=objects,
        )
        for (producer, label, readers), objects in sorted(found.items(), key=lambda row: _rank(*row[0]))
    ]


def _rank(producer: str, label: str, readers: Sequence[str]) -> tuple[int, int, int]:
    return LABS.index(producer), Tlp.parse(label) if label else len(Tlp), -len(readers)


def altered_objects(views: Sequence[LabView]) -> list[str]:
    """Samples whose bytes are not the same for every lab that got them; there should be none."""
    seen: dict[str, set[str]] = {}
    for view in views:
        for key, digest in view.digests.items():
            seen.setdefault(key, set()).add(digest)
    return [key for key, digests in seen.items() if len(digests) > 1]


def _labels(identities: Mapping[str, str]) -> dict[str, str]:
    moment = datetime.now(UTC)
    members = [each for lab in LABS for each in sample_objects(lab, identities, moment)]
    labels = [label_of(each) for each in members]
    keys = sample_ids(identities, moment)
    return {key: "" if label is None else label.label for key, label in zip(keys, labels, strict=True)}
