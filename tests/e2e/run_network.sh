#!/usr/bin/env bash
# The three networks of a container: what it reaches, what reaches it, what it must not reach.
# needs: debian
# alone with: containers
# timeout: 120
# shellcheck disable=SC2016 # the inner shells and perl expand
set -euo pipefail
. "$VMFS_SOURCE/tests/run_lib.sh"
need pasta python3 ip pgrep

# reach ADDRESS PORT: "yes" or "no", by perl, which every Debian has
reach='$s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 2); print $s ? "yes" : "no"'
reach() { vmfs run "${@:3}" "$image" perl -MIO::Socket::INET -e "$reach" "$1" "$2"; }
carriers() { pgrep -u "$(as_user id -u)" -f '^pasta --config-net' || true; }
no_carrier() { [ -z "$(carriers)" ]; }

# a service on the machine: on its loopback, and on all addresses
serve() {
    python3 -c 'import socket, sys
s = socket.create_server((sys.argv[1], 0)); print(s.getsockname()[1], flush=True)
while True: s.accept()[0].close()' "$1" >"$scratch/port.$1" &
    on_exit kill "$!"
    wait_until test -s "$scratch/port.$1"
}
serve 127.0.0.1
port=$(cat "$scratch/port.127.0.0.1")

# none: itself alone
transcript 0 lo vmfs run --network none "$image" ls /sys/class/net
[ "$(reach 127.0.0.1 "$port" --network none)" = no ] || fail 'none: the machine'
transcript 0 yes vmfs run --network none "$image" perl -MIO::Socket::INET -e \
    '$l = IO::Socket::INET->new(Listen => 1) or die; print IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $l->sockport) ? "yes" : "no"'

# host: the machine's own
[ "$(reach 127.0.0.1 "$port" --network host)" = yes ] || fail 'host: the machine'
[ "$(vmfs run --network host "$image" ls /sys/class/net)" = "$(ls /sys/class/net)" ] || fail 'host: other interfaces'
transcript fails '*' vmfs run --network host "$image" sh -c 'echo 1 >/sys/class/net/lo/mtu'
transcript fails '*' vmfs run --network host --cap-add ALL "$image" sh -c 'mount -o remount,rw /sys && echo 1 >/sys/kernel/mm/ksm/run'
cmp <(vmfs run --network host "$image" cat /etc/resolv.conf) /etc/resolv.conf || fail 'host: other resolvers'

# pasta, the default: out, and in where -p says so; never to the loopback of the machine, by whatever address
transcript 0 "*lo*" vmfs run "$image" ls /sys/class/net
gateway=$(ip -4 route show default | awk '{ print $3; exit }')
address=$(ip -4 route get 192.0.2.254 | sed -n 's/.* src \([0-9.]*\).*/\1/p')
for target in 127.0.0.1 "$gateway" "$address"; do
    [ "$(reach "$target" "$port")" = no ] || fail "pasta: reached the machine's loopback as $target"
done
transcript 0 '*nameserver*' vmfs run "$image" cat /etc/resolv.conf
# free ports, as far as one can know
mapfile -t free < <(python3 -c 'import socket
for s in [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]: print(s.getsockname()[1])')
listen='$l = IO::Socket::INET->new(Listen => 1, LocalPort => 80) or die; print STDERR "up\n"; $c = $l->accept; print $c "inside"'
start run -p "127.0.0.1:${free[0]}:80" "$image" perl -MIO::Socket::INET -e "$listen" 2>"$scratch/up"
wait_until grep -q up "$scratch/up"
[ "$(as_user bash -c "cat </dev/tcp/127.0.0.1/${free[0]}")" = inside ] || fail 'pasta: -p'
ended 0
wait_until no_carrier
transcript 125 'vmfs: pasta: *' vmfs run -p "127.0.0.1:$port:80" "$image" true
transcript 125 'vmfs: -p x: *' vmfs run -p x "$image" true
transcript 125 'vmfs: -p 1-2:3: *' vmfs run -p 1-2:3 "$image" true
transcript 125 'vmfs: -p goes with --network pasta only' vmfs run --network none -p 80:80 "$image" true
transcript 125 'vmfs: --network odd: *' vmfs run --network odd "$image" true
wait_until no_carrier

# whatever ends a container ends what carried its packets
for role in launcher server init; do
    start run "$image" sh -c 'echo up >&2; sleep 60' 2>"$scratch/up"
    wait_until grep -q up "$scratch/up"
    [ -n "$(carriers)" ] || fail 'no pasta'
    case $role in
    launcher) kill -KILL "$started" ;;
    server) kill -KILL "$(pgrep -P "$(pgrep -P "$started" -x vmfs-keeper)" -x vmfs)" ;;
    init) kill -KILL "$(pgrep -P "$started" -x vmfs-init)" ;;
    esac
    wait "$!" || true
    wait_until no_carrier
done

# without pasta: said, or refused where it was asked for
mkdir "$scratch/bin"
for tool in newuidmap newgidmap; do ln -s "$(command -v "$tool")" "$scratch/bin/$tool"; done
transcript 0 $'vmfs: warning: the container has no network: pasta is not installed*\nlo' \
    as_user env PATH="$scratch/bin" "$VMFS" run "$image" ls /sys/class/net
transcript 125 'vmfs: --network pasta needs pasta, which is not installed*' \
    as_user env PATH="$scratch/bin" "$VMFS" run --network pasta "$image" true
transcript 125 'vmfs: -p needs pasta*' as_user env PATH="$scratch/bin" "$VMFS" run -p 80:80 "$image" true
transcript 0 lo as_user env PATH="$scratch/bin" "$VMFS" run --network none "$image" ls /sys/class/net
wait_until all_gone
