"""Whatever order the versions of an identity arrive in, the same keys are revoked."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.stix.chain import KeyState, extend
from exchange.stix.errors import KeyChainError
from exchange.stix.keys import PublicKey, SigningKey
from exchange.stix.signature import SignedObject
from tests.unit.stix_signing.material import NBF, identity_version, key_of

ROOTS = [key_of(f"root {number}", "root") for number in range(3)]
SIGNING = [key_of(f"sig {number}") for number in range(4)]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOBODY: dict[str, str] = {}
# Root keys end only after everything was seen: else a version that came late would rightly be refused.
LATER = st.integers(int((NOW + timedelta(days=1)).timestamp()), int((NOW + timedelta(days=9)).timestamp()))
ANY_TIME = st.integers(NBF, NBF + 100 * 86400)


@dataclass(frozen=True)
class Ends:
    """The strictest end that any version sets for a key."""

    revoked_at: int | None
    compromised_since: int | None


def drawn_end(draw: st.DrawFn, key: SigningKey) -> PublicKey:
    """The key as one version lists it, with ends or without."""
    times = st.none() | (LATER if key.use == "root" else ANY_TIME)
    return replace(key.public(nbf=NBF), revoked_at=draw(times), compromised_since=draw(times))


@st.composite
def chains(draw: st.DrawFn) -> list[SignedObject]:
    """Versions of one identity, oldest first, each a valid successor of those before it."""
    known: list[SigningKey] = []
    versions = []
    for number in range(1, draw(st.integers(2, 5)) + 1):
        roots = [key for key in known if key.use == "root"]
        fresh = [key for key in (*ROOTS, *SIGNING) if key not in known]
        new = draw(st.lists(st.sampled_from(fresh), unique=True, max_size=3)) if fresh else []
        if not known:
            new = [ROOTS[0], *(key for key in new if key is not ROOTS[0])]
        signer = draw(st.sampled_from(roots)) if roots else ROOTS[0]
        # Root keys are always listed, others may be left out.
        kept = [key for key in known if key.use == "root" or draw(st.booleans())]
        listed = [drawn_end(draw, key) for key in (*kept, *new)]
        proofs = [key for key in new if key is not signer]
        versions.append(identity_version(number, listed, [signer, *proofs]))
        known += new
    return versions


def arrive(versions: list[SignedObject]) -> KeyState:
    """The state once each version was tried in this order, and those refused again as long as that helps."""
    state: KeyState | None = None
    waiting = versions
    while waiting:
        refused = []
        for version in waiting:
            try:
                state, _ = extend(state, version, pins={ROOTS[0].kid}, owner_of=NOBODY.get, now=NOW)
            except KeyChainError:
                refused.append(version)
        assert len(refused) < len(waiting), "a valid chain was never accepted whole"
        waiting = refused
    assert state is not None
    return state


def ends(state: KeyState) -> dict[str, Ends]:
    return {kid: Ends(key.revoked_at, key.compromised_since) for kid, key in state.keys.items()}


@settings(deadline=None, max_examples=60)
@given(data=st.data(), versions=chains())
def test_any_order_of_arrival_gives_the_same_keys_and_ends(data: st.DataObject, versions: list[SignedObject]) -> None:
    in_order = arrive(versions)
    again = data.draw(st.lists(st.sampled_from(versions), max_size=3))
    shuffled = arrive(data.draw(st.permutations(versions + again)))
    assert dict(shuffled.keys) == dict(in_order.keys)
    assert shuffled.homes == in_order.homes


@settings(deadline=None, max_examples=60)
@given(versions=chains())
def test_no_version_ever_takes_an_end_back(versions: list[SignedObject]) -> None:
    state: KeyState | None = None
    for version in versions:
        before = ends(state) if state is not None else {}
        state, _ = extend(state, version, pins={ROOTS[0].kid}, owner_of=NOBODY.get, now=NOW)
        for kid, end in before.items():
            now = ends(state)[kid]
            for name in ("revoked_at", "compromised_since"):
                set_before, set_now = getattr(end, name), getattr(now, name)
                assert set_before is None or (set_now is not None and set_now <= set_before)
