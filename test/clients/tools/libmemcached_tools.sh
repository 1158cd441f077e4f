#!/bin/sh
# libmemcached's command line tools. Each opens a connection of its own, so that none can sign in: a
# bound listener serves them.
server="$CLIENT_HOST:$CLIENT_BOUND_PORT"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# Debian calls them memccp, memccat, …; upstream memcp, memcat, ….
path_of() { command -v "memc$1" || command -v "mem$1"; }

# tool NAME ARGUMENT ...: runs one of the tools.
tool() {
  name=$1
  shift
  "$(path_of "$name")" --servers="$server" "$@"
}

for name in cp cat rm exist touch stat ping dump slap capable flush; do
  path_of "$name" >/dev/null || { printf 'missing\tlibmemcached-tools (mem%s)\n' "$name"; exit 0; }
done

# operation NAME COMMAND ...: says how the command went.
operation() {
  operation=$1
  shift
  if reason=$("$@" 2>&1); then
    printf 'passed\t%s\n' "$operation"
  else
    printf 'failed\t%s\t%s\n' "$operation" "$(printf %s "$reason" | tr '\n\t' '  ' | tail -c 300)"
  fi
}

# is KEY VALUE: has the item this value?
is() { [ "$(tool cat "$1" 2>/dev/null)" = "$2" ]; }

set_get() {
  printf value >key && tool cp key && is key value
}
large() {
  head -c 921600 /dev/urandom >large && tool cp large && tool cat --file=large.back large && cmp -n 921600 large large.back
}
flags_expiry() {
  printf 1 >flagged && tool cp --flag=7 --expire=1 flagged && is flagged 1 || return 1
  tool cat --flag flagged | grep -q 7 || return 1
  sleep 2.1
  is flagged ''
}
add_replace() {
  printf other >key
  tool cp --add key
  is key value && tool cp --replace key && is key other
}
exist() { tool exist key && ! tool exist not-there; }
touch_() { tool touch --expire=100 key && is key other; }
delete() { tool rm key && is key ''; }
stats() { tool stat | grep -q curr_items; }
listing() { tool dump | grep -q large; }
capable() {
  report=$("$(path_of capable)" -h "$CLIENT_HOST" -p "$CLIENT_BOUND_PORT" -a -t 5 2>&1)
  printf %s "$report" | grep '\[FAIL\]' && return 1
  printf %s "$report" | grep -q '\[pass\]'
}
flush() { tool flush && is large ''; }

printf 'version\t%s\n' "$(tool cat --version | grep -o '[0-9][0-9.]*[0-9]' | tail -1)"
operation 'set, get (memcp, memcat)' set_get
operation '900 KB' large
operation 'flags, expiry' flags_expiry
operation 'add, replace' add_replace
operation 'exist (memexist)' exist
operation 'touch (memtouch)' touch_
operation 'delete (memrm)' delete
operation 'stats (memstat)' stats
operation 'version (memping)' tool ping
operation 'listing (memdump)' listing
operation 'load: set (memslap)' tool slap --concurrency=4 --execute-number=50 --test=set
operation 'load: get (memslap)' tool slap --concurrency=4 --execute-number=50 --test=get
operation 'the text protocol (memcapable)' capable
operation 'flush (memflush)' flush
printf 'absent\tsign-in\n'
