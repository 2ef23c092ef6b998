#!/usr/bin/env python3
"""Creates a workspace from copies of the published crates, without their dev-dependencies.

Takes the directory and the names of the crates in this directory. The versions of the dependencies
come from the workspace in the current directory.
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
