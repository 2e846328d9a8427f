"""Which 32 bytes can be an Ed25519 public key (RFC 8032 section 5.1.3).

OpenSSL loads any 32 bytes. A point of small order would let one signature pass for many messages, and a second
encoding of one point would give one key two thumbprints: both are refused before a key is known. No secrets pass
here, so it need not run in constant time.
"""

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_SIGN_BIT = 1 << 255

#: y of the eight points whose order divides 8, one y for two signs of x: 1 has order 1, -1 order 2, 0 order 4.
SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _P - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)


def is_safe_point(encoded: bytes) -> bool:
    """Whether the bytes are the canonical encoding of a point on the curve that is not of small order."""
    y = int.from_bytes(encoded, "little") & (_SIGN_BIT - 1)
    return len(encoded) == 32 and y < _P and y not in SMALL_ORDER_Y and _is_on_curve(y)


def _is_on_curve(y: int) -> bool:
    """Whether some x has x² = (y² - 1) / (d y² + 1): Euler's criterion, on the product instead of the quotient."""
    return pow((y * y - 1) * (_D * y * y + 1) % _P, (_P - 1) // 2, _P) == 1
