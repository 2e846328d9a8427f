"""A producer asks which labs received its object, through the REST door."""

from __future__ import annotations

from datetime import UTC, datetime

from exchange.stix.markings import Tlp
from tests.support.forms import assert_form
from tests.support.labs import Community
from tests.support.rest import RestClient


def test_only_the_producer_learns_who_received_its_object(exchange_server: tuple[str, Community]) -> None:
    url, community = exchange_server
    aurora, borealis, _ = community.labs
    members = aurora.indicator(Tlp.AMBER)
    aurora.publish(aurora.signed(members))
    assert RestClient(url, borealis.token).get(f"objects/{members['id']}/").status_code == 200

    answer = RestClient(url, aurora.token).get(f"objects/{members['id']}/recipients/")
    assert answer.status_code == 200
    assert_form(answer.json(), "RecipientList")
    today = datetime.now(UTC).date().isoformat()
    assert answer.json()["recipients"] == [{"lab": "borealis", "version": members["modified"], "day": today}]
    assert RestClient(url, borealis.token).get(f"objects/{members['id']}/recipients/").status_code == 404
