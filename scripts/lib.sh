# What the scripts share. Sourced, never run.
# shellcheck shell=bash

top=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # used by those that source this
regionfs=$top/scripts/regionfs

# The same sorting, messages and file names whatever the caller's locale.
export LC_ALL=C.UTF-8

# Says what is being done, on stderr, so that a command's own output stays clean.
say() { printf '== %s\n' "$*" >&2; }

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Ends the script with 2 and how to call it.
usage_error() {
  printf '%s: %s (see %s --help)\n' "${0##*/}" "$*" "${0##*/}" >&2
  exit 2
}

# Removes a directory of lent memory with the filesystems that nodes mounted in it for their files.
remove_memory() {
  local mounted
  while read -r mounted; do umount -l -- "$(printf '%b' "$mounted")" || true; done < <(
    awk -v below="$1/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo
  )
  rm -rf --one-file-system -- "$1"
}

is_root() { [ "$(id -u)" = 0 ]; }

# Runs a command until it succeeds, at most so many seconds.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.05
  done
}

# Prints a command, then runs it: what the user sees is what happens.
show() {
  printf '$ %s\n' "$*"
  "$@"
}

# Ends the script unless it runs as root, saying what for.
require_root() { is_root || fail "$1: run it as root"; }

# apt_install PACKAGE...: installs Debian packages, by sudo for who is not root. One at a time on a machine: apt itself gives up.
apt_install() {
  local sudo=() log lock=/dev/null
  command -v apt-get >/dev/null || fail "this is no Debian: install what corresponds to $*"
  if is_root; then
    lock=/run/lock/regionfs-packages
  else
    command -v sudo >/dev/null || fail "missing; as root: apt-get install $*"
    sudo=(sudo)
  fi
  say "installing $*"
  log=$(mktemp)
  if ! (
    { ! is_root || flock -w 900 9; } &&
      "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
      "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
  ) </dev/null >"$log" 2>&1 9>"$lock"; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get failed: see above"
  fi
  rm -f "$log"
}

# need_packages WHAT:PACKAGE …: installs the Debian package of each command, or file by its absolute path, that is missing.
need_packages() {
  local pair wanted=()
  for pair in "$@"; do
    case $pair in
      /*) compgen -G "${pair%%:*}" >/dev/null || wanted+=("${pair#*:}") ;;
      *) command -v "${pair%%:*}" >/dev/null || wanted+=("${pair#*:}") ;;
    esac
  done
  [ "${#wanted[@]}" -eq 0 ] || apt_install "${wanted[@]}"
}

# The processors this process may use, one a line.
processors() {
  local part
  for part in $(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status | tr ',' ' '); do
    seq "${part%-*}" "${part#*-}"
  done
}
