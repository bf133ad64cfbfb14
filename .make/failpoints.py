#!/usr/bin/env python3
"""Every durable step of the host has a failpoint, every failpoint has a name in the
list, and every name of the list a place. A step is a commit, a rename, an fsync or
the start of a process; a failpoint stands within a few lines of it."""

import re
import subprocess
import sys

STEP = re.compile(r"\.commit\(\)|fs::rename\(|\.sync_all\(\)|\.sync_data\(\)|\.spawn\(\)|\.output\(\)")
POINT = re.compile(r'failpoint!\(\s*(?:"([^"]+)"|step\.(?:before|after))')
PAIR = re.compile(r'step!\("([^"]+)"\)')
NEAR = 14

# Not durable steps of a running host: reads, tools for people, and tests' own.
EXEMPT = [
    "host/failpoints/",
    "host/handler-kit/",
    "host/server/src/commands/doctor.rs",
    "host/store/src/testing.rs",
    "host/store/src/contract",
]

files = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "host/*.rs"],
    check=True, capture_output=True, text=True,
).stdout.split()
with open("host/failpoints/src/names.rs", encoding="utf-8") as file:
    text = file.read()
known = re.findall(r'^\s*"([^"]+)",$', text, re.MULTILINE)
mistakes = [f"host/failpoints/src/names.rs: {name} is listed twice" for name in known if known.count(name) > 1]
placed = set()
steps = 0
for path in files:
    if "/src/" not in path or any(path.startswith(exempt) for exempt in EXEMPT):
        continue
    with open(path, encoding="utf-8") as file:
        # A module's tests stand at its end.
        lines = re.split(r"^#\[cfg\(test\)\]\nmod ", file.read(), flags=re.MULTILINE)[0].split("\n")
    for number, line in enumerate(lines):
        code = line.split("//")[0]
        for name in POINT.findall("\n".join(lines[number:number + 2])):
            placed.add(name)
        for name in PAIR.findall(code):
            placed |= {f"{name}.before", f"{name}.after"}
        if not STEP.search(code) or "read.commit()" in code:
            continue
        steps += 1
        near = "\n".join(lines[max(0, number - NEAR):number + 3])
        if not POINT.search(near):
            mistakes.append(f"{path}:{number + 1}: no failpoint near `{line.strip()}`")
placed.discard("")
mistakes += [f"{name} has a place but is not listed" for name in sorted(placed - set(known))]
mistakes += [f"{name} is listed but has no place" for name in sorted(set(known) - placed)]
if len(known) < 40:
    mistakes.append(f"there are only {len(known)} failpoints")
print("\n".join(mistakes) or f"{len(known)} failpoints at {steps} kinds of durable steps")
sys.exit(bool(mistakes))
