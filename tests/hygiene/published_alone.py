#!/usr/bin/env python3
"""Makes a workspace of copies of the published crates, without what their own tests need.

Takes the directory and the names of the crates in it; the dependencies' versions are those of the workspace that this is called in.
"""

import pathlib
import re
import sys

TESTS_ALONE = re.compile(r"\[dev-dependencies]")


def main(directory, crates):
    workspace = pathlib.Path("Cargo.toml").read_text(encoding="utf-8")
    members = ", ".join(f'"{crate}"' for crate in crates)
    (directory / "Cargo.toml").write_text(
        re.sub(r"(?ms)^exclude = [^\n]*\n|^members = \[.*?^\]", "", workspace).replace(
            "[workspace]\n", f"[workspace]\nmembers = [{members}]\n", 1
        ),
        encoding="utf-8",
    )
    for crate in crates:
        manifest = directory / crate / "Cargo.toml"
        sections = re.split(r"(?m)^(?=\[)", manifest.read_text(encoding="utf-8"))
        manifest.write_text("".join(s for s in sections if not TESTS_ALONE.match(s)), encoding="utf-8")


main(pathlib.Path(sys.argv[1]), sys.argv[2:])
