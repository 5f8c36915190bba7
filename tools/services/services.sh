#!/usr/bin/env bash
# Kafka, a MongoDB stand-in and S3 on this machine, for those without Docker: what `pnpm services` runs.
#
#   services.sh up       starts what is not up; prints the server's settings as `export KEY='VALUE'` lines
#   services.sh status   prints the same as `up` when all of them run, else fails
#   services.sh down     stops them; Kafka and S3 keep what they hold, the stand-in for MongoDB does not
#
# So: eval "$(pnpm -s services up)" && pnpm start. Settings: those of kafka.sh, mongodb.sh and s3.sh beside it.
set -euo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

# settings up|status: what the scripts print, as a shell takes it. The server runs alone, so it may keep keys of its own.
settings() {
  local name out
  out=""
  for name in kafka mongodb s3; do
    out+="$(bash "$folder/$name.sh" "$1")"$'\n'
  done
  # The address of the SASL listener is for tests.
  sed -n -e '/^KAFKA_SASL_BROKERS=/d' -e "s/^\([A-Z][A-Z0-9_]*\)=\(.*\)$/export \1='\2'/p" <<<"$out"
  echo "export SINGLE_NODE='true'"
}

case "${1:-}" in
  up | status) settings "$1" ;;
  down)
    for name in s3 mongodb kafka; do bash "$folder/$name.sh" down; done
    ;;
  *)
    echo "usage: pnpm services up|down|status" >&2
    exit 2
    ;;
esac
