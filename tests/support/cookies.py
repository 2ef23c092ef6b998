"""Prints the golden vectors of a cookie's value and of a form token, using only Python's standard
library.

    python3 tests/support/cookies.py
"""

import base64
import hashlib
import hmac

SECRET = b"golden vector: a secret of 32+ bytes"
COOKIE_LABEL = b"session-runtime cookie signature v1"
FORM_LABEL = b"session-runtime form token v1"
NAME = b"__Host-session-id"
ID = b"dGFndGFnAGkCCgMBc2VjcmV0c2VjcmV0c2VjcmV0"
NONCE = bytes(range(16, 32))


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def derived(label):
    """HKDF-SHA-256 (RFC 5869) without a salt, one block of output."""
    return hmac_sha256(hmac_sha256(bytes(32), SECRET), label + b"\x01")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


mac = hmac_sha256(derived(COOKIE_LABEL), NAME + b"\0" + ID)
print(f"cookie      {ID.decode()}.{base64url(mac)}")
mac = hmac_sha256(derived(FORM_LABEL), NAME + b"\0" + NONCE + ID)
print(f"form token  {base64url(NONCE + mac[:16])}")
