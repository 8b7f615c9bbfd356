#!/bin/sh
# Makes .venv with the pinned dependencies and sees to bubblewrap. Quick when nothing changed.
# Works as root and as an ordinary user, with nothing but Python 3.11 or newer and make on the machine.
set -eu
cd "$(dirname "$0")/.."

say() { printf '• %s\n' "$*"; }
fail() { printf '✗ %s\n' "$*" >&2; exit 1; }

# apt_install PACKAGE...: install as root or by passwordless sudo; otherwise return 1.
apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo"; else return 1; fi
    log=$(mktemp)
    if { $as_root apt-get update -q && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q "$@"; } >"$log" 2>&1
    then rm -f "$log"; else tail -n 5 "$log" >&2; rm -f "$log"; return 1; fi
}

# python: the newest one that will do, or the one that PYTHON names
python=""
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$candidate; break; fi
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed. On Debian or Ubuntu: sudo apt-get install python3.11"

stamp=.venv/.complete
wanted=$("$python" -c 'import hashlib, sys; print(sys.version, *(hashlib.sha256(open(f, "rb").read()).hexdigest() for f in sys.argv[1:]))' requirements.lock pyproject.toml)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    say "making a virtual environment in .venv"
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import ensurepip' 2>/dev/null || apt_install "python$version-venv" \
        || fail "Python's venv module is missing. Type: sudo apt-get install python$version-venv"
    "$python" -m venv --clear .venv
    say "installing the pinned dependencies, less than a minute"
    pip=".venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile"
    uv=".venv/bin/python tools/uv.py pip install --quiet --python .venv/bin/python"
    # uv does in parallel what pip does one after the other; where it cannot be had or fails, pip does it
    sed -n '/^uv==/,/[^\\]$/p' requirements.lock >.venv/uv.lock
    { $pip --require-hashes --no-deps -r .venv/uv.lock && $uv --require-hashes -r requirements.lock; } >.venv/uv.log 2>&1 \
        || $pip --require-hashes -r requirements.lock \
        2>.venv/pip.log || { tail -n 15 .venv/pip.log >&2; fail "pip could not install the dependencies, see above"; }
    $pip --no-deps --no-build-isolation -e . \
        2>.venv/pip.log || { tail -n 15 .venv/pip.log >&2; fail "pip could not install this package, see above"; }
    # once, on all cores: what runs students' code may not write, and would compile at each of its starts
    .venv/bin/python -m compileall -qq -j 0 -x '/tests?/' .venv/lib autograder || true
    # the tab of JupyterLab: a wheel brings these files, setuptools leaves them out of an editable installation
    mkdir -p .venv/etc/jupyter/jupyter_server_config.d .venv/share/jupyter/labextensions
    ln -sf ../../../../autograder/bridge/jupyter/backprop_autograder.json .venv/etc/jupyter/jupyter_server_config.d/
    ln -sfn ../../../../autograder/bridge/jupyter .venv/share/jupyter/labextensions/backprop-autograder
    printf '%s' "$wanted" >"$stamp"
fi

if [ "$(uname -s)" = Linux ] && ! command -v bwrap >/dev/null 2>&1; then
    say "installing bubblewrap, which isolates students' code"
    apt_install bubblewrap || say "bubblewrap could not be installed. Type: sudo apt-get install bubblewrap"
fi
