"""The sharing rule as a function: properties that hold for every audience and reader."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from exchange.services.principals import ANONYMOUS, NODE, OPERATOR, Principal, PrincipalKind
from exchange.services.sharing import AudienceRule, Recipients, audience_for, audience_of_distribution, may_read
from exchange.stix.markings import Tlp

LABS = ("identity--aurora", "identity--borealis", "identity--cobalt")
PEOPLE = ("identity--ada", "identity--bea", "identity--cy")
NAMED = st.frozensets(st.sampled_from(LABS + PEOPLE))

readers = st.one_of(
    st.sampled_from([ANONYMOUS, NODE, OPERATOR]),
    st.builds(
        lambda kind, lab, person, fresh: Principal(
            kind=kind,
            lab_id=1,
            lab_identity=lab,
            person_id=2 if kind is PrincipalKind.PERSON else None,
            person_identity=person if kind is PrincipalKind.PERSON else "",
            fresh_second_factor=fresh,
        ),
        st.sampled_from([PrincipalKind.TOKEN, PrincipalKind.CLIENT, PrincipalKind.PERSON]),
        st.sampled_from([*LABS, ""]),
        st.sampled_from(PEOPLE),
        st.booleans(),
    ),
)


@given(reader=readers, producer=st.sampled_from(LABS), named=st.none() | NAMED)
def test_whoever_may_read_a_stricter_label_may_read_a_looser_one(
    reader: Principal, producer: str, named: frozenset[str] | None
) -> None:
    recipients = None if named is None else Recipients(named)
    allowed = [may_read(reader, audience_for(label, producer, recipients)) for label in Tlp]
    assert all(looser >= stricter for looser, stricter in itertools.pairwise(allowed))


@given(producer=st.sampled_from(LABS), named=st.none() | NAMED, label=st.sampled_from(Tlp))
def test_the_producer_sees_its_own_whatever_it_names(producer: str, named: frozenset[str] | None, label: Tlp) -> None:
    audience = audience_for(label, producer, None if named is None else Recipients(named))
    person = Principal(
        PrincipalKind.PERSON, lab_id=1, lab_identity=producer, person_identity="identity--zoe", fresh_second_factor=True
    )
    assert may_read(person, audience)
    assert may_read(Principal(PrincipalKind.TOKEN, lab_id=1, lab_identity=producer), audience) == (label < Tlp.RED)


@given(reader=readers, named=NAMED, producer=st.sampled_from(LABS))
def test_no_token_ever_meets_red(reader: Principal, named: frozenset[str], producer: str) -> None:
    if may_read(reader, audience_for(Tlp.RED, producer, Recipients(named))):
        assert reader.kind is PrincipalKind.PERSON
        assert reader.fresh_second_factor
        assert reader.person_identity in named or reader.lab_identity == producer


@given(reader=readers, named=NAMED, producer=st.sampled_from(LABS))
def test_a_distribution_marking_is_read_by_nobody_but_its_producer_and_those_it_names(
    reader: Principal, named: frozenset[str], producer: str
) -> None:
    if may_read(reader, audience_of_distribution(producer, Recipients(named))):
        assert {reader.lab_identity, reader.person_identity} & (named | {producer})


def test_a_lab_without_an_identity_is_in_no_named_audience() -> None:
    newcomer = Principal(PrincipalKind.PERSON, lab_id=1, fresh_second_factor=True)
    for label in (Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED):
        assert not may_read(newcomer, audience_for(label, "identity--aurora", Recipients(frozenset())))
    assert not may_read(newcomer, AudienceRule(Tlp.RED))


@given(
    one=st.tuples(st.booleans(), st.booleans(), NAMED, NAMED, NAMED),
    other=st.tuples(st.booleans(), st.booleans(), NAMED, NAMED, NAMED),
)
def test_two_audiences_share_a_digest_only_if_they_are_the_same(
    one: tuple[bool, bool, frozenset[str], frozenset[str], frozenset[str]],
    other: tuple[bool, bool, frozenset[str], frozenset[str], frozenset[str]],
) -> None:
    first, second = (AudienceRule(Tlp.AMBER, False, *parts) for parts in (one, other))
    assert (first.digest == second.digest) == (first == second)
