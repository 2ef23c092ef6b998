"""Makes the golden cookies of the Python package redis_session.

The script uses the package itself and its signing libraries.

    python3 -m venv /tmp/golden
    /tmp/golden/bin/python -m pip install redis_session==0.2.1 redis==8.1.0 tornado==6.6.1 \
        flask==1.0.4 werkzeug==0.16.1 jinja2==2.11.3 markupsafe==2.0.1 itsdangerous==1.1.0
    /tmp/golden/bin/python tests/integration/redis_session/golden.py \
        >tests/integration/redis_session/golden.json

No Redis server is needed, because the package writes nothing without an expiry.
"""

import json
import time
from contextlib import nullcontext
from unittest.mock import patch

from flask import Flask, request
from redis_session import flask_session
from tornado.web import create_signed_value

SECRET = "golden vector: SECRET_KEY of redis_session"
NAME = "session-id"
TIMESTAMP = 1761741315
IDS = [
    # A Python id: two UUIDs.
    "6f1d9a4e-0c57-4b3e-9d21-5a8c7e0f3b124c2b8e90-71da-4f6b-8a35-e9d0c1b2a374",
    # A native id, with the hash tag of the session's key.
    "{dGFndGFn}AGkCCgMBc2VjcmV0c2VjcmV0c2VjcmV0",
]


def tornado_cookie(session_id, secret, key_version=None):
    value = create_signed_value(secret, NAME, session_id, version=2, clock=time.time, key_version=key_version)
    return value.decode()


def flask_app():
    app = Flask(__name__)
    app.config["SECRET_KEY"] = SECRET
    flask_session.setup_session(app)
    app.add_url_rule("/", "session_id", lambda: request.session.sessionId)
    return app


def flask_cookie(app, session_id, compress=None):
    """Returns the cookie that the package sets for a new session with this id."""
    compressed = patch("itsdangerous.url_safe.zlib.compress", compress) if compress else nullcontext()
    client = app.test_client(use_cookies=False)
    with patch.object(flask_session, "newSessionId", lambda: session_id), compressed:
        response = client.get("/")
    value = response.headers["Set-Cookie"].split(";")[0].partition("=")[2]
    read = client.get("/", headers={"Cookie": f"{NAME}={value}"})
    assert read.data.decode() == session_id and "Set-Cookie" not in read.headers
    return value


def cookies(app, session_id):
    yield {"format": "tornado", "key_version": 0, "value": tornado_cookie(session_id, SECRET)}
    yield {"format": "tornado", "key_version": 3, "value": tornado_cookie(session_id, {3: SECRET}, 3)}
    yield {"format": "flask", "value": flask_cookie(app, session_id)}
    # A payload that compression does not shorten is signed uncompressed.
    yield {"format": "flask-uncompressed", "value": flask_cookie(app, session_id, compress=lambda data: data)}


with patch("time.time", lambda: TIMESTAMP):
    app = flask_app()
    golden = [{"id": session_id, **cookie} for session_id in IDS for cookie in cookies(app, session_id)]

print(json.dumps({"secret": SECRET, "name": NAME, "timestamp": TIMESTAMP, "cookies": golden}, indent=2))
