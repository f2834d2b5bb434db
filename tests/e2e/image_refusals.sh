#!/usr/bin/env bash
# What must be refused is refused with the right error and says why; what must be warned of is.
# needs: qcow2
# timeout: 60
set -euo pipefail
work=$(mktemp -d)
writer=
cleanup() {
  [ -z "$writer" ] || kill "$writer" 2>/dev/null || true
  chmod -R u+rwx "$work"
  rm -rf "$work"
}
trap cleanup EXIT
imgdump=$VMFS_TOOLS/imgdump
cd "$work"
count=0 failed=0

wrong() {
  echo "FAILED $1: $(cat errors)"
  failed=$((failed + 1))
}

# refused ERRNO TEXT IMGDUMP_ARGUMENT...
refused() {
  count=$((count + 1))
  if "$imgdump" "${@:3}" >output 2>errors; then
    wrong "${*:3} was accepted"
  elif ! grep -q "^$1: .*$2" errors; then
    wrong "${*:3} lacks '$1: ... $2'"
  fi
}

# warned TEXT IMGDUMP_ARGUMENT...
warned() {
  count=$((count + 1))
  "$imgdump" "${@:2}" >output 2>errors || wrong "${*:2} was refused"
  grep -q "^warning: .*$1" errors || wrong "${*:2} lacks the warning '$1'"
}

# silent IMGDUMP_ARGUMENT...
silent() {
  count=$((count + 1))
  "$imgdump" "$@" >output 2>errors || wrong "$* was refused"
  [ ! -s errors ] || wrong "$* was warned of"
}

create() { qemu-img create -q "$@"; }
# patch FILE OFFSET ESCAPED_BYTES
patch() { printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# Formats that are known but not read.
for format in vmdk vdi vhdx vpc qed parallels; do
  create -f "$format" "image.$format" 4M
  refused EOPNOTSUPP "$format.*qemu-img convert" "image.$format"
done
create -f vpc -o subformat=fixed fixed.img 4M
refused EOPNOTSUPP 'vhd' fixed.img
create -f vmdk -o subformat=monolithicFlat flat.vmdk 1M
refused EOPNOTSUPP 'vmdk' flat.vmdk
truncate -s 1M disk.raw
for packer in 'gzip gz gunzip' 'xz xz unxz' 'zstd zst unzstd' 'bzip2 bz2 bunzip2'; do
  read -r pack extension unpack <<<"$packer"
  "$pack" -q -c disk.raw >"packed.$extension"
  refused EOPNOTSUPP "$pack.*$unpack" "packed.$extension"
  cp "packed.$extension" packed.img
  refused EOPNOTSUPP "$pack.*$unpack" packed.img
done
# Never raw under a name that says otherwise; raw if the user says so.
for extension in qcow2 vmdk vhd vhdx vdi; do
  cp disk.raw "named.$extension"
  refused EINVAL "named .$extension" "named.$extension"
  silent --format raw "named.$extension"
done
refused EOPNOTSUPP "format 'vmdk'" --format vmdk disk.raw
refused EUCLEAN 'magic' --format qcow2 disk.raw
refused EOPNOTSUPP 'no snapshots' --snapshot 1 disk.raw
refused EINVAL 'not a regular file' /dev/null
refused EINVAL 'not a regular file' .
mkfifo fifo
refused EINVAL 'not a regular file' fifo
refused ENOENT 'absent.qcow2' absent.qcow2

create -f qcow2 good.qcow2 1M
cp good.qcow2 disguised.raw
warned 'begins like qcow2' disguised.raw
cp good.qcow2 v4.qcow2 && patch v4.qcow2 7 '\x04'
refused EOPNOTSUPP 'version 4' v4.qcow2
cp good.qcow2 luks.qcow2 && patch luks.qcow2 35 '\x02'
refused EOPNOTSUPP 'LUKS' luks.qcow2
cp good.qcow2 dirty.qcow2 && patch dirty.qcow2 79 '\x01'
warned 'not closed cleanly' dirty.qcow2
cp good.qcow2 corrupt.qcow2 && patch corrupt.qcow2 79 '\x02'
warned 'marked corrupt' corrupt.qcow2
cp good.qcow2 unknown.qcow2 && patch unknown.qcow2 72 '\x80'
refused EOPNOTSUPP 'bit 63' unknown.qcow2
# The feature name table's first entry (dirty bit) renamed to speak of bit 40.
cp good.qcow2 named-bit.qcow2 && patch named-bit.qcow2 74 '\x01'
table=$(LC_ALL=C grep -obUaP '\x68\x03\xf8\x57' good.qcow2 | head -1 | cut -d: -f1)
patch named-bit.qcow2 $((table + 9)) '\x28warp drive\x00'
refused EOPNOTSUPP 'warp drive' named-bit.qcow2
refused ENOKEY 'password' "$VMFS_FIXTURES/qcow2/aes.qcow2"
# What libqcow reads wrong.
truncate -s 1M plain.raw
for format in qcow qcow2; do
  qemu-img create -q --object secret,id=key,data=geheim -f "$format" -b plain.raw -F raw \
    -o encrypt.format=aes,encrypt.key-secret=key "aes-backed.$format" 1M
  refused EOPNOTSUPP 'AES and has a backing file' --password geheim "aes-backed.$format"
done
cp "$VMFS_FIXTURES/qcow2/aes.qcow2" aes-snapshot.qcow2
qemu-img snapshot --image-opts -c one \
  driver=qcow2,encrypt.format=aes,encrypt.key-secret=key,file.filename=aes-snapshot.qcow2 \
  --object secret,id=key,data=geheim 2>/dev/null
refused EOPNOTSUPP 'snapshots of an image' --password geheim --snapshot 1 aes-snapshot.qcow2
refused ENOENT 'no snapshot.*nope.*second' --snapshot nope "$VMFS_FIXTURES/qcow2/snapshots.qcow2"

# Chains.
backed() { # backed NAME BACKING FORMAT
  create -u -f qcow2 -b "$2" -F "$3" "$1" 1M
}
backed absent-base.qcow2 gone.raw raw
refused ENOENT "absent-base.qcow2: .*backing file 'gone.raw'.*No such file" absent-base.qcow2
backed json.qcow2 'json:{"driver":"null-co"}' raw
refused EOPNOTSUPP 'protocol json:' json.qcow2
backed nbd.qcow2 nbd://localhost/x raw
refused EOPNOTSUPP 'protocol nbd:' nbd.qcow2
backed device.qcow2 /dev/null raw
refused EINVAL 'not a regular file' device.qcow2
backed fifo.qcow2 fifo raw
refused EINVAL 'not a regular file' fifo.qcow2
for name in . /proc/self/environ /sys/kernel/uevent_seqnum /dev/tty; do
  backed odd.qcow2 "$name" raw
  refused EINVAL 'not a regular file' odd.qcow2
done
for device in /dev/loop0 /dev/vda /dev/sda; do
  if [ -b "$device" ]; then
    backed odd.qcow2 "$device" raw
    refused EINVAL 'not a regular file' odd.qcow2
    break
  fi
done
ln -s fifo link-to-fifo
backed odd.qcow2 link-to-fifo raw
refused EINVAL 'not a regular file' odd.qcow2
backed strange.qcow2 disk.raw vmdk
refused EOPNOTSUPP "format 'vmdk'" strange.qcow2
backed self.new self.qcow2 qcow2
mv self.new self.qcow2
refused ELOOP 'self.qcow2' self.qcow2
backed cycle-a.qcow2 cycle-b.qcow2 qcow2
backed cycle-b.qcow2 cycle-a.qcow2 qcow2
refused ELOOP 'cycle-a.qcow2' cycle-a.qcow2
backed deep-1.qcow2 disk.raw raw
for i in $(seq 2 16); do backed "deep-$i.qcow2" "deep-$((i - 1)).qcow2" qcow2; done
silent deep-15.qcow2
refused ELOOP 'more than 16' deep-16.qcow2
backed link-0000.qcow2 link-next.qcow2 qcow2
python3 - <<'END'
image = open('link-0000.qcow2', 'rb').read()
for number in range(1000):
    name = b'link-%04d.qcow2' % (number + 1)
    open('link-%04d.qcow2' % number, 'wb').write(image.replace(b'link-next.qcow2', name))
END
refused ELOOP 'more than 16' link-0000.qcow2
warned 'does not say the format.*taken as qcow2' "$VMFS_FIXTURES/qcow2/over-unsaid.qcow2"

# Whoever says raw gets raw, even if a guest wrote a header there.
backed as-raw.qcow2 "$VMFS_FIXTURES/qcow2/v2.qcow2" raw
silent as-raw.qcow2
cmp -n 4 output "$VMFS_FIXTURES/qcow2/v2.qcow2"

# Policy.
backed plain.qcow2 disk.raw raw
refused EPERM 'not to be opened' --no-backing plain.qcow2
mkdir allowed
refused ENOENT 'allowed/disk.raw' --backing-dir allowed plain.qcow2
cp disk.raw allowed
silent --backing-dir allowed plain.qcow2
create -f qcow2 -o data_file=data.bin data.qcow2 1M
refused EPERM "data file 'data.bin'" --no-backing data.qcow2
rm data.bin
refused ENOENT "data.qcow2: .*data file 'data.bin'" data.qcow2
mkfifo data.bin
refused EINVAL "data file 'data.bin': .*not a regular file" data.qcow2
rm data.bin
ln -s /dev/zero data.bin
refused EINVAL "data file 'data.bin': .*not a regular file" data.qcow2
if [ "$(id -u)" = 0 ]; then
  # A stranger's image that names what the stranger cannot read: by the file's own mode, by a folder's.
  chmod 755 .
  mkdir -m 755 stranger secret-folder
  echo secret >secret-folder/open.raw
  echo secret >stranger/closed.raw
  chmod 600 stranger/closed.raw
  chmod 700 secret-folder
  backed stranger/mode.qcow2 closed.raw raw
  backed stranger/folder.qcow2 ../secret-folder/open.raw raw
  backed stranger/fine.qcow2 ../disk.raw raw
  backed stranger/shadow.qcow2 /etc/shadow raw
  ln -s /etc/shadow stranger/link
  backed stranger/link.qcow2 link raw
  chown -R 12345:12345 stranger
  chown 0:0 stranger/closed.raw
  refused EPERM 'may not read it' stranger/mode.qcow2
  refused EPERM 'may not read it' stranger/folder.qcow2
  refused EPERM 'may not read it' stranger/shadow.qcow2
  refused EPERM 'may not read it' stranger/link.qcow2
  silent stranger/fine.qcow2
fi

# An image that QEMU has open for writing; reading only is no reason to warn.
open_by_qemu() { # open_by_qemu QEMU_IO_OPTION...: until file descriptor 9 is closed
  rm -f orders answers
  mkfifo orders
  qemu-io "$@" -f qcow2 good.qcow2 <orders >answers 2>&1 &
  writer=$!
  exec 9>orders
  echo 'read 0 512' >&9
  for _ in $(seq 100); do
    if grep -q 'read 512' answers; then return; fi
    sleep 0.05
  done
}
close_by_qemu() {
  exec 9>&-
  wait "$writer"
  writer=
}
open_by_qemu -r
silent good.qcow2
close_by_qemu
open_by_qemu
warned 'open for writing' good.qcow2
close_by_qemu
silent good.qcow2

echo "$count cases, $failed failed"
[ "$failed" = 0 ] && [ "$count" -gt 50 ]
