#!/bin/bash
# The agent's tests under the name scripts/test looks for; what they do is in agent_test.py.
set -euo pipefail
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  echo "Usage: tests/agent/agent_test.sh [TEST…]   unit tests of mgmt/agent; no root, no network but loopback"
  exit 0
fi
for tool in busybox python3; do
  command -v "$tool" >/dev/null || { echo "agent_test: '$tool' is missing: run scripts/setup (packages busybox-static, python3)." >&2; exit 1; }
done
exec python3 "$(dirname "${BASH_SOURCE[0]}")/agent_test.py" "$@"
