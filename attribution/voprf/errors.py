"""What can be wrong with the bytes of the protocol. No message carries any of them: they may be secret."""

from __future__ import annotations


class VoprfError(Exception):
    """Base of the refusals of this package."""


class InputError(VoprfError):
    """An input that the function is not defined on: too long, or one that maps to the identity."""


class ElementError(VoprfError):
    """Bytes that are no element of the group, the identity among them. `index`: their place in the list, from 0."""

    def __init__(self, index: int) -> None:
        super().__init__(f"element {index} is no canonical element of ristretto255, or is the identity")
        self.index = index


class ProofError(VoprfError):
    """The proof does not show that the key evaluated these elements."""

    def __init__(self) -> None:
        super().__init__("the proof does not show that the expected key evaluated these elements")
