#!/usr/bin/env bash
# Grading on a machine of continuous integration: GitHub's action and GitLab's template both call this.
#   tools/ci.sh walls                install bubblewrap and allow isolation
#   tools/ci.sh prepare              that, and what grading needs
#   tools/ci.sh grade FOLDER OUT     grade the notebooks in FOLDER; marks and feedback go to OUT
# PYTHON names an interpreter that has everything already, as in an image of your own; else a .venv is made.
set -euo pipefail
course=$(realpath -- "$(dirname "${BASH_SOURCE[0]}")/..")
python=${PYTHON:-$course/.venv/bin/python}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

walls() {
    if ! command -v bwrap >/dev/null; then
        as_root apt-get update -q
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q bubblewrap ||
            echo "bubblewrap could not be installed: isolation will be reduced."
    fi
    # Ubuntu 24.04 and GitHub's runners: AppArmor forbids the namespaces that isolation is made of.
    switch=${USERNS_SWITCH:-/proc/sys/kernel/apparmor_restrict_unprivileged_userns}
    if [ -e "$switch" ] && [ "$(cat "$switch")" = 1 ]; then
        as_root sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0 ||
            echo "User namespaces stay restricted: isolation will be reduced."
    fi
}

prepare() {
    walls
    if [ -z "${PYTHON:-}" ]; then
        python3 -m venv "$course/.venv"
        "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$course/requirements.lock"
    fi
}

grade() {
    folder=$(realpath -- "$1") out=$(mkdir -p -- "$2" && realpath -- "$2")
    cd "$course"  # so that Python imports the course's package and nothing from the submission
    status=0
    "$python" -m autograder grade "$folder" --json --root . --isolation "${ISOLATION:-auto}" >"$out/marks.jsonl" || status=$?
    # 1 says that a person has to look at something, which is no failure of the pipeline as long as there are marks
    if [ "$status" -gt 1 ] || [ ! -s "$out/marks.jsonl" ]; then exit "$(( status ? status : 1 ))"; fi
    exports=(--junit "$out/junit.xml" --html "$out/feedback.html" --csv "$out/marks.csv")
    [ -z "${GITHUB_ACTIONS:-}" ] || exports+=(--github --submission "$folder")
    "$python" -m autograder export "$out/marks.jsonl" "${exports[@]}"
}

"$@"
