"""Pulls as each lab by TAXII, verifies as a lab would, and compares with what the sharing policy promises.

What is compared with is a table made by hand (exchange/samples/views.yml), not the exchange's own rule.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from exchange.labtool.client import NodeClient
from exchange.labtool.errors import LabToolError
from exchange.labtool.pins import read_pins
from exchange.labtool.pulling import PullReport, pull
from exchange.labtool.shelf import OBJECTS
from exchange.quickstart.accounts import Account
from exchange.quickstart.errors import QuickstartError
from exchange.samples import View, sample_ids

COLLECTION = "all"


@dataclass(frozen=True, slots=True)
class LabView:
    """What one lab got. Keys are those of the samples, such as "aurora/template-spread".

    types: verified objects by producer's name and type. digests: SHA-256 of the samples that came. hidden: samples that
    it did not get, with the policy's reason. missing: samples that the policy gives it and that did not come. leaked:
    samples that came against the policy.
    """

    lab: str
    report: PullReport
    types: Mapping[str, Mapping[str, int]]
    digests: Mapping[str, str]
    hidden: Mapping[str, str]
    missing: list[str]
    leaked: list[str]

    @property
    def is_as_promised(self) -> bool:
        return not self.missing and not self.leaked and self.report.is_clean


def view_as(account: Account, pins: Path, identities: Mapping[str, str], expected: Mapping[str, View]) -> LabView:
    """Pull everything that the lab's token may see into a temporary folder, and sort it.

    identities: as `sample_identities`. expected: what the policy gives the lab of the samples that were published.

    Raises:
        QuickstartError: the node cannot be read.
    """
    with TemporaryDirectory(prefix="commonwatch-") as folder:
        try:
            with NodeClient(account.node, account.api_token) as client, client.feed() as feed:
                report = pull(feed, Path(folder), read_pins(pins), collection=COLLECTION)
        except LabToolError as error:
            raise QuickstartError(f"{account.lab} could not pull: {error}") from None
        found = _found(Path(folder) / OBJECTS)
    return _compare(account, report, found, expected, identities)


def _found(objects: Path) -> dict[tuple[str, str], str]:
    """(producer, object id) of everything that verified, with the SHA-256 of the bytes of its last version."""
    files = sorted(objects.glob("*/*/*.json"))
    return {(path.parents[1].name, path.parent.name): sha256(path.read_bytes()).hexdigest() for path in files}


def _compare(
    account: Account,
    report: PullReport,
    found: Mapping[tuple[str, str], str],
    expected: Mapping[str, View],
    identities: Mapping[str, str],
) -> LabView:
    ids = sample_ids(identities, datetime.now(UTC))
    places = {key: (identities[key.partition("/")[0]], stix_id) for key, stix_id in ids.items()}
    came = {key: found[place] for key, place in places.items() if place in found}
    names = {identity: lab for lab, identity in identities.items()}
    return LabView(
        lab=account.lab,
        report=report,
        types=_types_by_producer(found, names),
        digests=came,
        hidden={key: view.reason for key, view in expected.items() if not view.may_read and key not in came},
        missing=[key for key, view in expected.items() if view.may_read and key not in came],
        leaked=[key for key, view in expected.items() if not view.may_read and key in came],
    )


def _types_by_producer(found: Collection[tuple[str, str]], names: Mapping[str, str]) -> dict[str, dict[str, int]]:
    types: dict[str, dict[str, int]] = {}
    for producer, stix_id in sorted(found):
        of_producer = types.setdefault(names.get(producer, "this exchange"), {})
        type_ = stix_id.partition("--")[0]
        of_producer[type_] = of_producer.get(type_, 0) + 1
    return types
