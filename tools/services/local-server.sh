# Sourced by the scripts beside it: the life of one server process on this machine. The script says how with three
# functions: `prepare` (fetch or build, once), `start` (calls `in_background`), `answers` (whether it is that server
# and ready), and prints its settings with `addresses`.
SERVICES_DIR=${SGS_SERVICES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sgs-chat-services}
READY_SECONDS=60

note() { printf '%s: %s\n' "$SERVER_NAME" "$*" >&2; }

fail() {
  note "$@"
  exit 1
}

# server_init NAME PORT
server_init() {
  SERVER_NAME=$1
  SERVER_PORT=$2
  SERVER_DIR=$SERVICES_DIR/run/$1-$2
  PID_FILE=$SERVER_DIR/pid
  LOG_FILE=$SERVER_DIR/log
  mkdir -p "$SERVER_DIR"
}

port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$SERVER_PORT") 2>/dev/null; }

# http_get PORT PATH: the whole answer of a plain HTTP/1.0 request, or nothing.
http_get() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
    timeout 2 cat <&3
  ) 2>/dev/null | tr -d '\0'
}

# The pid file holds the pid and when that process was started, so that a number used again is not taken for ours.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

is_running() {
  local pid since
  [[ -f $PID_FILE ]] && read -r pid since <"$PID_FILE" || return 1
  [[ -n $since && $(started_at "$pid") == "$since" ]]
}

in_background() {
  setsid nohup "$@" >"$LOG_FILE" 2>&1 9>&- </dev/null &
  printf '%s %s\n' "$!" "$(started_at "$!")" >"$PID_FILE"
}

up() {
  # Servers for several ports may be started at once, and what they share is fetched or built once.
  (
    flock 8
    prepare
  ) 8>"$SERVICES_DIR/$SERVER_NAME.lock" || exit 1
  if is_running && answers; then return; fi
  is_running && stop
  port_is_open && fail "port $SERVER_PORT is taken by another process"
  start
  local deadline=$((SECONDS + READY_SECONDS))
  until answers; do
    is_running || fail "ended at start: $(tail -n 5 "$LOG_FILE")"
    ((SECONDS < deadline)) || fail "not ready within $READY_SECONDS s: $(tail -n 5 "$LOG_FILE")"
    sleep 0.1
  done
}

stop() {
  is_running || return 0
  local pid waits=100
  read -r pid _ <"$PID_FILE"
  kill "$pid" 2>/dev/null || true
  while is_running && ((waits-- > 0)); do sleep 0.1; done
  is_running && kill -KILL "$pid"
  rm -f "$PID_FILE"
}

server_main() {
  # One at a time: two test runs may start the server at once.
  exec 9>"$SERVER_DIR/lock"
  flock 9
  case ${1:-} in
    up) up && addresses ;;
    down) stop ;;
    status)
      is_running && answers || fail "not running"
      addresses
      ;;
    *) fail "usage: ${0##*/} up|down|status" ;;
  esac
}
