#!/usr/bin/env bash
# An S3 server for tests and local work without Docker: versitygw, a real one (signatures, presigned URLs and forms,
# multipart) over a folder, built once with Go. It listens on loopback only and keeps its objects between runs.
#
#   s3.sh up       starts it unless it runs, makes the bucket; prints S3_ENDPOINT, S3_REGION, S3_BUCKET,
#                  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
#   s3.sh down     stops it
#   s3.sh status   prints the same as `up` when it runs, else fails
#
# Settings: SGS_S3_PORT (27917, below the ports that systems give to outgoing connections), SGS_SERVICES_DIR (${XDG_CACHE_HOME:-~/.cache}/sgs-chat-services).
set -euo pipefail
# shellcheck source=tools/services/local-server.sh
source "$(dirname "${BASH_SOURCE[0]}")/local-server.sh"

VERSION=v1.8.0
ACCESS_KEY=sgs-chat-local
SECRET_KEY=sgs-chat-local-secret
REGION=us-east-1
BUCKET=sgs-chat
PORT=${SGS_S3_PORT:-27917}
BINARY=$SERVICES_DIR/versitygw-$VERSION/versitygw
server_init s3 "$PORT"

addresses() {
  printf 'S3_ENDPOINT=http://127.0.0.1:%s\nS3_REGION=%s\nS3_BUCKET=%s\n' "$PORT" "$REGION" "$BUCKET"
  printf 'AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n' "$ACCESS_KEY" "$SECRET_KEY"
}

# An S3 server refuses a request without a signature in its own XML.
answers() {
  [[ $(http_get "$PORT" /) == *'<Code>AccessDenied</Code>'* ]]
}

prepare() {
  # A folder of its root is a bucket.
  mkdir -p "$SERVER_DIR/objects/$BUCKET"
  [[ -x $BINARY ]] && return
  command -v go >/dev/null || fail "go is needed to build versitygw; install it, use Docker, or set S3_ENDPOINT"
  note "building versitygw $VERSION: once, some minutes"
  mkdir -p "$(dirname "$BINARY")"
  GOBIN=$(dirname "$BINARY")/.building GOFLAGS=-buildvcs=false \
    go install -ldflags='-s -w' "github.com/versity/versitygw/cmd/versitygw@$VERSION" >&2 ||
    fail "versitygw $VERSION could not be built: see above"
  mv "$(dirname "$BINARY")/.building/versitygw" "$BINARY"
}

start() {
  # Pages upload straight to it: on AWS that is the bucket's CORS rule.
  VGW_CORS_ALLOW_ORIGIN='*' ROOT_ACCESS_KEY=$ACCESS_KEY ROOT_SECRET_KEY=$SECRET_KEY VGW_REGION=$REGION \
    in_background "$BINARY" --port "127.0.0.1:$PORT" --quiet posix "$SERVER_DIR/objects"
}

server_main "$@"
