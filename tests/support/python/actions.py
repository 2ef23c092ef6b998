"""The actions of a request on its session, the same for both web frameworks.

Each action uses the `Session` of the package.
"""

import base64
import json
from urllib.parse import parse_qsl

from redis_session.model import Store

TYPES = {
    "int": int,
    "float": float,
    "str": bytes.decode,
    "bytes": bytes,
    # The package rejects a bool. Applications store its text, which `.bool` reads.
    "truth": lambda value: str(value.lower() == b"true"),
}


def parameters(query):
    """Returns the query's parameters as bytes, without the percent-encoding."""
    pairs = parse_qsl(query, keep_blank_values=True, encoding="latin-1")
    return {name: value.encode("latin-1") for name, value in pairs}


def count(session, parameters):
    """Reads and writes like applications of the package. A concurrent write in between is lost."""
    number = session.count.int + 1
    session.count = number
    return str(number)


def get(session, parameters):
    result = getattr(session, parameters["field"].decode())
    as_type = parameters["as"].decode()
    if as_type == "raw":
        return json.dumps(None if result.none else base64_text(result.raw))
    return json.dumps(getattr(result, as_type))


def fields(session, parameters):
    return json.dumps({field.decode(): base64_text(value) for field, value in session.load().items()})


def session_id(session, parameters):
    return session.sessionId


def incr(session, parameters):
    """Increments in a single atomic step, at the session's key."""
    key = session.key._key({"sessionId": session.sessionId})
    return str(Store.client.hincrby(key, "count", 1))


def set_field(session, parameters):
    convert = TYPES[parameters["kind"].decode()]
    setattr(session, parameters["field"].decode(), convert(parameters["value"]))
    return ""


def base64_text(value):
    return base64.b64encode(value).decode()


GET = {"count": count, "get": get, "fields": fields, "id": session_id}
POST = {"incr": incr, "set": set_field}
