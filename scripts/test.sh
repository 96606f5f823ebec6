#!/usr/bin/env bash
# All checks of the repository: types, lint, format, the whole test suite. Called by `npm test`; arguments go to jest.
# Every check runs even if one before it failed, so that one run shows everything that is wrong.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export PATH="$PWD/node_modules/.bin:$PATH"

failed=()

run() { # run NAME COMMAND...
  local name=$1
  shift
  echo "==> $name: $*"
  "$@" || failed+=("$name")
}

has_redis() { command -v redis-server >/dev/null; }

# Debian keeps the server programs of Postgres outside of PATH.
has_postgres() {
  local folder
  for folder in ${PATH//:/ } /usr/lib/postgresql/*/bin; do
    [[ -x $folder/initdb && -x $folder/postgres ]] && return 0
  done
  return 1
}

has_litecoin() { command -v litecoind >/dev/null; }

as_root=()
may_install() {
  command -v apt-get >/dev/null || return 1
  [[ $(id -u) == 0 ]] && return 0
  as_root=(sudo -n)
  command -v sudo >/dev/null && sudo -n true 2>/dev/null
}

# The integration tests start a real Redis, a real Postgres and a real node of the Bitcoin Core family (litecoind; bitcoind
# too where it is on the PATH) of their own: only the programs must be there.
ensure_servers() {
  local missing=()
  has_redis || missing+=(redis-server)
  has_postgres || missing+=(postgresql)
  has_litecoin || missing+=(litecoind)
  ((${#missing[@]} == 0)) && return 0

  if may_install; then
    echo "==> installing what the tests need: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    has_redis && has_postgres && has_litecoin && return 0
  fi
  cat >&2 <<EOF
The tests start a real Redis, Postgres and Litecoin node, and the programs are not here: ${missing[*]}
  Debian:  sudo apt-get install redis-server postgresql litecoind
  macOS:   brew install redis postgresql litecoin
Then run npm test again. Nothing needs to be running or configured: each test starts its own server.
EOF
  exit 1
}

# The example receivers in Python and Go. A person without them is told by the test, and the rest runs; CI must have them.
ensure_toolchains() {
  [[ ${CI:-} == true ]] || return 0
  local missing=()
  command -v go >/dev/null || missing+=(golang-go)
  python3 -c 'import cryptography' 2>/dev/null || missing+=(python3 python3-cryptography)
  ((${#missing[@]} == 0)) && return 0
  may_install || return 0
  echo "==> installing what the example receivers need: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

[[ -x node_modules/.bin/jest ]] || { echo "node_modules is missing or incomplete: run npm install first" >&2; exit 1; }
ensure_servers
ensure_toolchains
# The tests start heistwatch some hundred times: with its compiled code kept, each start takes half of the CPU.
export NODE_COMPILE_CACHE="$PWD/node_modules/.cache/heistwatch-compiled"
run typecheck npm run --silent typecheck
run lint npm run --silent lint
run format npm run --silent format:check
run jest npm run --silent jest -- "$@"

if ((${#failed[@]} > 0)); then
  echo "==> FAILED: ${failed[*]}"
  exit 1
fi
echo "==> all checks passed"
