"""Receiving: what peers send is verified against its producers' chains, stored as theirs, or kept aside for a person.

Knows no network: bodies come from whoever fetched them. docs/federation.md says what is taken and why.
"""

from exchange.services.receiving.offering import judge_again, offer_waiting
from exchange.services.receiving.receipt import PageReceipt
from exchange.services.receiving.receive import receive_page

__all__ = ["PageReceipt", "judge_again", "offer_waiting", "receive_page"]
