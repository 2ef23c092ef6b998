#!/usr/bin/env python3
"""Fails if a type of the crate `redis` stands in the public API of session-runtime: a new version of it would be one of ours.

Takes the path of the JSON that rustdoc made of the crate.
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
    # Without these the crate was built without its store, or this reads the JSON wrongly, and all would be well: `Bytes` is in the public API.
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
    """What some other crate implements for every type."""
    return item["inner"].get("impl", {}).get("blanket_impl") is not None


def described(item):
    span = item["span"] or {"filename": "?", "begin": [0]}
    return f"{span['filename']}:{span['begin'][0]} {item['name'] or 'impl'}"


def ids(value):
    """The ids that this names, at any depth: of types, of traits, of what is exported again."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), int):
            yield value["id"]
        value = value.values()
    if isinstance(value, (list, type({}.values()))):
        for inner in value:
            yield from ids(inner)


main(sys.argv[1])
