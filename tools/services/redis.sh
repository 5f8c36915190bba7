#!/usr/bin/env bash
# A real Redis server for tests and local work without Docker: Debian's redis-server, which is installed when it is
# missing and this user may. It keeps everything in memory only and listens on loopback only. Set REDIS_URL to run the
# same tests against another one.
#
#   redis.sh up       starts it unless it runs; prints REDIS_URL
#   redis.sh down     stops it
#   redis.sh status   prints the same as `up` when it runs, else fails
#   redis.sh kill     ends it at once, as a crash does
#   redis.sh wipe     forgets everything it holds
#
# Settings: SGS_REDIS_PORT (26479, below the ports that systems give to outgoing connections), SGS_SERVICES_DIR (${XDG_CACHE_HOME:-~/.cache}/sgs-chat-services).
set -euo pipefail
# shellcheck source=tools/services/local-server.sh
source "$(dirname "${BASH_SOURCE[0]}")/local-server.sh"

PORT=${SGS_REDIS_PORT:-26479}
server_init redis "$PORT"

addresses() { printf 'REDIS_URL=redis://127.0.0.1:%s\n' "$PORT"; }

# command WORD…: the first line of Redis's answer to an inline command.
command_answer() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$PORT" || exit 1
    printf '%s\r\n' "$*" >&3
    IFS= read -r -t 5 answer <&3 && printf '%s' "${answer%$'\r'}"
  ) 2>/dev/null
}

answers() { [[ $(command_answer PING) == +PONG ]]; }

prepare() {
  command -v redis-server >/dev/null && return
  command -v apt-get >/dev/null && [[ $(id -u) == 0 ]] ||
    fail "redis-server is needed; install it, or set REDIS_URL"
  note "installing redis-server"
  # Debian starts the server it installs: that one is not wanted.
  { apt-get update -q && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends redis-server; } >"$LOG_FILE" 2>&1 ||
    fail "redis-server could not be installed: $(tail -n 3 "$LOG_FILE")"
}

start() {
  in_background redis-server --bind 127.0.0.1 --port "$PORT" --save '' --appendonly no --dir "$SERVER_DIR" --daemonize no
}

kill_server() {
  is_running || fail "not running"
  local pid
  read -r pid _ <"$PID_FILE"
  kill -KILL "$pid"
  while is_running; do sleep 0.05; done
  rm -f "$PID_FILE"
}

case ${1:-} in
  kill) kill_server ;;
  wipe) [[ $(command_answer FLUSHALL) == +OK ]] || fail "did not answer" ;;
  *) server_main "$@" ;;
esac
