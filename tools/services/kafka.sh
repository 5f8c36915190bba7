#!/usr/bin/env bash
# One real Apache Kafka broker (KRaft, broker and controller in one) on loopback, for tests and local work without Docker.
# Needs Java 17 and Maven; the broker's jars come from the Maven repository, once.
#
#   kafka.sh up       starts it if it is not up; prints KAFKA_BROKERS=… (and KAFKA_SASL_BROKERS=…) on stdout
#   kafka.sh down     stops it; what it holds stays
#   kafka.sh kill     ends it at once (SIGKILL); what it holds stays
#   kafka.sh status   prints what `up` prints, or exits with 3 when it is not up
#   kafka.sh wipe     stops it and deletes what it holds
#
# Settings: SGS_KAFKA_PORT (29092, below the ports that systems give to outgoing connections; the next two are taken as
# well), SGS_KAFKA_NAME (kafka-<port>: the folder of its data), SGS_KAFKA_VERSION (4.3.1), SGS_KAFKA_HEAP (384m),
# SGS_KAFKA_READY_SECONDS (120), SGS_SERVICES_DIR (${XDG_CACHE_HOME:-~/.cache}/sgs-chat-services),
# SGS_KAFKA_JOIN (the port of a broker of this script that runs: this one becomes the second of its cluster).
# SASL listener: user `chat`, password `chat-secret`, mechanisms PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; user `guest`,
# password `guest-secret`, PLAIN only, has no rights. Without SASL everything is allowed.
set -euo pipefail

version="${SGS_KAFKA_VERSION:-4.3.1}"
port="${SGS_KAFKA_PORT:-29092}"
controller_port=$((port + 1))
sasl_port=$((port + 2))
join="${SGS_KAFKA_JOIN:-}"
cache="${SGS_SERVICES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sgs-chat-services}"
jars="$cache/kafka-$version"
home="$cache/data/${SGS_KAFKA_NAME:-kafka-$port}"
config="$home/server.properties"
pid_file="$home/pid"
out="$home/broker.log"

fail() {
  echo "kafka.sh: $*" >&2
  exit 1
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints the process id if the process that we started here is still there, and still ours.
running() {
  local pid
  [ -s "$pid_file" ] || return 1
  pid="$(<"$pid_file")"
  [ -r "/proc/$pid/cmdline" ] || return 1
  tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF "$config" || return 1
  echo "$pid"
}

addresses() {
  echo "KAFKA_BROKERS=127.0.0.1:$port"
  echo "KAFKA_SASL_BROKERS=127.0.0.1:$sasl_port"
}

install_jars() {
  [ -e "$jars/complete" ] && return
  command -v java >/dev/null || fail "Java (17 or newer) is not installed"
  command -v mvn >/dev/null || fail "Maven is not installed"
  mkdir -p "$jars"
  exec 8>"$jars/lock"
  flock 8
  if [ ! -e "$jars/complete" ]; then
    echo "kafka.sh: fetching Apache Kafka $version with Maven, once" >&2
    cat >"$jars/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sgs-chat</groupId>
  <artifactId>kafka-service</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
    mvn --quiet --batch-mode --file "$jars/pom.xml" \
      org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$jars/lib" >&2 || fail "Maven could not fetch Apache Kafka $version"
    touch "$jars/complete"
  fi
  exec 8>&-
}

write_config() {
  local jaas='org.apache.kafka.common.security'
  local node=1 roles=broker,controller voter=$controller_port controller="CONTROLLER://127.0.0.1:$controller_port,"
  [ -z "$join" ] || { node=2 roles=broker voter=$((join + 1)) controller=; }
  cat >"$config" <<PROPERTIES
process.roles=$roles
node.id=$node
controller.quorum.voters=1@127.0.0.1:$voter
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:$port,${controller}SASL_PLAINTEXT://127.0.0.1:$sasl_port
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SASL_PLAINTEXT://127.0.0.1:$sasl_port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_plaintext.plain.sasl.jaas.config=$jaas.plain.PlainLoginModule required user_chat="chat-secret" user_guest="guest-secret";
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=$jaas.scram.ScramLoginModule required;
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=$jaas.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:chat
log.dirs=$home/log
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=2
PROPERTIES
}

java_options=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true
  -Dorg.slf4j.simpleLogger.defaultLogLevel=info -Dorg.slf4j.simpleLogger.showDateTime=true)

# A new one, or that of the broker it joins.
cluster_id() {
  if [ -z "$join" ]; then
    head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | cut -c 1-22
  else
    sed -n 's/^cluster.id=//p' "$cache/data/kafka-$join/log/meta.properties"
  fi
}

format() {
  [ -e "$home/log/meta.properties" ] && return
  java "${java_options[@]}" -Xmx192m -cp "$jars/lib/*" kafka.tools.StorageTool format --config "$config" \
    --cluster-id "$(cluster_id)" \
    --add-scram 'SCRAM-SHA-256=[name=chat,password=chat-secret]' \
    --add-scram 'SCRAM-SHA-512=[name=chat,password=chat-secret]' >"$home/format.log" 2>&1 ||
    fail "the data folder could not be formatted: $(tail -n 5 "$home/format.log")"
}

up() {
  local pid deadline
  mkdir -p "$home"
  exec 9>"$home/lock"
  flock 9
  if pid="$(running)" && answers "$port"; then
    addresses
    return
  fi
  [ -z "${pid:-}" ] || fail "process $pid is there but does not answer on port $port; try: $0 kill"
  for taken in "$port" "$controller_port" "$sasl_port"; do
    ! answers "$taken" || fail "port $taken belongs to somebody else; set SGS_KAFKA_PORT"
  done
  install_jars
  write_config
  format
  : >"$out"
  setsid java "${java_options[@]}" -Xmx"${SGS_KAFKA_HEAP:-384m}" -cp "$jars/lib/*" kafka.Kafka "$config" \
    >>"$out" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid" >"$pid_file"
  deadline=$((SECONDS + ${SGS_KAFKA_READY_SECONDS:-120}))
  until grep -q 'Kafka Server started' "$out" && answers "$port"; do
    kill -0 "$pid" 2>/dev/null || fail "the broker ended: $(tail -n 15 "$out")"
    [ "$SECONDS" -lt "$deadline" ] || fail "the broker is not ready yet: $(tail -n 15 "$out")"
    sleep 0.1
  done
  addresses
}

# down TERM: asks, then insists. down KILL: insists.
down() {
  local pid
  pid="$(running)" || return 0
  kill -s "$1" "$pid"
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  ! kill -0 "$pid" 2>/dev/null || kill -s KILL "$pid"
  rm -f "$pid_file"
}

case "${1:-}" in
  up) up ;;
  down) down TERM ;;
  kill) down KILL ;;
  status) running >/dev/null && answers "$port" && addresses || exit 3 ;;
  wipe)
    down TERM
    rm -rf "$home"
    ;;
  *)
    echo "usage: $0 up|down|kill|status|wipe" >&2
    exit 2
    ;;
esac
