# shellcheck shell=bash
# What each step needs, and its installation; sourced by quickstart.sh and tests/run.sh.

packages_for() {
  case $1 in
    build) echo g++ cmake ninja-build pkg-config libfuse3-dev fuse3 libext2fs-dev comerr-dev libqcow-dev libcli11-dev \
      nlohmann-json3-dev libfmt-dev libdeflate-dev libzstd-dev nettle-dev libseccomp-dev libcap-dev uidmap ;;
    image) echo mmdebstrap uidmap e2fsprogs fdisk qemu-utils ;; # an image of a real Debian
    test) echo libgtest-dev libgmock-dev libssl-dev clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev shellcheck \
      passt iproute2 xfsprogs gdisk attr acl libarchive-tools xz-utils zstd bzip2 unzip python3 util-linux mount procps \
      jq sqlite3 dosfstools mtools exfatprogs ntfs-3g btrfs-progs f2fs-tools erofs-utils squashfs-tools cryptsetup-bin lvm2 \
      thin-provisioning-tools fuse-overlayfs fuse2fs strace ;;
    vm) echo qemu-system-x86 seabios ipxe-qemu ;; # tests/vm.sh
    bench) echo fuse2fs libqcow-utils qemu-system-common qemu-utils xfsprogs fio strace valgrind crun bubblewrap podman python3 \
      python3-matplotlib ;;
  esac
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

# install_packages build|image|test...: installs what is missing; root is asked for through sudo only if something is.
install_packages() {
  local step missing=() as_root=()
  for step in "$@"; do
    # shellcheck disable=SC2046 # a list of words
    mapfile -t -O ${#missing[@]} missing < <(missing_packages $(packages_for "$step"))
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { printf 'missing, and no sudo to install it: %s\n' "${missing[*]}" >&2; return 1; }
    as_root=(sudo)
  fi
  printf 'installing %s\n' "${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
