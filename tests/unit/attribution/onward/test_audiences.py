"""Whom a wider version reaches: against the table of docs/sharing.md, and never fewer than before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attribution.onward.audiences import has_asked_for, has_clients, has_lab
from exchange.services.sharing import Recipients, audience_for
from exchange.stix.markings import Tlp

PRODUCER, LABS = "identity--p", [f"identity--{name}" for name in "abcd"]
labels = st.sampled_from([Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT])
recipients = st.none() | st.frozensets(st.sampled_from(LABS), min_size=1)


@given(labels, recipients, st.sampled_from([*LABS, PRODUCER]))
def test_who_is_asked_for_is_in_sight_as_the_table_says(label: Tlp, named: frozenset[str] | None, lab: str) -> None:
    audience = audience_for(label, PRODUCER, None if named is None else Recipients(named))
    is_named = label < Tlp.AMBER or named is None or lab in named or lab == PRODUCER
    assert has_lab(audience, lab) is is_named
    assert has_clients(audience, lab) is (is_named and label is not Tlp.AMBER_STRICT)


@given(st.sampled_from([Tlp.AMBER, Tlp.AMBER_STRICT]), recipients, st.sampled_from(LABS), st.sampled_from(LABS))
def test_a_wider_version_reaches_who_was_asked_for_and_whom_it_reached_before(
    label: Tlp, named: frozenset[str] | None, asker: str, lab: str
) -> None:
    kept = None if named is None else Recipients(named)
    before = audience_for(label, PRODUCER, kept)
    wider = audience_for(label, PRODUCER, None if named is None else Recipients(named | {lab}))
    loosened = audience_for(Tlp.AMBER, PRODUCER, kept)
    assert has_asked_for(wider, asker=asker, for_lab=lab)
    if has_lab(before, asker):
        assert has_asked_for(loosened, asker=asker, for_lab=None)
    for each in LABS:
        for after in (wider, loosened):
            assert has_lab(after, each) >= has_lab(before, each)
            assert has_clients(after, each) >= has_clients(before, each)
        # Nobody else than who was asked for, and than clients of those who see it already.
        assert has_lab(wider, each) == (has_lab(before, each) or each == lab)
        assert has_lab(loosened, each) == has_lab(before, each)
