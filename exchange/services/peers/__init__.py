"""The registry of peers: other exchanges and plain TAXII feeds, what is exchanged with them, and their credentials."""

from exchange.services.peers.channels import add_channel, find_channel, remove_channel
from exchange.services.peers.credentials import Credentials, open_credentials
from exchange.services.peers.registry import create_peer, find_peer, list_peers, set_state, update_peer

__all__ = [
    "Credentials",
    "add_channel",
    "create_peer",
    "find_channel",
    "find_peer",
    "list_peers",
    "open_credentials",
    "remove_channel",
    "set_state",
    "update_peer",
]
