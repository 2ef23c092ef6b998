#!/usr/bin/env python3
"""Fails if the public API of session-runtime contains a type of the crate `redis`.

A breaking release of `redis` would otherwise be a breaking release of this crate. Takes the path of
rustdoc's JSON for the crate.
"""

import json
import sys

FOREIGN = "redis"


def main(path):
    with open(path, encoding="utf-8") as file:
        api = json.load(file)
    foreign = {
        int(id): "::".join(item["path"])
        for id, item in api["paths"].items()
        if api["external_crates"].get(str(item["crate_id"]), {}).get("name") == FOREIGN
    }
    # Safety check: the JSON must contain `redis`, `RedisStore` and `Bytes`. Otherwise the store was
    # not built or the format has changed, and the check would always pass.
    named = {id for item in api["index"].values() for id in ids(item["inner"])}
    known = {int(id) for id, path in api["paths"].items() if path["path"][-1] == "Bytes"}
    has_store = any(item["name"] == "RedisStore" for item in api["index"].values())
    if not foreign or not has_store or not named & known:
        sys.exit(f"{path} does not tell of the crate `{FOREIGN}`: read anew what rustdoc writes")
    found = {
        f"{described(item)}: {foreign[id]}"
        for item in api["index"].values()
        if not is_blanket(item)
        for id in ids(item["inner"])
        if id in foreign
    }
    if found:
        sys.exit("\n".join(["types of `redis` in the public API:", *sorted(found)]))


def is_blanket(item):
    """Returns whether this is an implementation for every type, from another crate."""
    return item["inner"].get("impl", {}).get("blanket_impl") is not None


def described(item):
    span = item["span"] or {"filename": "?", "begin": [0]}
    return f"{span['filename']}:{span['begin'][0]} {item['name'] or 'impl'}"


def ids(value):
    """Yields the ids of types, traits and re-exports in this value, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), int):
            yield value["id"]
        value = value.values()
    if isinstance(value, (list, type({}.values()))):
        for inner in value:
            yield from ids(inner)


main(sys.argv[1])
