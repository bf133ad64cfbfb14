#!/usr/bin/env bash
# The tree's own rules: what stands at the top, migrations in pairs, no machine
# paths, registry hosts or compiled things in what is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
wrong() {
    echo "tree: $*" >&2
    failed=1
}

for entry in $(git ls-files | cut -d/ -f1 | sort -u); do
    case $entry in
    .* | Cargo.toml | Cargo.lock | LICENSE | Makefile | README.md | console | host | migrations | plugins | tests | wit) ;;
    *) wrong "$entry does not belong at the top" ;;
    esac
done

diff <(cd migrations/sqlite && ls) <(cd migrations/postgres && ls) >&2 ||
    wrong "migrations/sqlite and migrations/postgres differ in their file names"

own=.make/tree.sh
if git grep -nIE '\.\./shared|/work/|/root/\.' -- ":!$own" >&2; then
    wrong "paths of one machine are committed"
fi
if git grep -nIE 'registry\.npmjs\.org|static\.crates\.io|index\.crates\.io|pypi\.org' -- ":!$own" ':!Cargo.lock' ':!.deny.toml' >&2; then
    wrong "a registry's host is committed"
fi
compiled=$(git ls-files '*.wasm' '*.cwasm' '*.native' '*.so' '*.a' | grep -vE '^tests/museum/[^/]+/[^/]+\.wasm$' || true)
[ -z "$compiled" ] || wrong "compiled things belong into tests/museum only:" $compiled
for file in rust-toolchain rust-toolchain.toml; do
    [ ! -e $file ] || wrong "$file would make rustup fetch a toolchain"
done
git ls-files '*.sh' .ci/run | while read -r script; do bash -n "$script"; done
exit $failed
