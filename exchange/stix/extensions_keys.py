"""The keys extension: the public keys of a lab or node and the nodes that it calls home.

It reads what one version of an identity says. What a chain of versions amounts to is decided in chain.py.
"""

from dataclasses import dataclass
from typing import Any, Self

from exchange.stix.errors import KeyChainError, ObjectInvalidError
from exchange.stix.extensions_fields import list_of, members_of, truth
from exchange.stix.keys import PublicKey, is_thumbprint, parse_public_key

#: A key a month for eight years; `MAX_SIGNATURES` leaves room for each to prove itself in one version.
MAX_KEYS = 100
#: A lab has a few nodes; each widens where its intelligence may travel.
MAX_HOMES = 100


@dataclass(frozen=True, slots=True)
class Home:
    """A node, named by the thumbprint of its root key, that a lab calls home; exclusive: it serves that lab alone."""

    node: str
    exclusive: bool

    @classmethod
    def parse(cls, value: object, pointer: str) -> Self:
        """Reads one entry. Raises: ObjectInvalidError."""
        members = members_of(value, pointer, required={"node", "exclusive"})
        node = members["node"]
        if not isinstance(node, str) or not is_thumbprint(node):
            message = "The value must be the RFC 7638 thumbprint of a root key."
            raise ObjectInvalidError("extension-value", message, f"{pointer}/node")
        return cls(node, truth(members, "exclusive", pointer))


@dataclass(frozen=True, slots=True)
class Keys:
    """What one version of an identity says about its keys and homes."""

    keys: tuple[PublicKey, ...]
    homes: tuple[Home, ...] = ()

    @classmethod
    def parse(cls, value: object, pointer: str) -> Self:
        """Reads the extension.

        Raises:
            ObjectInvalidError: a member is missing, unknown or of the wrong form.
            KeyChainError: key-twice, or one of those of `parse_public_key`.
        """
        members = members_of(value, pointer, required={"extension_type", "jwks"}, optional={"home"})
        jwks = members_of(members["jwks"], f"{pointer}/jwks", required={"keys"})
        listed = list_of(jwks, "keys", f"{pointer}/jwks", most=MAX_KEYS)
        keys = tuple(parse_public_key(key, f"{pointer}/jwks/keys/{place}") for place, key in enumerate(listed))
        if len({key.kid for key in keys}) != len(keys):
            raise KeyChainError("key-twice", "A key is listed twice.", f"{pointer}/jwks/keys")
        return cls(keys, _parse_homes(members, pointer) if "home" in members else ())

    def to_extension(self) -> dict[str, Any]:
        """The extension as it stands in an object."""
        extension: dict[str, Any] = {"extension_type": "property-extension"}
        extension["jwks"] = {"keys": [key.to_jwk() for key in self.keys]}
        if self.homes:
            extension["home"] = [{"node": home.node, "exclusive": home.exclusive} for home in self.homes]
        return extension


def _parse_homes(members: Any, pointer: str) -> tuple[Home, ...]:
    listed = list_of(members, "home", pointer, most=MAX_HOMES)
    homes = tuple(Home.parse(home, f"{pointer}/home/{place}") for place, home in enumerate(listed))
    if len({home.node for home in homes}) != len(homes):
        raise ObjectInvalidError("extension-value", "A node is listed twice.", f"{pointer}/home")
    return homes
