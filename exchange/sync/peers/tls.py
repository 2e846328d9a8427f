"""TLS towards a peer: which certificates count as the peer's, and the one that this node shows.

TLS 1.2 or later (TAXII 2.1 section 8.5.1). Python's ssl reads a client's key from a file alone: it lies in one of this
user's own for the time of that call.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Final

from cryptography import x509

from exchange.sync.peers.access import (
    ClientCertificate,
    Credentials,
    OwnAuthorities,
    PinnedCertificate,
    SystemTrust,
    Trust,
)
from exchange.sync.peers.errors import PeerError, PeerFault

SHARED_CONTEXTS: Final = 256


class Security:
    """TLS of connections to one peer: what its certificate has to be, and the client's certificate if there is one."""

    def __init__(self, trust: Trust, credentials: Credentials) -> None:
        """Raises: PeerError (`tls`): certificates or a key that cannot be read."""
        self._trust = trust
        if isinstance(credentials, ClientCertificate):
            self.context = _trusting(trust)
            _show(self.context, credentials)
        else:
            self.context = _shared(trust, _system_authorities())

    def check(self, sock: ssl.SSLSocket, host: str) -> None:
        """Hold the certificate against the pin, if there is one; all others the handshake has judged.

        Raises: PeerError (`tls`): another certificate, or one that does not name the host.
        """
        if not isinstance(self._trust, PinnedCertificate):
            return
        der = sock.getpeercert(binary_form=True) or b""
        if not hmac.compare_digest(hashlib.sha256(der).hexdigest(), self._trust.sha256):
            raise PeerError(PeerFault.TLS, "the certificate is another than the pinned one")
        if not any(_is_named(host, each) for each in _names_of(der)):
            raise PeerError(PeerFault.TLS, "the pinned certificate does not name the host")


@lru_cache(maxsize=SHARED_CONTEXTS)
def _shared(trust: Trust, _authorities: tuple[object, ...]) -> ssl.SSLContext:
    """One context for all connections that show no certificate: reading the system's authorities takes longer than
    everything else that a look at a peer takes, and they seldom change."""
    return _trusting(trust)


def _system_authorities() -> tuple[object, ...]:
    """Where the system's authorities lie and when they last changed."""
    paths = ssl.get_default_verify_paths()
    found: list[object] = []
    for path in (paths.cafile, paths.capath):
        with suppress(OSError):
            found += [path, os.stat(path).st_mtime_ns if path else 0]
    return tuple(found)


def _trusting(trust: Trust) -> ssl.SSLContext:
    context = _verifying(trust)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _verifying(trust: Trust) -> ssl.SSLContext:
    match trust:
        case SystemTrust():
            return ssl.create_default_context()
        case OwnAuthorities(pem):
            # Not create_default_context(cadata=...): an empty text would be the system's authorities there.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            try:
                context.load_verify_locations(cadata=pem)
            except (ssl.SSLError, ValueError):
                raise PeerError(PeerFault.TLS, "the peer's authorities are no certificates in PEM") from None
            return context
        case PinnedCertificate():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            # The pin takes the place of the chain: Security.check() compares it, and the names, before a byte is sent.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context


def _show(context: ssl.SSLContext, shown: ClientCertificate) -> None:
    try:
        with _private_file(shown.certificate + b"\n" + shown.key) as path:
            # Without a password given, an encrypted key would be asked for at the terminal.
            context.load_cert_chain(path, password="")
    except (ssl.SSLError, ValueError):
        raise PeerError(PeerFault.TLS, "the client certificate and its key are no pair in PEM") from None


@contextmanager
def _private_file(content: bytes) -> Iterator[str]:
    """A file that only this user may read, gone after the block."""
    descriptor, path = tempfile.mkstemp(prefix="peer-", suffix=".pem")  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield path
    finally:
        os.unlink(path)


def _names_of(der: bytes) -> list[str]:
    """The names and addresses of the subject; none where they cannot be read. ssl parses trusted certificates alone."""
    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return []
    return names.get_values_for_type(x509.DNSName) + [str(each) for each in names.get_values_for_type(x509.IPAddress)]


def _is_named(host: str, name: str) -> bool:
    """Whether a name of a certificate is the host's; `*` stands for its first label (RFC 9525 section 6.3)."""
    wanted = name.lower()
    return wanted == host or (wanted.startswith("*.") and wanted[1:] == "".join(host.partition(".")[1:]))
