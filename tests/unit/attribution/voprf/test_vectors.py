"""Known answers of RFC 9497 appendix A.1: A.1.1 (mode OPRF) and A.1.2 (mode VOPRF), ristretto255-SHA512."""

from __future__ import annotations

import pytest

from attribution.voprf import IssuerKey, blind, derive_key, evaluate, evaluate_directly, finalize, prove, verify
from attribution.voprf.context import Mode

SEED = bytes([0xA3]) * 32
INFO = b"test key"
BLIND = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"
RANDOMNESS = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"
PROOF = (
    "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06"
    "6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d"
)
OUTPUT = (
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
    "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"
)


@pytest.fixture(scope="module")
def key() -> IssuerKey:
    return derive_key(SEED, INFO)


def test_mode_oprf_gives_the_first_vector_of_the_rfc() -> None:
    key = derive_key(SEED, INFO, Mode.OPRF)
    assert key.secret.hex() == "5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e"
    asked = blind(b"\0", scalar=bytes.fromhex(BLIND), mode=Mode.OPRF)
    assert asked.element.hex() == "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c"
    (answered,) = evaluate(key, [asked.element])
    assert answered.hex() == "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e"
    output = finalize(asked, answered)
    assert output.hex() == (
        "527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3"
        "ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6"
    )
    assert evaluate_directly(key, b"\0", mode=Mode.OPRF) == output


def test_mode_voprf_derives_the_key_of_the_rfc(key: IssuerKey) -> None:
    assert key.secret.hex() == "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909"
    assert key.public.hex() == "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"


def test_mode_voprf_gives_the_first_vector_of_the_rfc(key: IssuerKey) -> None:
    asked = blind(b"\0", scalar=bytes.fromhex(BLIND))
    assert asked.element.hex() == "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"
    answered = evaluate(key, [asked.element])
    assert answered[0].hex() == "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"
    proof = prove(key, [asked.element], answered, randomness=bytes.fromhex(RANDOMNESS))
    assert proof.hex() == PROOF
    verify(key.public, [asked.element], answered, proof)
    assert finalize(asked, answered[0]).hex() == OUTPUT


def test_mode_voprf_gives_the_batch_vector_of_the_rfc(key: IssuerKey) -> None:
    """A.1.2.3: two inputs under one proof."""
    asked = [
        blind(b"\0", scalar=bytes.fromhex(BLIND)),
        blind(b"\x5a" * 17, scalar=bytes.fromhex(RANDOMNESS)),
    ]
    elements = [each.element for each in asked]
    assert elements[1].hex() == "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654"
    answered = evaluate(key, elements)
    assert answered[1].hex() == "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a"
    randomness = bytes.fromhex("419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c")
    proof = prove(key, elements, answered, randomness=randomness)
    assert proof.hex() == (
        "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a"
        "5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08"
    )
    verify(key.public, elements, answered, proof)
    assert finalize(asked[0], answered[0]).hex() == OUTPUT
    assert finalize(asked[1], answered[1]).hex() == (
        "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60"
        "356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6"
    )
