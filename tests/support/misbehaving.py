"""What a bad peer does instead of a good answer, for `BadPeer.script`."""

from __future__ import annotations

import zlib
from functools import lru_cache

from tests.support.bad_peer import TAXII, Answering, Exchange

HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {TAXII}\r\n".encode()


def refuse(status: int, *, retry_after: str = "", title: str = "no") -> Answering:
    """A refusal with an error resource."""

    def answer(exchange: Exchange) -> None:
        headers = {"Retry-After": retry_after} if retry_after else {}
        exchange.send(status, b'{"title":"%s"}' % title.encode(), headers)

    return answer


def say(body: bytes, **headers: str) -> Answering:
    """A success with this body; headers by their names with underscores."""
    return lambda exchange: exchange.send(200, body, {name.replace("_", "-"): value for name, value in headers.items()})


def redirect(location: str, status: int = 302) -> Answering:
    return lambda exchange: exchange.send(status, b"", {"Location": location})


def hang_up(exchange: Exchange) -> None:
    """No answer at all."""
    exchange.close_connection = True


def cut_short(exchange: Exchange) -> None:
    """Less than Content-Length says, and what there is is a whole envelope."""
    exchange.wfile.write(HEAD + b"Content-Length: 1000\r\n\r\n" + b'{"more":false}')
    exchange.close_connection = True


def cut_head(size: int) -> Answering:
    """The first bytes of an answer whose body never comes."""

    def answer(exchange: Exchange) -> None:
        exchange.wfile.write((HEAD + b"Content-Length: 14\r\n\r\n")[:size])
        exchange.close_connection = True

    return answer


def cut_chunks(exchange: Exchange) -> None:
    """A chunk with a whole envelope, and no last chunk."""
    exchange.wfile.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b'e\r\n{"more":false}\r\n')
    exchange.close_connection = True


def cut_gzip(exchange: Exchange) -> None:
    """A gzip stream without its end, of a body without a length."""
    coder = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    coded = coder.compress(b'{"more":false}') + coder.flush(zlib.Z_SYNC_FLUSH)
    exchange.wfile.write(HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + coded)
    exchange.close_connection = True


@lru_cache(maxsize=1)
def bomb() -> bytes:
    """Sixty-four megabytes of blanks in less than half of one."""
    coder = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
    blanks = b" " * (1 << 20)
    return b"".join([coder.compress(b"{"), *(coder.compress(blanks) for _ in range(64)), coder.flush()])


def gzip_bomb(exchange: Exchange) -> None:
    """A body that is small as long as it is not decompressed."""
    exchange.send(200, bomb(), {"Content-Encoding": "gzip"})


def endless(exchange: Exchange) -> None:
    """Blanks for ever, in chunks."""
    exchange.wfile.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while not exchange.peer.over.is_set():
        exchange.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def drip(exchange: Exchange) -> None:
    """A byte now and then: no single read waits long."""
    exchange.wfile.write(HEAD + b"Content-Length: 100000\r\n\r\n")
    while not exchange.peer.over.wait(0.05):
        exchange.wfile.write(b" ")


def say_nothing(exchange: Exchange) -> None:
    """Keep the connection and never answer."""
    exchange.peer.over.wait(30)
    exchange.close_connection = True


def nest(levels: int) -> Answering:
    """An envelope whose one object nests."""
    return say(b'{"objects":[' + b'{"a":[' * levels + b"]}" * levels + b"]}")
