#!/usr/bin/env bash
# A Python with grpcio, for tests that talk to our gRPC server from another language: a virtual environment, made once.
#
#   python-grpc.sh up       makes it unless it is there; prints GRPC_PYTHON, its interpreter
#   python-grpc.sh down     nothing runs, so nothing stops
#
# Settings: SGS_SERVICES_DIR (${XDG_CACHE_HOME:-~/.cache}/sgs-chat-services).
set -euo pipefail

VERSION=1.85.1
SERVICES_DIR=${SGS_SERVICES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sgs-chat-services}
FOLDER=$SERVICES_DIR/python-grpc-$VERSION

fail() {
  printf 'python-grpc: %s\n' "$*" >&2
  exit 1
}

make() {
  command -v python3 >/dev/null || fail "python3 is needed; install it, or set GRPC_PYTHON"
  # Made where it stays: an environment cannot be moved. The mark says that it is whole.
  rm -rf "$FOLDER"
  python3 -m venv "$FOLDER" >&2 || fail "no virtual environment could be made: see above"
  "$FOLDER/bin/python" -m pip install --quiet --disable-pip-version-check \
    "grpcio==$VERSION" "grpcio-tools==$VERSION" >&2 || fail "grpcio could not be installed: see above"
  touch "$FOLDER/.whole"
}

case ${1:-} in
  up)
    mkdir -p "$SERVICES_DIR"
    exec 9>"$SERVICES_DIR/python-grpc.lock"
    flock 9
    [[ -f $FOLDER/.whole ]] || make
    printf 'GRPC_PYTHON=%s\n' "$FOLDER/bin/python"
    ;;
  down) ;;
  *) fail "usage: ${0##*/} up|down" ;;
esac
