"""The issuer of selectors as a lab uses it: epochs that the pinned node signed, and evaluations with verified proofs.

Only blinded values leave this process. What the node answers is used only if the node's own statement names the key and
the proof holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec

from attribution.issuing.statements import Epoch, Statement, read_note
from attribution.voprf import VoprfError, blind, finalize, verify
from exchange.labtool.client import NodeClient
from exchange.labtool.errors import UnreachableError
from exchange.labtool.judging import Keyring
from exchange.labtool.pins import Pins
from exchange.labtool.pulling import IDENTITIES
from exchange.stix.errors import StixError, shown

BATCH: Final = 500
"""Values of one request: some tenths of a second of work on each side, so that progress shows."""

MAX_AGE: Final = timedelta(hours=1)
"""The node signs its statement anew for each answer; clocks of machines differ by less."""


class IssuerError(UnreachableError):
    """The issuer cannot be believed: nothing that it answered was used."""


class _Epochs(msgspec.Struct):
    statement: msgspec.Raw


class _Evaluated(msgspec.Struct):
    epoch: str
    evaluated: list[str]
    proof: str


Answer = TypeVar("Answer", _Epochs, _Evaluated)


def read_statement(client: NodeClient, pins: Pins, now: datetime) -> Statement:
    """The epochs of the node's issuer, as a node that follows from the pins signed them. now: aware.

    Raises:
        IssuerError: the statement is of nobody who is pinned, of no node, of another than the issuer, old or malformed.
        LabToolError: the node cannot be reached or refuses.
    """
    raw = _read(client.selector_epochs(), _Epochs).statement
    keyring = Keyring(pins)
    for page in client.feed().pages(IDENTITIES, all_versions=True):
        keyring.learn(((identity, now) for identity in page.objects), now=now)
    verdict = keyring.judge(bytes(raw), now=now, first_seen=now)
    if not verdict.is_ok or verdict.members is None:
        raise IssuerError(f"the statement of the issuer's epochs is not of a pinned node: {verdict.reason}")
    try:
        statement = read_note(verdict.members)
    except StixError as error:
        raise IssuerError(f"the statement of the issuer's epochs is malformed: {error.message}") from None
    if verdict.producer != statement.issuer or not keyring.is_pinned_node(statement.issuer):
        raise IssuerError("the statement of the issuer's epochs is signed by another than the issuer, or by no node")
    if abs(now - statement.at) > MAX_AGE:
        raise IssuerError("the statement of the issuer's epochs is old, or a clock is wrong")
    return statement


def evaluate(
    client: NodeClient,
    epoch: Epoch,
    inputs: Sequence[bytes],
    *,
    on_batch: Callable[[int], None] = lambda _count: None,
) -> list[bytes]:
    """The output of each input in an epoch, in that order. on_batch: called with how many are done.

    Raises:
        IssuerError: a proof does not hold, or an answer does not fit. LabToolError: the node cannot be reached or
            refuses; earlier batches are counted by it all the same.
    """
    outputs: list[bytes] = []
    for start in range(0, len(inputs), BATCH):
        outputs += _evaluate_batch(client, epoch, inputs[start : start + BATCH])
        on_batch(len(outputs))
    return outputs


def _evaluate_batch(client: NodeClient, epoch: Epoch, inputs: Sequence[bytes]) -> list[bytes]:
    blinded = [blind(value) for value in inputs]
    elements = [each.element for each in blinded]
    answer = _read(client.evaluate_blinded(epoch.name, [element.hex() for element in elements]), _Evaluated)
    try:
        evaluated = [bytes.fromhex(text) for text in answer.evaluated]
        verify(epoch.public_key, elements, evaluated, bytes.fromhex(answer.proof))
        return [finalize(each, element) for each, element in zip(blinded, evaluated, strict=True)]
    except VoprfError as error:
        raise IssuerError(f"the issuer's answer for the epoch {epoch.name} is not used: {error}") from None
    except ValueError:
        raise IssuerError("the issuer's answer is not hexadecimal") from None


def _read(body: bytes, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IssuerError(f"the issuer's answer is of another form: {shown(type(error).__name__)}") from None
