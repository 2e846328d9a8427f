"""Builds the unsigned STIX objects of the samples from the data files.

Ids are stable: the same identities give the same objects on every start. Nothing is signed or published here.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import yaml

from exchange.stix.extension_ids import (
    COA_PLAYBOOK_EXTENSION,
    DISTRIBUTION_EXTENSION,
    FEEDBACK_EXTENSION,
    RANGES_EXTENSION,
)
from exchange.stix.identifiers import CONTRIBUTING_PROPERTIES, deterministic_id
from exchange.stix.markings import Tlp
from exchange.stix.signature_payload import payload_digest
from signatures.atlas import TECHNIQUES
from signatures.cacao.carrying import extension_of
from signatures.samples import SAMPLE_SIGNATURES, indicator_members
from signatures.samples.playbooks import playbook_bytes

LABS: Final = ("aurora", "borealis", "cobalt")

_FOLDER: Final = Path(__file__).parent
_EXTENSIONS: Final = {
    "distribution": DISTRIBUTION_EXTENSION,
    "feedback": FEEDBACK_EXTENSION,
    "ranges": RANGES_EXTENSION,
}
Entry = dict[str, Any]


def sample_objects(lab: str, identities: Mapping[str, str], now: datetime) -> list[Entry]:
    """Return the unsigned objects of one lab; what is referred to comes first.

    identities: identity ids of the labs by name, and of persons as "borealis:analyst" (what is for an absent person
    is left out). now: aware UTC; no object is from later. Raises: KeyError for a missing lab.
    """
    return list(_Samples(identities, now).objects(lab).values())


def sample_ids(identities: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Return the ids of all samples by key, such as "aurora/template-spread", labs in order.

    Observables have the same id whoever publishes them. Arguments as in `sample_objects`.
    """
    samples = _Samples(identities, now)
    return {f"{lab}/{key}": entry["id"] for lab in LABS for key, entry in samples.objects(lab).items()}


@cache
def _entries(name: str) -> tuple[Entry, ...]:
    return tuple(yaml.safe_load(_text(f"{name}.yml")))


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


class _Samples:
    """All samples for one set of identities; each lab's are built once, other labs' first where they are named."""

    def __init__(self, identities: Mapping[str, str], now: datetime) -> None:
        self._identities = identities
        self._years_back = _years_back(now)
        self._built: dict[str, dict[str, Entry]] = {}
        self._lab = ""
        self._notations: Mapping[str, Callable[[str], str]] = {
            "@lab:": lambda name: self._identities[name],
            "@person:": lambda name: self._identities[name],
            "@extension:": lambda name: _EXTENSIONS[name],
            "@atlas/": lambda name: TECHNIQUES[name].object,
            "@payload:": self._digest_of,
            "@": self._id_of,
        }

    def objects(self, lab: str) -> dict[str, Entry]:
        """The objects of a lab by key."""
        if lab not in self._built:
            self._built[lab] = {}
            for entry in _entries(lab):
                person = entry.get("needs", "").removeprefix("@person:")
                if not person or person in self._identities:
                    self._lab = lab
                    self._built[lab][entry["key"]] = self._build(entry)
        return self._built[lab]

    def _build(self, entry: Entry) -> Entry:
        members: Entry = {"type": entry["type"], "spec_version": "2.1", **self._resolve(entry.get("members", {}))}
        if "signature" in entry:
            created = datetime.fromisoformat(self._moved(entry["created"]))
            members = {**members, **indicator_members(SAMPLE_SIGNATURES[entry["signature"]], created)}
        if "playbook" in entry:
            members.setdefault("extensions", {})[COA_PLAYBOOK_EXTENSION] = self._playbook(entry["playbook"])
        if "label" in entry:
            members["object_marking_refs"] = [Tlp[entry["label"]].marking_id]
        if "distribution" in entry:
            members["object_marking_refs"].append(self._id_of(entry["distribution"]))
        if entry["type"] in CONTRIBUTING_PROPERTIES:
            identifier = deterministic_id(members)
            assert identifier is not None
            return members | {"id": identifier}
        return members | self._common(entry)

    def _common(self, entry: Entry) -> Entry:
        creator, created = self._identities[self._lab], self._moved(entry["created"])
        common = {
            "id": f"{entry['type']}--{_stable_uuid(creator, entry['key'])}",
            "created_by_ref": creator,
            "created": created,
        }
        return common if entry["type"] == "marking-definition" else common | {"modified": created}

    def _resolve(self, value: Any) -> Any:
        """Replace the notation of the data files, in names and values."""
        if isinstance(value, dict):
            return {self._resolve(name): self._resolve(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._resolve(item) for item in value]
        if not isinstance(value, str):
            return value
        for prefix, replace in self._notations.items():
            if value.startswith(prefix):
                return replace(value.removeprefix(prefix))
        return self._moved(value)

    def _id_of(self, key: str) -> str:
        identifier: str = self._find(key)["id"]
        return identifier

    def _digest_of(self, key: str) -> str:
        return payload_digest(self._find(key))

    def _find(self, key: str) -> Entry:
        lab, _slash, name = key.rpartition("/")
        if not lab or lab == self._lab:
            return self._built[self._lab][name]
        here = self._lab
        found = self.objects(lab)[name]
        self._lab = here
        return found

    def _playbook(self, name: str) -> Entry:
        """The playbook extension of a sample playbook, written by the lab that publishes it."""
        playbook = {key: self._moved_if_text(value) for key, value in json.loads(playbook_bytes(name)).items()}
        playbook["created_by"] = self._identities[self._lab]
        raw = json.dumps(playbook, indent=1, ensure_ascii=False).encode()
        return extension_of(raw, playbook)

    def _moved_if_text(self, value: Any) -> Any:
        return self._moved(value) if isinstance(value, str) else value

    def _moved(self, text: str) -> str:
        """A time of the data files, moved back by whole years where the clock is behind the data."""
        if not self._years_back or not _is_time(text):
            return text
        return f"{int(text[:4]) - self._years_back:04}{text[4:]}"


def _stable_uuid(creator: str, key: str) -> UUID:
    """A UUID in the shape of version 4 from a hash: two exchanges whose labs differ never share an id."""
    digest = hashlib.sha256(f"sample {creator} {key}".encode()).digest()
    return UUID(bytes=digest[:16], version=4)


def _is_time(text: str) -> bool:
    return len(text) in {20, 24} and text[4:5] == "-" and text[10:11] == "T" and text.endswith("Z")


def _years_back(now: datetime) -> int:
    latest = max(
        datetime.fromisoformat(entry["created"]) for lab in LABS for entry in _entries(lab) if "created" in entry
    )
    years = max(0, latest.year - now.astimezone(UTC).year)
    return years if latest.replace(year=latest.year - years) <= now else years + 1
