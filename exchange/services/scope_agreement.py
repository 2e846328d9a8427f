"""Reads scope.toml, the agreement's list of what members may publish, into values that are fast to ask.

It decides nothing. A mistake in the file stops the start, not a publication.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

SCOPE_FILE: Final = Path(__file__).with_name("scope.toml")

# The value of a property that holds no prose, where the others have their greatest number of characters.
PLAIN: Final = 0

# The same for a dictionary of hashes.
HASHES: Final = -1

# What log fields are called: ECS, OCSF and OpenTelemetry keep to less.
_FIELD_NAME: Final = re.compile(r"[\w@][\w.@\[\]/:-]{0,199}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Structure:
    """Members of a nested object. limits: name to characters, `PLAIN` or `HASHES`. payload: decoded elsewhere."""

    limits: Mapping[str, int]
    payload: frozenset[str]
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class TypeScope:
    """What an object of one type may hold.

    contact: properties that may hold a contact address. required_extension: an id, or "";
    required_rule: the rule that its absence breaks.
    """

    limits: Mapping[str, int]
    structures: Mapping[str, Structure]
    extensions: Mapping[str, Structure]
    contact: frozenset[str]
    required_extension: str
    required_rule: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """The whole file. rules: name to its plain words, refusals first; warnings: names that only warn."""

    version: str
    rules: Mapping[str, str]
    warnings: frozenset[str]
    types: Mapping[str, TypeScope]
    refused_types: Mapping[str, str]
    refused_properties: Mapping[str, str]
    plain_chars: int
    list_items: int
    structure_items: int
    total_chars: int
    hash_digits: Mapping[str, int]
    run_chars: int
    hint_run_chars: int
    literal_chars: int
    description_chars: int
    remark_chars: int
    pattern_name_chars: int
    pattern_languages: frozenset[str]
    playbook_languages: frozenset[str]
    appeal_places: re.Pattern[str]
    refused_places: re.Pattern[str]
    data_suffixes: tuple[str, ...]
    field_name: re.Pattern[str]
    content_fields: re.Pattern[str]
    commercial_field: re.Pattern[str]
    account_fields: re.Pattern[str]
    origin_fields: re.Pattern[str]
    everywhere_fields: re.Pattern[str]
    origin_pattern_types: frozenset[str]
    origin_pattern_properties: frozenset[str]
    origin_relationships: frozenset[str]
    claim_types: frozenset[str]
    claim_relationships: frozenset[str]
    claim_targets: frozenset[str]
    prompt_hints: tuple[str, ...]
    sure_prompt_hints: tuple[str, ...]
    currencies: tuple[str, ...]
    price_units: tuple[str, ...]
    customer_hints: tuple[str, ...]
    address_hints: tuple[str, ...]


@cache
def agreement() -> Agreement:
    """Return the agreement, read once per process."""
    return load_agreement(SCOPE_FILE)


def load_agreement(path: Path) -> Agreement:
    """Read an agreement from a file like scope.toml.

    Raises: OSError, tomllib.TOMLDecodeError, KeyError: the file is ours, not hostile.
    """
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    accounts, origin, prompts = data["account_identifier"], data["origin"], data["prompt_or_completion"]
    commercial, models, personal = data["price_or_customer_data"], data["model_or_training_data"], data["personal_data"]
    claims = data["claim_without_source"]
    return Agreement(
        version=data["version"],
        rules={rule["name"]: rule["says"] for rule in data["rules"]},
        warnings=frozenset(rule["name"] for rule in data["rules"] if rule["effect"] == "warn"),
        types={name: _type_scope(name, section, data) for name, section in data["types"].items()},
        refused_types={
            **dict.fromkeys(models["types"], "model-or-training-data"),
            **dict.fromkeys(accounts["types"], "account-identifier"),
            **dict.fromkeys(origin["pattern_types"], "origin-alone"),
        },
        refused_properties={
            **dict.fromkeys(accounts["properties"], "account-identifier"),
            **dict.fromkeys(personal["properties"], "personal-data"),
        },
        plain_chars=data["limits"]["plain_chars"],
        list_items=data["limits"]["list_items"],
        structure_items=data["limits"]["structure_items"],
        total_chars=data["limits"]["total_chars"],
        hash_digits=data["hashes"],
        run_chars=data["limits"]["run_chars"],
        hint_run_chars=data["limits"]["hint_run_chars"],
        description_chars=data["limits"]["description_chars"],
        remark_chars=data["limits"]["remark_chars"],
        literal_chars=data["limits"]["literal_chars"],
        pattern_name_chars=data["limits"]["pattern_name_chars"],
        pattern_languages=frozenset(data["languages"]["patterns"]),
        playbook_languages=frozenset(data["languages"]["playbooks"]),
        appeal_places=_any_of(personal["appeal_places"], "[^/]*"),
        refused_places=_any_of(personal["refused_places"], "[^/]*"),
        data_suffixes=tuple(models["suffixes"]),
        field_name=_FIELD_NAME,
        content_fields=_at_or_below(prompts["fields"]),
        commercial_field=_any_part_of(commercial["field_parts"]),
        account_fields=_at_or_below(accounts["fields"]),
        origin_fields=_any_of(origin["fields"], ".*"),
        everywhere_fields=_any_of(origin["everywhere"], ".*"),
        origin_pattern_types=frozenset(origin["pattern_types"]),
        origin_pattern_properties=frozenset(origin["pattern_properties"]),
        origin_relationships=frozenset(origin["relationships"]),
        claim_types=frozenset(claims["types"]),
        claim_relationships=frozenset(claims["relationships"]),
        claim_targets=frozenset(claims["targets"]),
        prompt_hints=tuple(hint.rstrip("!") for hint in prompts["hints"]),
        sure_prompt_hints=tuple(hint[:-1] for hint in prompts["hints"] if hint.endswith("!")),
        currencies=tuple(commercial["currencies"]),
        price_units=tuple(commercial["per"]),
        customer_hints=tuple(commercial["customers"]),
        address_hints=tuple(personal["hints"]),
    )


def _type_scope(name: str, section: Mapping[str, Any], data: Mapping[str, Any]) -> TypeScope:
    extensions = data["extensions"]
    contacts = (place.split("/") for place in data["personal_data"]["contact"])
    required = section.get("required_extension")
    return TypeScope(
        limits={**_limits(data["common"]), **_limits(section)},
        structures={inner: _structure(data["structures"][inner]) for inner in section["structures"]},
        extensions={extensions[inner]["id"]: _structure(extensions[inner]) for inner in section["extensions"]},
        contact=frozenset(inner for outer, inner in contacts if outer == name),
        required_extension=extensions[required]["id"] if required else "",
        required_rule=section.get("required_rule", ""),
    )


def _structure(section: Mapping[str, Any]) -> Structure:
    return Structure(_limits(section), frozenset(section.get("payload", ())), section.get("fixed", False))


def _limits(section: Mapping[str, Any]) -> dict[str, int]:
    return {
        **dict.fromkeys(section.get("plain", ()), PLAIN),
        **dict.fromkeys(section.get("hashes", ()), HASHES),
        **section.get("texts", {}),
    }


def _any_of(names: Iterable[str], star: str) -> re.Pattern[str]:
    """Compile names, in which `*` stands for `star`, into one expression for `fullmatch`."""
    return re.compile("|".join(re.escape(name).replace(r"\*", star) for name in names), re.IGNORECASE)


def _at_or_below(names: Iterable[str]) -> re.Pattern[str]:
    """Compile names of fields so that what lies below one of them matches too: `prompt`, `prompt.0.text`."""
    return re.compile(rf"(?:{_any_of(names, '.*').pattern})(?:[.\[:/].*)?", re.IGNORECASE | re.DOTALL)


def _any_part_of(parts: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:.*\.)?(?:{'|'.join(map(re.escape, parts))})(?:\..*)?", re.IGNORECASE)
