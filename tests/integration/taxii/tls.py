"""A web process that ends TLS itself, under a certificate made for the run; and what its session tickets allow."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from exchange.stack import free_port
from tests.support.certificates import make_certificate
from tests.support.database import TestServices
from tests.support.server import START_TIMEOUT_S, STOP_TIMEOUT_S, server_environment

TIMEOUT_S = 10.0
APPLICATION_DATA, HANDSHAKE, NEW_SESSION_TICKET, EARLY_DATA = 23, 22, 4, 42
"""RFC 8446 sections 5.1, 4 and 4.2."""


@dataclass(slots=True)
class TlsServer:
    """One granian behind TLS, whose PUBLIC_URL is its own https address."""

    services: TestServices
    directory: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def public_url(self) -> str:
        return self.url

    @property
    def certificate(self) -> Path:
        return self.directory / "certificate.pem"

    def start(self) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--workers", "1", "--blocking-threads", "2"]
        command += [*self.tls_options(), "exchange.wsgi:application"]
        environment = server_environment(self.services, self.port) | {"PUBLIC_URL": self.public_url}
        with (self.directory / "web.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.knock()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"the server did not start: {(self.directory / 'web.log').read_text()[-2000:]}")

    def tls_options(self) -> list[str]:
        """Options of granian; it takes nothing below TLS 1.3 unless told to."""
        certificate, key_file = make_certificate(self.directory, "localhost")
        files = ["--ssl-certificate", str(certificate), "--ssl-keyfile", str(key_file)]
        return [*files, "--ssl-protocol-min", "tls1.2"]

    def knock(self) -> None:
        """Connect once. Raises: OSError: nobody is there yet."""
        self.connect(ssl.TLSVersion.TLSv1_3).close()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(STOP_TIMEOUT_S)

    def connect(self, version: ssl.TLSVersion, ciphers: str = "") -> ssl.SSLSocket:
        """A connection of exactly this version. Raises: OSError (ssl.SSLError among them): refused."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
        return context.wrap_socket(self.dial(), server_hostname="localhost")

    def dial(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)


class ProxiedServer(TlsServer):
    """The same process in clear, for a proxy that ends TLS before it."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def public_url(self) -> str:
        return "https://localhost"

    def tls_options(self) -> list[str]:
        return []

    def knock(self) -> None:
        self.dial().close()


def session_tickets(server: TlsServer, keylog: Path) -> list[set[int]]:
    """The extensions of each session ticket that the server gives out over TLS 1.3: 0-RTT needs `early_data` there.

    Python's ssl does not show tickets, so the records after the handshake are opened with the secret of the key log.
    """
    context = ssl.create_default_context(cafile=str(server.certificate))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.keylog_filename = str(keylog)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with server.dial() as connection:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65_536))
            else:
                break
        connection.sendall(outgoing.read())
        # What the server sends of its own accord once it has our Finished: the tickets.
        received = connection.recv(65_536)
    cipher = tls.cipher()
    return _tickets(received, _server_secret(keylog), cipher[0] if cipher else "")


def _server_secret(keylog: Path) -> bytes:
    lines = [line.split() for line in keylog.read_text().splitlines()]
    return bytes.fromhex(next(words[2] for words in lines if words[0] == "SERVER_TRAFFIC_SECRET_0"))


def _tickets(received: bytes, secret: bytes, cipher: str) -> list[set[int]]:
    digest = hashes.SHA384() if len(secret) == 48 else hashes.SHA256()
    key_bytes = 16 if "AES_128" in cipher else 32

    def expand(label: bytes, size: int) -> bytes:
        full = b"tls13 " + label
        info = size.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0"
        return HKDFExpand(algorithm=digest, length=size, info=info).derive(secret)

    key, static_iv = expand(b"key", key_bytes), expand(b"iv", 12)
    aead = ChaCha20Poly1305(key) if "CHACHA20" in cipher else AESGCM(key)
    found, number = [], 0
    while len(received) >= 5:
        header, size = received[:5], int.from_bytes(received[3:5], "big")
        record, received = received[5 : 5 + size], received[5 + size :]
        if header[0] != APPLICATION_DATA:
            continue
        nonce = (int.from_bytes(static_iv, "big") ^ number).to_bytes(12, "big")
        plain = aead.decrypt(nonce, record, header).rstrip(b"\0")
        number += 1
        if plain[-1] == HANDSHAKE:
            found += _tickets_in(plain[:-1])
    return found


def _tickets_in(messages: bytes) -> list[set[int]]:
    found = []
    while messages:
        kind, size = messages[0], int.from_bytes(messages[1:4], "big")
        body, messages = messages[4 : 4 + size], messages[4 + size :]
        if kind == NEW_SESSION_TICKET:
            # lifetime and age_add, then nonce, ticket and extensions, each with its length (RFC 8446 section 4.6.1).
            rest = body[9 + body[8] :]
            rest = rest[2 + int.from_bytes(rest[:2], "big") :]
            found.append(_extensions(rest[2:]))
    return found


def _extensions(data: bytes) -> set[int]:
    found = set()
    while data:
        found.add(int.from_bytes(data[:2], "big"))
        data = data[4 + int.from_bytes(data[2:4], "big") :]
    return found
