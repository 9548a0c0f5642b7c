#!/bin/sh
# The rig from a shell: kafka.sh up 3, kafka.sh kill 2, kafka.sh down, …
set -eu
cd "$(dirname "$0")/../.."
exec go run ./kafka/rig/kafkarig "$@"
