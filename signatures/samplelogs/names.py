"""Invented names: of accounts, networks, mail domains, clients.

Addresses are reserved for benchmarks (RFC 2544), domains end in `.example`, networks have private numbers (RFC 6996).
None holds a quote, a comma or a backslash.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from signatures.samplelogs.draws import Words

ADDRESSES: Final = 1 << 17
"""Numbers of addresses in 198.18.0.0/15."""
_FIRST_NETWORK: Final = 4_200_000_000
_NETWORKS: Final = 4_000
_WORDS: Final = [
    "amber",
    "basalt",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "garnet",
    "harbour",
    "indigo",
    "juniper",
    "kestrel",
    "lagoon",
    "meadow",
    "nimbus",
    "osprey",
    "prairie",
    "quarry",
    "raven",
    "saffron",
    "tundra",
    "umber",
    "velvet",
    "willow",
    "zephyr",
]
_KINDS: Final = ["works", "labs", "soft", "group", "studio", "school", "bank", "clinic"]
_THROWAWAY: Final = tuple(
    f"{name}.example"
    for name in [
        "quickbox",
        "tenminutes",
        "nomail",
        "dropinbox",
        "burner",
        "onceonly",
        "fleeting",
        "paperbag",
        "mailmist",
    ]
)
_HEX: Final = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), dtype=np.uint16)


def identifier(kind: str, word: int) -> str:
    """Such as `acct-4f0c21d7a9b3`."""
    return f"{kind}-{word >> 16:012x}"


def domain(word: int, *, disposable: bool = False) -> str:
    """The domain of an organisation, or one that gives addresses to anybody."""
    if disposable:
        return _THROWAWAY[word % len(_THROWAWAY)]
    words = _WORDS[word % len(_WORDS)], _WORDS[(word >> 12) % len(_WORDS)], _KINDS[(word >> 24) % len(_KINDS)]
    return f"{words[0]}-{words[1]}-{words[2]}.example"


def network_number(word: int) -> int:
    """An autonomous system."""
    return _FIRST_NETWORK + word % _NETWORKS


@cache
def fingerprint(client: str, version: int) -> str:
    """What a client's TLS hello hashes to."""
    return hashlib.sha256(f"tls {client} {version}".encode()).hexdigest()[:32]


@cache
def user_agent(client: str, version: int) -> str:
    """What a client says that it is."""
    return f"{client}/{version}.{len(client)}"


@cache
def addresses() -> tuple[str, ...]:
    """All addresses, by number."""
    return tuple(f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}" for number in range(ADDRESSES))


def hexadecimal(words: Words) -> npt.NDArray[np.bytes_]:
    """16 digits for each word."""
    octets = np.ascontiguousarray(words.astype(">u8")).view(np.uint8)
    return _HEX[octets].view("S16")
