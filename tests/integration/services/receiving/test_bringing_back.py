"""What was taken back is not shown again by somebody who could not send it now."""

from __future__ import annotations

from exchange.models import Peer
from exchange.services.labs import resume_lab, suspend_lab
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp
from tests.integration.services.views import finds, marked
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle


def test_nothing_of_a_suspended_lab_and_nothing_above_what_the_peer_may_send_comes_back(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    marking, loose = dorado.distribution(community.aurora.identity), dorado.indicator()
    secret = marked(dorado, Tlp.AMBER, marking)
    page = [dorado.signed(each) for each in (loose, secret)]
    assert peer.send(dorado.signed(marking), *page).stored == 3
    peer.send(*(peer.note(each["id"], dorado.identity, "narrowed") for each in (loose, secret)))
    suspend_lab(actor=OPERATOR, slug="dorado")
    assert peer.send(*page).known == 2
    resume_lab(actor=OPERATOR, slug="dorado")
    assert not finds(community.aurora.principal, loose["id"])
    Peer.objects.filter(pk=peer.peer.pk).update(highest_label=int(Tlp.GREEN))
    receipt = peer.send(*page)
    assert (receipt.stored, receipt.known) == (1, 1)
    assert finds(community.aurora.principal, loose["id"])
    assert not finds(community.aurora.principal, secret["id"])
