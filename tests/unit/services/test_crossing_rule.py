"""What may cross to a peer, as a function: the table of docs/sharing.md, and properties that hold for every peer."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.services.principals import PeerTraits, Principal, PrincipalKind
from exchange.services.sharing import (
    AudienceRule,
    Recipients,
    audience_for,
    audience_of_distribution,
    is_note_to,
    may_read,
)
from exchange.stix.markings import Tlp

NODE = "identity--of-the-peer"
AURORA, BOREALIS, COBALT = LABS = ("identity--aurora", "identity--borealis", "identity--cobalt")
NAMED = st.frozensets(st.sampled_from([*LABS, NODE, "identity--ada"]))
HOMES = st.frozensets(st.sampled_from(LABS))
FOR_BOREALIS = Recipients(frozenset({BOREALIS}))


def peer_of(traits: PeerTraits, identity: str = NODE) -> Principal:
    return Principal(PrincipalKind.PEER, lab_id=7, lab_identity=identity, scopes=frozenset({"read"}), peer=traits)


def traits_of(
    kind: str, *, community: bool = True, home: str = "", exclusive: str = "", highest: Tlp = Tlp.RED
) -> PeerTraits:
    return PeerTraits(
        1,
        is_exchange=kind == "exchange",
        community=community,
        highest_label=int(highest),
        residents=frozenset({home, exclusive} - {""}),
        exclusive=frozenset({exclusive} - {""}),
    )


peers = st.builds(
    peer_of,
    st.builds(
        PeerTraits,
        st.just(1),
        is_exchange=st.booleans(),
        community=st.booleans(),
        highest_label=st.integers(0, 4),
        residents=HOMES,
        exclusive=HOMES,
    ),
)

CASES = [
    (kind, community, home, exclusive)
    for kind in ("exchange", "feed")
    for community in (False, True)
    for home, exclusive in (("", ""), (BOREALIS, ""), ("", BOREALIS), (COBALT, COBALT), (AURORA, AURORA))
]


@pytest.mark.parametrize(("kind", "community", "home", "exclusive"), CASES)
@pytest.mark.parametrize("recipients", [None, FOR_BOREALIS])
@pytest.mark.parametrize("label", Tlp)
def test_exactly_the_peers_of_the_table_read(
    label: Tlp, recipients: Recipients | None, kind: str, community: bool, home: str, exclusive: str
) -> None:
    peer = peer_of(traits_of(kind, community=community, home=home, exclusive=exclusive))
    is_home = kind == "exchange" and recipients is not None and BOREALIS in (home, exclusive)
    expected = {
        Tlp.CLEAR: True,
        Tlp.GREEN: community,
        Tlp.AMBER: is_home,
        Tlp.AMBER_STRICT: is_home and exclusive == BOREALIS,
        Tlp.RED: False,
    }[label]
    assert may_read(peer, audience_for(label, AURORA, recipients)) == expected


@pytest.mark.parametrize("highest", Tlp)
@pytest.mark.parametrize("label", Tlp)
def test_the_highest_label_of_a_peer_only_narrows(label: Tlp, highest: Tlp) -> None:
    audience = audience_for(label, AURORA, FOR_BOREALIS)
    wide, narrow = (peer_of(traits_of("exchange", exclusive=BOREALIS, highest=each)) for each in (Tlp.RED, highest))
    assert may_read(narrow, audience) == (may_read(wide, audience) and label <= highest)


@given(peer=peers, producer=st.sampled_from([*LABS, NODE]), named=NAMED)
def test_who_may_read_a_stricter_label_may_read_a_looser_one(
    peer: Principal, producer: str, named: frozenset[str]
) -> None:
    """Recipients stand on AMBER and stricter alone, so those are one set of labels, and all of them without any."""
    for recipients, labels in ((None, list(Tlp)), (Recipients(named), [Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED])):
        allowed = [may_read(peer, audience_for(label, producer, recipients)) for label in labels]
        assert all(looser >= stricter for looser, stricter in itertools.pairwise(allowed))


@given(peer=peers, producer=st.sampled_from([*LABS, NODE]), named=st.none() | NAMED)
def test_red_never_crosses_and_without_recipients_amber_stays_here(
    peer: Principal, producer: str, named: frozenset[str] | None
) -> None:
    recipients = None if named is None else Recipients(named)
    assert not may_read(peer, audience_for(Tlp.RED, producer, recipients))
    for label in (Tlp.AMBER, Tlp.AMBER_STRICT):
        if not (named or frozenset()) & set(LABS):
            assert not may_read(peer, audience_for(label, producer, recipients))


@given(peer=peers, producer=st.sampled_from([*LABS, NODE]), named=NAMED, label=st.sampled_from(Tlp))
def test_no_marking_makes_a_note_of_an_object_nor_a_recipient_of_a_node(
    peer: Principal, producer: str, named: frozenset[str], label: Tlp
) -> None:
    for audience in (
        audience_for(label, producer, Recipients(named)),
        audience_of_distribution(producer, Recipients(named)),
    ):
        assert not is_note_to(peer, audience)
        without = audience_for(label, producer, Recipients(named - {NODE}))
        assert may_read(peer, audience_for(label, producer, Recipients(named))) == may_read(peer, without)


def test_a_distribution_crosses_to_the_homes_of_those_it_names() -> None:
    marking = audience_of_distribution(AURORA, FOR_BOREALIS)
    assert may_read(peer_of(traits_of("exchange", home=BOREALIS)), marking)
    for other in (
        traits_of("exchange", home=AURORA),
        traits_of("exchange", home=COBALT),
        traits_of("feed", home=BOREALIS),
    ):
        assert not may_read(peer_of(other), marking)


def test_a_note_reaches_the_exchange_that_it_names_however_little_crosses_to_it() -> None:
    note = AudienceRule(Tlp.AMBER, labs=frozenset({COBALT, NODE}), clients=frozenset({COBALT}))
    little = traits_of("exchange", community=False, highest=Tlp.CLEAR)
    assert may_read(peer_of(little), note)
    assert not may_read(peer_of(little, "identity--of-another-peer"), note)
    assert not may_read(peer_of(little, ""), AudienceRule(Tlp.AMBER, labs=frozenset({""})))
    assert not may_read(peer_of(traits_of("feed")), note)
