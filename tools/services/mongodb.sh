#!/usr/bin/env bash
# A server that speaks MongoDB's protocol, for tests and local work without Docker. It is NOT MongoDB: a stand-in that
# keeps everything in memory and loses it when it stops (mongodb/StandIn.java says what else it lacks). Set MONGODB_URL
# to a real replica set to run the same tests against one. It listens on loopback only.
#
#   mongodb.sh up       starts it unless it runs; prints MONGODB_URL
#   mongodb.sh down     stops it
#   mongodb.sh status   prints the same as `up` when it runs, else fails
#
# Settings: SGS_MONGODB_PORT (27117, below the ports that systems give to outgoing connections), SGS_SERVICES_DIR (${XDG_CACHE_HOME:-~/.cache}/sgs-chat-services).
set -euo pipefail
# shellcheck source=tools/services/local-server.sh
source "$(dirname "${BASH_SOURCE[0]}")/local-server.sh"

SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/mongodb" && pwd)
PORT=${SGS_MONGODB_PORT:-27117}
CLASSES=$SERVICES_DIR/mongodb-$(cat "$SOURCE"/* | sha256sum | cut -c1-12)
server_init mongodb "$PORT"

addresses() { printf 'MONGODB_URL=mongodb://127.0.0.1:%s/?directConnection=true\n' "$PORT"; }

answers() { grep -q '^listening' "$LOG_FILE" 2>/dev/null && port_is_open; }

prepare() {
  [[ -f $CLASSES/StandIn.class ]] && return
  command -v mvn >/dev/null && command -v javac >/dev/null ||
    fail "Maven and a JDK are needed for the stand-in; install them, use Docker, or set MONGODB_URL"
  note "fetching and compiling the stand-in: once, about a minute"
  local building
  building=$(mktemp -d "$SERVICES_DIR/mongodb-building.XXXXXX")
  mvn -q -B -f "$SOURCE/pom.xml" dependency:copy-dependencies -DoutputDirectory="$building/lib" >&2 ||
    fail "the stand-in could not be fetched: see above"
  javac -cp "$building/lib/*" -d "$building" "$SOURCE/StandIn.java" >&2 || fail "the stand-in could not be compiled: see above"
  rm -rf "$CLASSES"
  mv "$building" "$CLASSES"
}

start() {
  in_background java -Xmx768m -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
    -cp "$CLASSES:$CLASSES/lib/*" StandIn 127.0.0.1 "$PORT"
}

server_main "$@"
