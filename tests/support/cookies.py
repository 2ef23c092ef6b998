"""Prints the golden vector of a cookie's value, using only Python's standard library.

    python3 tests/support/cookies.py
"""

import base64
import hashlib
import hmac

SECRET = b"golden vector: a secret of 32+ bytes"
LABEL = b"session-runtime cookie signature v1"
NAME = b"__Host-session-id"
ID = b"dGFndGFnAGkCCgMBc2VjcmV0c2VjcmV0c2VjcmV0"


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


# HKDF-SHA-256 (RFC 5869) without a salt, one block of output.
key = hmac_sha256(hmac_sha256(bytes(32), SECRET), LABEL + b"\x01")
mac = hmac_sha256(key, NAME + b"\0" + ID)
print((ID + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode())
