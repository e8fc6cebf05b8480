#!/usr/bin/env bash
# Run the suite several times beside processes that keep the processors busy: a test that waits on time fails here.
# Usage: scripts/busy_suite.sh [times, default 3] [busy processes, default 2] [words for pytest ...]
set -euo pipefail
cd "$(dirname "$0")/.."
times=${1:-3} busy=${2:-2}
shift $(($# < 2 ? $# : 2))
spinning=()
trap 'kill "${spinning[@]}"' EXIT
for ((i = 0; i < busy; i++)); do
  while :; do :; done &
  spinning+=($!)
done
for ((i = 1; i <= times; i++)); do
  echo "time $i of $times, beside $busy busy processes"
  uv run pytest "$@"
done
