#!/usr/bin/env bash
# A Chromium for the tests of the page: the one that this machine has, else the distribution's own package.
#
#   chromium.sh up       installs it unless it is there; prints CHROMIUM_PATH
#   chromium.sh down     does nothing: each test ends the browser that it started
#   chromium.sh status   prints the same as `up` when it is there, else fails
set -euo pipefail

fail() {
  printf 'chromium: %s\n' "$*" >&2
  exit 1
}

address() {
  local name
  for name in chromium chromium-browser google-chrome-stable google-chrome; do
    if command -v "$name" >/dev/null; then
      printf 'CHROMIUM_PATH=%s\n' "$(command -v "$name")"
      return
    fi
  done
  return 1
}

install() {
  command -v apt-get >/dev/null || fail "not installed, and there is no apt-get; install it, or set CHROMIUM_PATH"
  local as_root=()
  [[ $(id -u) == 0 ]] || as_root=(sudo -n)
  {
    "${as_root[@]}" apt-get update &&
      DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y --no-install-recommends chromium fonts-noto-cjk
  } >&2 || fail "could not be installed: see above"
}

case ${1:-} in
  up)
    address && exit
    # One at a time: two test files may ask at once.
    exec 9>"${TMPDIR:-/tmp}/sgs-chat-chromium.lock"
    flock 9
    address || { install && address; } || fail "not found after its installation"
    ;;
  down) ;;
  status) address || fail "not installed" ;;
  *) fail "usage: ${0##*/} up|down|status" ;;
esac
