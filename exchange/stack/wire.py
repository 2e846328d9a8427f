"""Asks a server on loopback whether it is ready, in the server's own protocol and without a client library."""

import socket
import struct

from exchange.stack.ports import LOOPBACK

PROBE_TIMEOUT_S = 2.0
POSTGRES_PROTOCOL_3_0 = 196608  # PostgreSQL manual, "Message Formats", StartupMessage
AUTHENTICATION_REQUEST = b"R"


def postgres_accepts(port: int, user: str) -> bool:
    """Tell whether PostgreSQL on ``port`` would let somebody log in: it asks for a password and not, as it does while
    it starts or stops, answers with an error.
    """
    fields = b"user\0" + user.encode() + b"\0database\0postgres\0\0"
    packet = struct.pack("!ii", len(fields) + 8, POSTGRES_PROTOCOL_3_0) + fields
    try:
        with socket.create_connection((LOOPBACK, port), PROBE_TIMEOUT_S) as sock:
            sock.sendall(packet)
            # The whole answer: closing with unread data would reset the connection, which the server would log.
            return sock.recv(512)[:1] == AUTHENTICATION_REQUEST
    except OSError:
        return False


def valkey_answers(port: int, password: str) -> bool:
    """Tell whether Valkey on ``port`` takes the password and has its data loaded."""
    try:
        with socket.create_connection((LOOPBACK, port), PROBE_TIMEOUT_S) as sock:
            sock.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (chunk := sock.recv(512)):
                answer += chunk
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"
