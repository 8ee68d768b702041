#!/usr/bin/env bash
# First half of set-up: a virtual environment that holds exactly what requirements/lock.txt says, and this checkout.
# `steward setup` does the other half. Quick when nothing is to do; killed half-way, it starts that step again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

venv=.venv
lock=requirements/lock.txt
packages=orchestrator/toolchain/debian-packages.txt

say() { printf 'setup: %s\n' "$*" >&2; }

# The system's own Python first: it is mended with the system, and distributions build it optimised by a profile.
find_python() {
  local candidate
  for candidate in "${STEWARD_BASE_PYTHON:-}" /usr/bin/python3 python3.13 python3.12 python3.11 python3; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# Debian keeps the part that makes virtual environments in a package of its own.
need_packages() {
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing python3-venv"
    DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 python3-venv >&2
  else
    say "Python 3.11 or newer with the venv module is missing, and only root may install packages. Run:"
    say "  sudo apt-get install --no-install-recommends $(tr '\n' ' ' <"$packages")"
    exit 2
  fi
}

# Whoever moves the checkout gets a new environment too: its scripts carry absolute paths. Settings of tools do not count.
wanted() {
  { cat "$lock"; sed '/^\[tool\.[^h]/,$d' pyproject.toml; pwd -P; } | sha256sum | cut -d' ' -f1
}

stamp=$venv/steward.stamp
want=$(wanted)
if [ -x "$venv/bin/steward" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
  exit 0
fi

# Two set-ups of one checkout at once: the second waits, and then finds everything done.
exec 9>.setup.lock
flock 9
if [ -x "$venv/bin/steward" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
  exit 0
fi

python=$(find_python) || { need_packages; python=$(find_python); } || { say "no Python 3.11 or newer after installing python3-venv"; exit 2; }
"$python" -c 'import ensurepip, venv' 2>/dev/null || need_packages

say "making $venv with $("$python" --version) and $(grep -c '==' "$lock") locked packages (about half a minute)"
rm -rf "$venv"
"$python" -m venv "$venv"
pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input --quiet)
"${pip[@]}" install --no-deps --require-hashes --only-binary=:all: --requirement "$lock"
# The build backend came with the lock, so nothing unpinned is fetched here.
"${pip[@]}" install --no-deps --no-build-isolation --editable .
# Every verb, plugin and playbook is a new process: compiled once here, they start in half the time.
env -u PYTHONDONTWRITEBYTECODE "$venv/bin/python" -m compileall -q -j 0 "$venv/lib" stacks policies orchestrator >/dev/null || true
printf '%s\n' "$want" >"$stamp"
say "environment ready"
