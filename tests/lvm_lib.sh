# shellcheck shell=bash
# shellcheck disable=SC2154 # what lib.sh sets
# What the fixtures with LVM share. Use: . "$VMFS_SOURCE/tests/lvm_lib.sh", after lib.sh.

# lvm_on DEVICE...: the tools of LVM see these devices alone, and nothing of the host's own LVM takes part.
lvm_on() {
    local devices
    printf -v devices '%s|' "$@"
    export LVM_SYSTEM_DIR=$scratch/lvm LVM_SUPPRESS_FD_WARNINGS=1
    mkdir "$LVM_SYSTEM_DIR"
    cat >"$LVM_SYSTEM_DIR/lvm.conf" <<EOF
devices { scan = ["/dev"] use_devicesfile = 0 md_component_detection = 0 global_filter = ["a|^(${devices%|})\$|", "r|.*|"] }
backup { backup = 0 archive = 0 }
activation { monitoring = 0 }
EOF
}

# Runs a tool of LVM without device mapper.
lvm_tool() {
    "$1" --driverloaded n "${@:2}" >"$scratch/log" 2>&1 || fail "$*: $(cat "$scratch/log")"
}
