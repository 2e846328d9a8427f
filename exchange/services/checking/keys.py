"""Keys: each lab's chain is verified from its pins again, and must say what the tables of keys and of homes say."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from exchange.models import Lab, Pin, SigningKey
from exchange.services.checking.report import Report
from exchange.services.errors import NotReadyError
from exchange.services.homes import homes_of
from exchange.services.keys import APPROVALS_NEEDED, KnownKey, count_approvals, find_keys
from exchange.services.sealing import open_key
from exchange.stix.chain import KeyState, extend
from exchange.stix.errors import StixError
from exchange.stix.reading import read_object
from exchange.stix.signature import open_signed


def check_keys(report: Report) -> Mapping[str, KnownKey]:
    """Check every lab's keys; answers the key table by thumbprint."""
    known = find_keys(SigningKey.objects.values_list("kid", flat=True))
    chained: set[str] = set()
    for lab in Lab.objects.filter(identity_id=None, homes__isnull=False).distinct():
        report.add("home-differs", f"lab {lab.slug}", "it has homes and no identity")
    for lab in Lab.objects.exclude(identity_id=None).exclude(kind=Lab.Kind.FEED).order_by("id"):
        state = _verified_chain(report, lab, known)
        if state is not None:
            _compare(report, lab, state, known)
            chained |= set(state.keys)
        _compare_homes(report, lab, state)
    _check_strays(report, chained, known)
    for row in SigningKey.objects.exclude(sealed=None):
        _check_sealed(report, row)
    report.count("keys", len(known))
    return known


def _verified_chain(report: Report, lab: Lab, known: Mapping[str, KnownKey]) -> KeyState | None:
    pins = set(Pin.objects.filter(lab=lab).values_list("thumbprint", flat=True))
    owners = {kid: key.lab_identity for kid, key in known.items()}
    state: KeyState | None = None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.id, v.body, v.received_at FROM version v JOIN object o ON o.id = v.object_id"
            " WHERE o.producer_id = %s AND o.stix_id = %s ORDER BY v.id",
            [lab.id, lab.identity_id],
        )
        for version_id, body, received_at in cursor.fetchall():
            try:
                signed = open_signed(read_object(bytes(body)))
                approved = count_approvals(lab, signed.payload_sha256) >= APPROVALS_NEEDED
                state, _ = extend(
                    state,
                    signed,
                    pins=pins,
                    owner_of=owners.get,
                    now=received_at,
                    approved_root=signed.kid if approved else None,
                )
            except StixError as error:
                report.add("chain", f"version {version_id} of {lab.slug}", str(error))
    if state is None:
        report.add("chain", f"lab {lab.slug}", "no version of its identity verifies")
    return state


def _compare(report: Report, lab: Lab, state: KeyState, known: Mapping[str, KnownKey]) -> None:
    for kid, key in state.keys.items():
        if kid not in known:
            report.add("key-missing", f"key {kid}", f"the chain of {lab.slug} has it, the table does not")
        elif known[kid].key != key or known[kid].lab_id != lab.id:
            report.add("key-differs", f"key {kid}", f"the table says other than the chain of {lab.slug}")


def _compare_homes(report: Report, lab: Lab, state: KeyState | None) -> None:
    """What may cross to peers rests on these rows, and nothing but the newest identity may say so."""
    named = {home.node: home.exclusive for home in state.homes} if state is not None else {}
    if homes_of(lab) != named:
        report.add("home-differs", f"lab {lab.slug}", "the table of homes says other than its newest identity")


def _check_strays(report: Report, chained: set[str], known: Mapping[str, KnownKey]) -> None:
    """A key of nobody's chain would make sound whatever it signed; only what the exchange made may wait for one."""
    for kid, key in known.items():
        if key.key.nbf > 0 and kid not in chained:
            report.add("key-stray", f"key {kid}", "no identity names it")


def _check_sealed(report: Report, row: SigningKey) -> None:
    try:
        open_key(bytes(row.sealed or b""), row.kid)
    except (NotReadyError, StixError) as error:
        report.add("sealed-key", f"key {row.kid}", str(error))
