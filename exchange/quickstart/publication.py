"""Publishes identities and sample intelligence through the REST door, each lab as itself and with its own token.

Aurora and Cobalt sign with their own keys, as a lab does on its own machine; Borealis has the exchange sign.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exchange.labtool.answers import Result
from exchange.labtool.client import NodeClient
from exchange.labtool.errors import LabToolError
from exchange.labtool.key_files import IDENTITY_FILE, read_key_file
from exchange.labtool.signing import sign_objects
from exchange.quickstart.accounts import Account, write_private_json
from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.labs import DemoLab
from exchange.samples import sample_objects

PUBLISHED_FILE = "published.json"


def publish_identities(labs: Sequence[DemoLab], accounts: Mapping[str, Account], data_dir: Path) -> None:
    """Publish each lab's signed identity; with it its node knows the lab's keys. Repeating it changes nothing.

    Raises:
        QuickstartError: the node refused one.
    """
    for demo in labs:
        identity = (demo.folder(data_dir) / IDENTITY_FILE).read_bytes().strip()
        _publish(accounts[demo.slug], [identity], sign=False)


def publish_samples(
    labs: Sequence[DemoLab], accounts: Mapping[str, Account], identities: Mapping[str, str], marker: Path
) -> int:
    """Publish the samples of each lab that has not done so yet, at its node; answers how many objects went out.

    identities: as `sample_identities`. marker: file that remembers which labs have published, because an
    observable signed anew would be a new version.

    Raises:
        QuickstartError: the node refused an object.
    """
    done: list[str] = json.loads(marker.read_text()) if marker.exists() else []
    count = 0
    for demo in labs:
        if demo.slug in done:
            continue
        now = datetime.now(UTC)
        objects = sample_objects(demo.slug, identities, now)
        publish_unsigned(accounts[demo.slug], objects, now)
        done.append(demo.slug)
        write_private_json(marker, done)
        count += len(objects)
    return count


def publish_unsigned(account: Account, objects: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Publish a lab's objects, signed at home where it holds its key, else by the exchange.

    Raises:
        QuickstartError: the node refused an object.
    """
    bodies = [json.dumps(members, ensure_ascii=False).encode() for members in objects]
    if account.key_file is not None:
        key = read_key_file(Path(account.key_file)).key
        bodies = sign_objects(bodies, key, now=now, lab_identity=account.identity)
    _publish(account, bodies, sign=account.key_file is None)


def sample_identities(accounts: Mapping[str, Account], persons: Mapping[str, str]) -> dict[str, str]:
    """Identity ids as the samples name them: labs by name, and persons as "borealis:analyst"."""
    labs = {lab: account.identity for lab, account in accounts.items()}
    return labs | {f"{lab}:analyst": identity for lab, identity in persons.items()}


def _publish(account: Account, objects: Sequence[bytes], *, sign: bool) -> None:
    try:
        with NodeClient(account.node, account.api_token) as client:
            results = client.publish(objects, sign=sign)
    except LabToolError as error:
        raise QuickstartError(f"{account.lab} could not publish: {error}") from None
    refused = [result for result in results if not result.is_accepted]
    if refused:
        raise QuickstartError(f"{account.lab} could not publish {len(refused)} objects; {_reason(refused[0])}")


def _reason(result: Result) -> str:
    fault = result.error
    said = f"{fault.detail} at {fault.pointer or '(whole)'} [{fault.code}]" if fault else "no reason given"
    return f"{result.id}: {said}"
