#!/usr/bin/env python3
"""Who may use whom among our own crates. Fails on an arrow that is not listed,
and on a listed one that is gone. Dev-dependencies may point anywhere."""

import json
import subprocess
import sys

ALLOWED = {
    "pairing-core": [],
    "pairing-sessions": ["pairing-core"],
    "pairing-delivery": ["pairing-core"],
    "pairing-egress": ["pairing-core"],
    "pairing-engine": ["pairing-core", "pairing-failpoints", "pairing-sentinel"],
    "pairing-page-hooks": ["pairing-core"],
    "pairing-sentinel": ["pairing-failpoints"],
    "pairing-failpoints": [],
    "pairing-store": ["pairing-core", "pairing-failpoints"],
    "pairing-plugin-runtime": ["pairing-core", "pairing-egress", "pairing-failpoints", "plugin-build"],
    "pairing-plugin-registry": ["pairing-core", "pairing-egress", "pairing-plugin-runtime"],
    "pairing-api": [
        "pairing-core",
        "pairing-delivery",
        "pairing-page-hooks",
        "pairing-plugin-registry",
        "pairing-plugin-runtime",
        "pairing-sessions",
    ],
    "pairing-handler-kit": ["pairing-core", "pairing-egress", "pairing-plugin-runtime", "plugin-build"],
    "pairing-host": [
        "pairing-api",
        "pairing-core",
        "pairing-delivery",
        "pairing-egress",
        "pairing-engine",
        "pairing-failpoints",
        "pairing-handler-kit",
        "pairing-page-hooks",
        "pairing-plugin-registry",
        "pairing-plugin-runtime",
        "pairing-sentinel",
        "pairing-sessions",
        "pairing-store",
    ],
    "pairing-workflow": [],
    "qr-renderer": [],
    "event-fan-out": [],
    "webhook": [],
    "blue-renderer": [],
    "chameleon-workflow": [],
    "hollow-handler": [],
    "probe-handler": [],
    "plugin-build": [],
    "fake-browser": [],
    "oracle": [],
    "standin": [],
}

command = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--locked"]
packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
ours = {package["name"] for package in packages}
mistakes = []
for package in packages:
    name = package["name"]
    if name == "pairing-tests":
        continue
    found = {d["name"] for d in package["dependencies"] if d["name"] in ours and d["kind"] != "dev"}
    allowed = set(ALLOWED.get(name, []))
    if name not in ALLOWED:
        mistakes.append(f"{name} is new: say in {sys.argv[0]} whom it may use")
    mistakes += [f"{name} must not use {other}" for other in sorted(found - allowed)]
    mistakes += [f"{name} does not use {other} any more" for other in sorted(allowed - found)]
print("\n".join(mistakes) or "dependencies point where they should")
sys.exit(bool(mistakes))
