"""Which version may follow which, decided in memory."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from exchange.services.sharing import AudienceRule
from exchange.services.storing.deciding import ObjectState
from exchange.services.storing.prepared import PreparedVersion, StoreStatus
from exchange.stix.facets import facets_of
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import ordering_key

CREATED = "2026-11-01T00:00:00.000Z"


def version(
    day: int, *, digest: bytes = b"", revoked: bool = False, missing: str = "", created: str = CREATED, home: int = 1
) -> PreparedVersion:
    text = f"2026-11-{day:02}T00:00:00.000Z"
    return PreparedVersion(
        stix_id="indicator--x",
        type="indicator",
        collection_id=home,
        version_text=text,
        version_key=ordering_key(text),
        body=b"{}",
        digest=digest or text.encode(),
        label=Tlp.GREEN,
        audience=AudienceRule(Tlp.GREEN, every_lab=True),
        distribution=missing,
        kid="",
        created_text=created,
        revoked=revoked,
        references=(),
        lab_identity="identity--x",
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        facets=facets_of({}),
        missing_marking=missing,
    )


def offer(state: ObjectState, offered: PreparedVersion, number: int) -> str:
    """Store it if it may be stored; answers what became of it, or the code of its refusal."""
    result = state.decide(offered)
    if result.status in (StoreStatus.STORED, StoreStatus.HELD):
        state.accept(offered, number, number)
    return result.error.code if result.error else str(result.status)


@given(days=st.lists(st.integers(1, 28), min_size=1, max_size=12))
def test_the_newest_is_the_latest_whatever_the_order_of_arrival(days: list[int]) -> None:
    state = ObjectState("indicator--x")
    for number, day in enumerate(days, start=1):
        known = day in days[: number - 1]
        assert offer(state, version(day), number) == ("exists" if known else "stored")
    assert state.newest_key == version(max(days)).version_key
    assert state.first_key == version(min(days)).version_key
    assert state.newest_version_id == days.index(max(days)) + 1


def test_a_held_version_is_shown_to_nobody_but_revokes_at_once() -> None:
    state = ObjectState("indicator--x")
    assert offer(state, version(2), 1) == "stored"
    assert offer(state, version(3, revoked=True, missing="marking-definition--x"), 2) == "held"
    assert (state.newest_version_id, state.state) == (1, "revoked")
    assert offer(state, version(3, revoked=True, missing="marking-definition--x"), 3) == "exists"


def test_refusals_say_which_rule_was_broken() -> None:
    state = ObjectState("indicator--x")
    assert offer(state, version(2), 1) == "stored"
    assert offer(state, version(2, digest=b"other"), 2) == "version-conflict"
    assert offer(state, version(3, created="2026-10-01T00:00:00.000Z"), 2) == "created-changed"
    assert offer(state, version(3, created=""), 2) == "created-changed"
    assert offer(state, version(3, home=2), 2) == "other-collection"
    assert offer(state, version(3, created="2026-11-01T00:00:00Z"), 2) == "stored"
    assert offer(state, version(4, revoked=True), 3) == "stored"
    assert offer(state, version(5), 4) == "version-after-revocation"
    assert offer(state, version(4, revoked=True), 4) == "exists"
    state.state = "deleted"
    assert offer(state, version(4, revoked=True), 4) == "deleted"
    assert offer(state, version(6), 4) == "deleted"
