"""Prints the golden vectors of encrypted values.

    python3 tests/support/encryption.py > session-runtime/src/encryption/vectors.txt

Needs the package `cryptography`, which has ChaCha20-Poly1305 but no XChaCha20. The steps between
the two are here, and are first compared with the vectors of draft-irtf-cfrg-xchacha-03.
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET = "golden vector: a secret of 32+ bytes"
OLDER = "golden vector: an older secret of 32+ bytes"
# The name of a vector, the secret, the identity, the field, the index, the block and the value.
VECTORS = [
    ("empty", SECRET, "dGFndGFn", "email", None, 1, b""),
    ("byte", SECRET, "dGFndGFn", "email", None, 1, b"a"),
    ("text", SECRET, "dGFndGFn", "email", None, 1, b"ada@example.org"),
    ("other-session", SECRET, "-_-_AAAA", "email", None, 1, b"ada@example.org"),
    ("not-utf-8", SECRET, "dGFndGFn", "photo", None, 1, bytes(range(256))),
    ("zeros", SECRET, "dGFndGFn", "photo", None, 1, bytes(20)),
    ("like-padding", SECRET, "dGFndGFn", "photo", None, 16, b"\x80" + bytes(3)),
    ("like-a-sealed-value", SECRET, "dGFndGFn", "photo", None, 1, b"\xf5" + bytes(60)),
    ("padded-empty", SECRET, "dGFndGFn", "email", None, 64, b""),
    ("padded-byte", SECRET, "dGFndGFn", "email", None, 64, b"a"),
    ("block-minus-a-byte", SECRET, "dGFndGFn", "email", None, 64, b"b" * 63),
    ("whole-block", SECRET, "dGFndGFn", "email", None, 64, b"b" * 64),
    ("odd-block", SECRET, "dGFndGFn", "email", None, 7, b"seven more bytes"),
    ("long-field", SECRET, "dGFndGFn", "a long name, " * 8 + "é", None, 1, b"value"),
    ("one-letter-field", SECRET, "dGFndGFn", "n", None, 1, b"value"),
    ("indexed", SECRET, "dGFndGFn", "email", "email", 1, b"ada@example.org"),
    ("indexed-otherwise", SECRET, "dGFndGFn", "email", "mail", 1, b"ada@example.org"),
    ("indexed-empty", SECRET, "dGFndGFn", "email", "email", 1, b""),
    ("indexed-padded", SECRET, "dGFndGFn", "user", "user", 64, b"42"),
    ("indexed-not-utf-8", SECRET, "dGFndGFn", "key", "key", 64, b"\xff\x00\xfe" * 30),
    ("older", OLDER, "dGFndGFn", "email", None, 1, b"ada@example.org"),
    ("older-indexed", OLDER, "dGFndGFn", "email", "email", 64, b"ada@example.org"),
]


def main():
    check()
    print("# Made by tests/support/encryption.py. Bytes are in hexadecimal digits.")
    for number, vector in enumerate(VECTORS):
        name, secret, identity, field, index, block, value = vector
        nonce = hashlib.sha256(b"nonce %d" % number).digest()[:24]
        print()
        print("name", name)
        print("secret", secret)
        print("identity", identity)
        print("field", field)
        if index is not None:
            print("index", index)
        print("block", block)
        print("nonce", nonce.hex())
        print(f"value {value.hex()}".rstrip())
        print("stored", seal(*vector[1:], nonce).hex())


def seal(secret, identity, field, index, block, value, nonce):
    number = derived(secret, b"session-runtime field encryption number v1", 4)
    if index is None:
        header = b"\xf5" + number
    else:
        key = derived(secret, b"session-runtime field index v1", 32)
        digest = hmac.digest(key, index.encode() + b"\0" + value, "sha256")[:16]
        header = b"\xf6" + number + digest
    key = derived(secret, b"session-runtime field encryption v1", 32)
    associated_data = header + identity.encode() + field.encode()
    return header + nonce + xchacha20_poly1305(key, nonce, associated_data, padded(value, block))


def padded(value, block):
    text = value + b"\x80"
    while len(text) % block:
        text += b"\0"
    return text


def derived(secret, label, length):
    return HKDF(hashes.SHA256(), length, salt=None, info=label).derive(secret.encode())


def xchacha20_poly1305(key, nonce, associated_data, text):
    """Section 2.3 of the draft."""
    cipher = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    return cipher.encrypt(bytes(4) + nonce[16:], text, associated_data)


def hchacha20(key, nonce):
    """Section 2.2 of the draft."""
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for column in range(4):
            quarter_round(state, *(column + 4 * row for row in range(4)))
        for diagonal in range(4):
            quarter_round(state, *((diagonal + row) % 4 + 4 * row for row in range(4)))
    return struct.pack("<8I", *state[:4], *state[12:])


def quarter_round(state, a, b, c, d):
    for first, second, third, bits in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
        state[first] = (state[first] + state[second]) & 0xFFFFFFFF
        mixed = state[third] ^ state[first]
        state[third] = (mixed << bits | mixed >> 32 - bits) & 0xFFFFFFFF


def check():
    """Compares with sections 2.2.1 and A.3.1 of the draft."""
    key = bytes(range(32))
    nonce = bytes.fromhex("000000090000004a0000000031415927")
    subkey = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert hchacha20(key, nonce).hex() == subkey
    text = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        b"future, sunscreen would be it."
    )
    key, nonce = bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58))
    sealed = xchacha20_poly1305(key, nonce, bytes.fromhex("50515253c0c1c2c3c4c5c6c7"), text)
    assert sealed[:16].hex() == "bd6d179d3e83d43b9576579493c0e939"
    assert sealed[-16:].hex() == "c0875924c1c7987947deafd8780acf49"


main()
