"""Key chains: which version of an identity is believed, and what it does to the keys."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.stix.chain import KeyState, extend, key_valid_at
from exchange.stix.errors import KeyChainError, ObjectInvalidError, SignatureError, StixError
from exchange.stix.extension_ids import KEYS_EXTENSION
from exchange.stix.extensions import Home, Keys
from exchange.stix.keys import PublicKey, SigningKey
from exchange.stix.signature import SignedObject
from tests.unit.stix_signing.material import AURORA, BOREALIS, NBF, identity_version, key_of

ROOT_A, ROOT_B, ROOT_C = (key_of(f"root {name}", "root") for name in "ABC")
SIG_1, SIG_2, SIG_3 = (key_of(f"sig {number}") for number in (1, 2, 3))
A, B, C, S1, S2, S3 = (key.public(nbf=NBF) for key in (ROOT_A, ROOT_B, ROOT_C, SIG_1, SIG_2, SIG_3))
NOBODY: dict[str, str] = {}


def day(number: float) -> datetime:
    """The day on which version `number` appears."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def second(number: float) -> int:
    return int(day(number).timestamp())


def step(
    state: KeyState | None,
    identity: SignedObject,
    number: float,
    *,
    pins: Collection[str] = (A.kid,),
    owner_of: Callable[[str], str | None] = NOBODY.get,
    first_seen: datetime | None = None,
    approved_root: str | None = None,
) -> KeyState:
    """The state after the version arrived on that day."""
    return extend(
        state,
        identity,
        pins=pins,
        owner_of=owner_of,
        now=day(number),
        first_seen=first_seen,
        approved_root=approved_root,
    )[0]


def refusal(state: KeyState | None, identity: SignedObject, number: float, **options: Any) -> str:
    with pytest.raises(StixError) as error:
        step(state, identity, number, **options)
    return error.value.code


def first(keys: tuple[PublicKey, ...] = (A, S1), signers: tuple[SigningKey, ...] = (ROOT_A, SIG_1)) -> SignedObject:
    return identity_version(1, keys, signers)


def started(keys: tuple[PublicKey, ...] = (A, S1), signers: tuple[SigningKey, ...] = (ROOT_A, SIG_1)) -> KeyState:
    return step(None, first(keys, signers), 1)


def two_roots() -> KeyState:
    return started((A, B, S1), (ROOT_A, ROOT_B, SIG_1))


def test_a_first_version_signed_by_a_pinned_root_key_is_trusted() -> None:
    state, verified = extend(None, first(), pins={A.kid}, owner_of=NOBODY.get, now=day(1))
    assert dict(state.keys) == {A.kid: A, S1.kid: S1}
    assert state.identity == verified.producer == AURORA
    assert verified.key == A
    assert key_valid_at(state, S1.kid, day(1))
    assert not key_valid_at(state, S2.kid, day(1))


def test_a_first_version_without_a_pin_is_not_trusted() -> None:
    assert refusal(None, first(), 1, pins=()) == "chain-unpinned"
    assert refusal(None, first(), 1, pins=(B.kid,)) == "chain-unpinned"


def test_a_pin_of_a_signing_key_is_worth_nothing() -> None:
    identity = identity_version(1, (A, S1), (SIG_1, ROOT_A))
    assert refusal(None, identity, 1, pins=(S1.kid,)) == "chain-not-root"


def test_a_root_key_that_the_version_does_not_list_cannot_sign_it_first() -> None:
    assert refusal(None, identity_version(1, (S1,), (ROOT_A, SIG_1)), 1) == "chain-not-root"


def test_a_first_version_by_an_expired_root_key_is_outside_the_chain() -> None:
    expired = replace(A, exp=second(1))
    assert refusal(None, identity_version(1, (expired, S1), (ROOT_A, SIG_1)), 1) == "chain-outside"


def test_a_later_version_follows_the_chain_without_a_pin() -> None:
    state = step(started(), identity_version(2, (A, S1, S2), (ROOT_A, SIG_2)), 2, pins=())
    assert set(state.keys) == {A.kid, S1.kid, S2.kid}


def test_a_root_key_introduced_by_one_version_signs_the_next() -> None:
    state = step(started(), identity_version(2, (A, B, S1), (ROOT_A, ROOT_B)), 2)
    state = step(state, identity_version(3, (B, S1, S2), (ROOT_B, SIG_2)), 3)
    assert S2.kid in state.keys


def test_a_root_key_does_not_introduce_itself() -> None:
    assert refusal(started(), identity_version(2, (A, B, S1), (ROOT_B,)), 2) == "chain-outside"
    assert refusal(started(), identity_version(2, (A, B, S1), (ROOT_B,)), 2, pins=(B.kid,)) == "chain-outside"


def test_two_operators_can_accept_a_version_outside_the_chain() -> None:
    outside = identity_version(2, (B, S1, S2), (ROOT_B, SIG_2))
    state = step(started(), outside, 2, approved_root=B.kid)
    assert S2.kid in state.keys
    assert step(state, outside, 3) == state
    assert step(state, identity_version(3, (B, S1, S3), (ROOT_B, SIG_3)), 3).keys.keys() >= {S3.kid}


def test_operators_cannot_accept_a_key_without_proof_of_possession_nor_a_revoked_root_key() -> None:
    assert refusal(started(), identity_version(2, (B, S2), (ROOT_B,)), 2, approved_root=B.kid) == "chain-proof"
    revoked = step(two_roots(), identity_version(2, (replace(A, revoked_at=second(2)), B), (ROOT_B,)), 2)
    stolen = identity_version(3, (A, B, S2), (ROOT_A, SIG_2))
    assert refusal(revoked, stolen, 3, approved_root=A.kid) == "chain-outside"


def test_a_root_key_that_was_left_out_signs_no_later_version() -> None:
    state = step(started(), identity_version(2, (B, S1), (ROOT_A, ROOT_B)), 2)
    assert refusal(state, identity_version(3, (A, B, S2), (ROOT_A, SIG_2)), 3) == "chain-outside"


@pytest.mark.parametrize("place", [0.5, 1.5])
def test_a_root_key_that_was_left_out_signs_no_version_put_in_before(place: float) -> None:
    state = step(started(), identity_version(2, (B, S1), (ROOT_A, ROOT_B)), 2)
    inserted = identity_version(
        1, (A, S1, S2), (ROOT_A, SIG_1, SIG_2) if place < 1 else (ROOT_A, SIG_2), modified=stamp(place)
    )
    assert refusal(state, inserted, 3) == "chain-outside"
    assert S2.kid in step(state, inserted, 3, first_seen=day(1.6)).keys


def stamp(number: float) -> str:
    return day(number).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_a_revoked_root_key_signs_no_later_version() -> None:
    state = step(two_roots(), identity_version(2, (replace(A, revoked_at=second(2)), B, S1), (ROOT_B,)), 2)
    assert refusal(state, identity_version(3, (A, B, S1, S2), (ROOT_A, SIG_2)), 3) == "chain-outside"


def test_a_signing_key_signs_no_identity_first() -> None:
    assert refusal(started(), identity_version(2, (A, S1, S2), (SIG_1, SIG_2)), 2) == "chain-not-root"


def test_each_key_introduced_must_prove_its_possession() -> None:
    for signers in ((ROOT_A,), (ROOT_A, SIG_2), (ROOT_A, SIG_3)):
        identity = identity_version(2, (A, S1, S2, S3), signers)
        assert refusal(started(), identity, 2) == "chain-proof"
    assert step(started(), identity_version(2, (A, S1, S2, S3), (ROOT_A, SIG_3, SIG_2)), 2)


def test_nobody_else_signs_an_identity() -> None:
    for signers in ((ROOT_A, SIG_1), (ROOT_A, SIG_2, SIG_2), (ROOT_A, SIG_2, ROOT_A), (ROOT_A, SIG_2, SIG_3)):
        assert refusal(started(), identity_version(2, (A, S1, S2), signers), 2) == "chain-proof"


def test_a_proof_by_another_key_under_the_same_name_is_refused() -> None:
    thief = replace(SIG_3, kid=S2.kid)
    identity = identity_version(2, (A, S1, S2), (ROOT_A, thief))
    assert refusal(started(), identity, 2) == "signature-wrong"


def test_a_forged_root_signature_is_refused() -> None:
    identity = identity_version(2, (A, S1), (replace(ROOT_B, kid=A.kid),))
    assert refusal(started(), identity, 2) == "signature-wrong"


def test_a_key_of_another_identity_is_refused_for_ever() -> None:
    identity = identity_version(2, (A, S1, S2), (ROOT_A, SIG_2))
    assert refusal(started(), identity, 2, owner_of={S2.kid: BOREALIS}.get) == "chain-foreign-key"
    assert step(started(), identity, 2, owner_of={S2.kid: AURORA}.get)


def test_the_use_of_a_key_never_changes() -> None:
    promoted = identity_version(2, (A, replace(S1, use="root")), (ROOT_A,))
    assert refusal(started(), promoted, 2) == "chain-key-use"


def test_a_key_left_out_stays_known_with_its_state() -> None:
    state = step(started(), identity_version(2, (A, replace(S1, revoked_at=second(2))), (ROOT_A,)), 2)
    state = step(state, identity_version(3, (A, S2), (ROOT_A, SIG_2)), 3)
    assert state.keys[S1.kid].revoked_at == second(2)
    assert key_valid_at(state, S1.kid, day(1.5))
    assert not key_valid_at(state, S1.kid, day(2))


@pytest.mark.parametrize("end", ["revoked_at", "compromised_since"])
def test_an_end_stays_whatever_version_says_otherwise(end: str) -> None:
    ended = replace(S1, **{end: second(2)})  # type: ignore[arg-type]
    state = step(started(), identity_version(2, (A, ended), (ROOT_A,)), 2)
    for number, key in ((3, S1), (4, replace(S1, **{end: second(9)}))):  # type: ignore[arg-type]
        state = step(state, identity_version(number, (A, key), (ROOT_A,)), number)
        assert getattr(state.keys[S1.kid], end) == second(2)
    earlier = replace(S1, **{end: second(1)})  # type: ignore[arg-type]
    state = step(state, identity_version(5, (A, earlier), (ROOT_A,)), 5)
    assert getattr(state.keys[S1.kid], end) == second(1)


def test_the_terms_of_a_key_are_those_of_the_newest_version() -> None:
    longer, shorter = replace(S1, exp=second(50)), replace(S1, exp=second(20))
    newest = identity_version(3, (A, longer), (ROOT_A,))
    older = identity_version(2, (A, shorter), (ROOT_A,))
    for order in ((older, newest), (newest, older)):
        state = started()
        for identity in order:
            state = step(state, identity, 4)
        assert state.keys[S1.kid].exp == second(50)


def test_a_version_that_arrives_again_changes_nothing() -> None:
    introduced = identity_version(2, (A, B, S1, S2), (ROOT_A, ROOT_B, SIG_2))
    replaced = identity_version(3, (B, S1, S2), (ROOT_B,))
    state = step(step(started(), introduced, 2), replaced, 3)
    for identity in (first(), introduced, replaced):
        assert step(state, identity, 9, pins=()) is state


def test_a_version_that_arrives_again_with_a_forged_signature_is_refused() -> None:
    forged = identity_version(1, (A, S1), (replace(ROOT_B, kid=A.kid), SIG_1))
    assert refusal(started(), forged, 2) == "signature-wrong"


def test_another_body_of_a_known_version_is_a_conflict() -> None:
    other = identity_version(1, (A, S1), (ROOT_A, SIG_1), name="Aurora, changed")
    assert refusal(started(), other, 2) == "chain-conflict"


def test_versions_apart_by_less_than_a_microsecond_are_two() -> None:
    state = step(None, identity_version(1, (A, S1), (ROOT_A, SIG_1), modified="2026-01-02T00:00:00.0000001Z"), 1)
    state = step(state, identity_version(1, (A, S1), (ROOT_A,), modified="2026-01-02T00:00:00.0000002Z"), 1)
    assert len(state.versions) == 2


def test_what_a_thief_of_a_root_key_revoked_is_not_revoked() -> None:
    by_thief = identity_version(2, (A, B, replace(S1, revoked_at=second(1))), (ROOT_A,))
    state = step(two_roots(), by_thief, 2)
    assert not key_valid_at(state, S1.kid, day(2))
    stolen = replace(A, compromised_since=second(1.5))
    state = step(state, identity_version(3, (stolen, B, S1), (ROOT_B,)), 3)
    assert key_valid_at(state, S1.kid, day(3))
    assert state.keys[A.kid].compromised_since == second(1.5)
    assert refusal(state, by_thief, 4) == "chain-outside"


def test_what_a_root_key_said_before_it_was_stolen_stands() -> None:
    state = step(two_roots(), identity_version(2, (A, B, replace(S1, revoked_at=second(2))), (ROOT_A,)), 2)
    stolen = replace(A, compromised_since=second(2.5))
    state = step(state, identity_version(3, (stolen, B), (ROOT_B,)), 3)
    assert state.keys[S1.kid].revoked_at == second(2)


def test_a_key_that_a_thief_introduced_is_gone_when_the_theft_is_known() -> None:
    state = step(two_roots(), identity_version(2, (A, B, S1, S2), (ROOT_A, SIG_2)), 2)
    state = step(state, identity_version(3, (replace(A, compromised_since=second(1.5)), B, S1), (ROOT_B,)), 3)
    assert not key_valid_at(state, S2.kid, day(2))
    assert not key_valid_at(state, S2.kid, day(0))
    assert S2.kid in state.keys


def test_what_a_thief_signs_with_a_root_key_of_his_own_goes_with_the_stolen_one() -> None:
    state = step(two_roots(), identity_version(2, (A, B, C, S1), (ROOT_A, ROOT_C)), 2)
    state = step(state, identity_version(3, (A, B, C, replace(S1, revoked_at=second(1)), S2), (ROOT_C, SIG_2)), 3)
    state = step(state, identity_version(4, (replace(A, compromised_since=second(1.5)), B, S1), (ROOT_B,)), 4)
    assert [key_valid_at(state, key.kid, day(4)) for key in (A, B, C, S1, S2)] == [False, True, False, True, False]
    assert refusal(state, identity_version(5, (B, C, S1), (ROOT_C,)), 5) == "chain-outside"


def test_two_operators_can_end_what_a_thief_did_with_every_root_key() -> None:
    shut_out = replace(B, compromised_since=second(0.5))
    state = step(two_roots(), identity_version(2, (A, shut_out, C, S1), (ROOT_A, ROOT_C)), 2)
    state = step(state, identity_version(3, (C, S2), (ROOT_C, SIG_2)), 3)
    new_root = key_of("root D", "root")
    keys = (new_root.public(nbf=NBF), replace(A, compromised_since=second(1.5)), B, S1)
    rescue = identity_version(4, keys, (new_root,))
    assert refusal(state, rescue, 4) == "chain-outside"
    state = step(state, rescue, 4, approved_root=new_root.kid)
    assert [key_valid_at(state, key.kid, day(4)) for key in (A, B, C, S1, S2)] == [False, True, False, True, False]
    assert [version.signer for version in state.standing] == [A.kid, new_root.kid]


def test_versions_that_cannot_both_be_true_are_both_void() -> None:
    accuser = identity_version(2, (replace(A, compromised_since=second(0.5)), B, S1), (ROOT_B,))
    state = step(two_roots(), accuser, 2)
    assert state.standing == ()
    assert not any(key_valid_at(state, kid, day(2)) for kid in state.keys)
    new_root = key_of("root D", "root")
    rescue = identity_version(3, (new_root.public(nbf=NBF), S2), (new_root, SIG_2))
    assert key_valid_at(step(state, rescue, 3, approved_root=new_root.kid), S2.kid, day(3))


def test_a_pinned_root_key_may_declare_itself_stolen_from_the_start() -> None:
    stolen = replace(A, compromised_since=second(0.5))
    state = step(started(), identity_version(2, (stolen, B), (ROOT_A, ROOT_B)), 2)
    assert [key_valid_at(state, key.kid, day(2)) for key in (A, B, S1)] == [False, True, False]


def test_a_root_key_may_declare_itself_stolen() -> None:
    stolen = replace(A, compromised_since=second(1.5))
    state = step(started(), identity_version(2, (stolen, S1), (ROOT_A,)), 2)
    assert state.keys[A.kid].compromised_since == second(1.5)
    assert refusal(state, identity_version(3, (A, S1), (ROOT_A,)), 3) == "chain-outside"


def test_a_version_seen_in_time_by_a_witnessed_log_is_accepted_late() -> None:
    state = step(two_roots(), identity_version(3, (replace(A, revoked_at=second(2.5)), B, S1), (ROOT_B,)), 3)
    late = identity_version(2, (A, B, S1, S2), (ROOT_A, SIG_2))
    assert refusal(state, late, 4) == "chain-outside"
    assert S2.kid in step(state, late, 4, first_seen=day(2)).keys


def test_the_state_can_be_recalled_from_what_was_stored() -> None:
    second_version = identity_version(2, (A, replace(S1, revoked_at=second(2)), S2), (ROOT_A, SIG_2))
    state = step(started(), second_version, 2)
    assert KeyState.recall(AURORA, [(first(), day(1)), (second_version, day(2))]) == state


def test_homes_are_those_of_the_newest_version() -> None:
    def with_homes(number: int, *homes: Home) -> SignedObject:
        extension = Keys((A, S1), homes).to_extension()
        signers = (ROOT_A, SIG_1) if number == 1 else (ROOT_A,)
        return identity_version(number, (), signers, extensions={KEYS_EXTENSION: extension})

    one, two = Home(B.kid, True), Home(C.kid, False)
    state = step(step(None, with_homes(1, one), 1), with_homes(3, two, one), 3)
    assert step(state, with_homes(2), 3).homes == state.homes == (two, one)


def test_an_identity_dated_ahead_is_refused() -> None:
    assert refusal(started(), identity_version(3, (A, S1), (ROOT_A,)), 2) == "signature-ahead"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"identity_class": "individual"}, ObjectInvalidError),
        ({"identity_class": ["system"]}, ObjectInvalidError),
        ({"created_by_ref": BOREALIS}, KeyChainError),
        ({"id": BOREALIS}, KeyChainError),
        ({"type": "note"}, KeyChainError),
        ({"modified": 5}, KeyChainError),
        ({"modified": "tomorrow"}, ObjectInvalidError),
        ({"extensions": {"x": {}}}, KeyChainError),
        ({"extensions": {KEYS_EXTENSION: 5}}, ObjectInvalidError),
    ],
)
def test_what_is_no_version_of_this_identity_is_refused(changes: dict[str, Any], error: type[StixError]) -> None:
    with pytest.raises(error):
        step(started(), identity_version(2, (A, S1), (ROOT_A,), **changes), 2)


def test_nodes_have_chains_as_labs_have() -> None:
    identity = identity_version(1, (A, S1), (ROOT_A, SIG_1), identity_class="system", created_by_ref=AURORA)
    assert step(None, identity, 1).keys


def test_a_signature_error_names_its_place() -> None:
    identity = identity_version(2, (A, S1, S2), (ROOT_A, replace(SIG_3, kid=S2.kid)))
    with pytest.raises(SignatureError) as error:
        step(started(), identity, 2)
    assert error.value.pointer.endswith("/signatures/1/signature")
