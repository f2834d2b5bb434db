// SPDX-License-Identifier: MIT
#include <algorithm>
#include <bit>
#include <string_view>

#include "formats/partition/boot_sector.h"
#include "fs/identify_probe.h"
#include "fs/registry.h"

namespace vmfs {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

constexpr std::string_view filesystem = "filesystem";
constexpr std::string_view raid = "raid";
constexpr std::string_view crypto = "crypto";
constexpr std::string_view other = "other";

/// RAID metadata lies at the end of a disk; on anything as small as a floppy it is a coincidence.
constexpr std::uint64_t min_raid_size = 1440 * kib;

/// One way to know a volume: a magic number, a check of fields around it, or both.
struct Signature {
  std::string_view type;
  std::string_view usage;
  std::uint64_t offset = 0;  ///< bytes, of the magic number
  std::string_view magic;    ///< empty: `check` does it all
  bool (*check)(const Probe&) = nullptr;
  std::uint64_t min_size = 0;    ///< bytes of the volume
  std::uint64_t before_end = 0;  ///< not 0: the magic number is `offset` bytes into this last sector
};

// Feature bits of the ext superblock (fs/ext4/ext4.h): what ext3 knows, and what tells them apart.
constexpr std::uint64_t ext_incompat = 1024 + 96;
constexpr std::uint64_t ext_ro_compat = 1024 + 100;
constexpr std::uint64_t ext_compat = 1024 + 92;
constexpr std::uint64_t compat_has_journal = 0x4;
constexpr std::uint64_t incompat_recover = 0x4;
constexpr std::uint64_t incompat_journal_dev = 0x8;
constexpr std::uint64_t ext3_incompat = 0x2 | incompat_recover | 0x10;
constexpr std::uint64_t ext3_ro_compat = 0x7;

bool is_ext(const Probe& probe) {
  return probe.number<le32>(1024 + 24) < 256;  // s_log_block_size: the magic has two bytes only
}

bool is_jbd(const Probe& probe) {
  return is_ext(probe) && (probe.number<le32>(ext_incompat) & incompat_journal_dev) != 0;
}

bool is_ext4(const Probe& probe) {
  return is_ext(probe) && ((probe.number<le32>(ext_incompat) & ~ext3_incompat) != 0 ||
                           (probe.number<le32>(ext_ro_compat) & ~ext3_ro_compat) != 0);
}

bool is_ext3(const Probe& probe) {
  return is_ext(probe) && ((probe.number<le32>(ext_compat) & compat_has_journal) != 0 ||
                           (probe.number<le32>(ext_incompat) & incompat_recover) != 0);
}

template <BootSector Kind>
bool is_boot_sector(const Probe& probe) {
  const auto kind = identify_boot_sector(probe.volume());
  if (!kind) probe.keep_error(kind.error());
  return kind && *kind == Kind;
}

template <std::uint64_t Offset>
bool is_bcachefs(const Probe& probe) {
  return probe.number<le64>(Offset + 104) == Offset / 512;
}

template <std::uint64_t Offset>
bool is_reiserfs(const Probe& probe) {
  return probe.number<le16>(Offset + 44) >= 512;
}

bool is_jfs(const Probe& probe) {
  const std::uint64_t shift = probe.number<le16>(32 * kib + 20);
  return shift < 32 && probe.number<le32>(32 * kib + 16) == std::uint64_t{1} << shift;
}

/// HFS+ can be wrapped in HFS, which then says so.
bool wraps_hfsplus(const Probe& probe) {
  return probe.holds(kib + 124, "H+") || probe.holds(kib + 124, "HX");
}

bool is_hfs(const Probe& probe) {
  const std::uint64_t block = probe.number<be32>(kib + 20);
  return !wraps_hfsplus(probe) && block != 0 && block % 512 == 0;
}

bool is_hfsplus(const Probe& probe) {
  const std::uint64_t block = probe.number<be32>(kib + 40);
  return block >= 512 && std::has_single_bit(block);
}

template <std::uint64_t First>
bool is_gfs(const Probe& probe) {
  const std::uint64_t format = probe.number<be32>(64 * kib + 24);
  return First == 1309 ? format == First : format >= First && format < First + 100;
}

bool is_squashfs4(const Probe& probe) {
  return probe.number<le16>(28) >= 4;
}

bool is_befs(const Probe& probe) {
  return (probe.holds(32, "1SFB") && probe.holds(68, "\x31\x10\x12\xdd")) ||
         (probe.holds(32, "BFS1") && probe.holds(68, "\xdd\x12\x10\x31")) ||
         (probe.holds(544, "1SFB") && probe.holds(580, "\x31\x10\x12\xdd")) ||
         (probe.holds(544, "BFS1") && probe.holds(580, "\xdd\x12\x10\x31"));
}

bool is_nilfs2(const Probe& probe) {
  return probe.number<le32>(kib) == 2 && probe.number<le16>(kib + 8) <= kib &&
         probe.number<le32>(kib + 20) <= 6;
}

bool is_meta_scoutfs(const Probe& probe) {
  return (probe.number<le64>(64 * kib + 48) & 1) != 0;
}

/// In the order of libblkid, which is from the outer to the inner layer; but ext before FAT: boot code in the
/// first block can look like FAT, while mkfs.fat leaves nothing of an ext superblock.
constexpr Signature signatures[] = {
    {"linux_raid_member", raid, 0, "", is_linux_raid},
    {"ddf_raid_member", raid, 0, "", is_ddf_raid, 0x30000},
    {.type = "isw_raid_member", .usage = raid, .magic = "Intel Raid ISM Cfg Sig. ", .before_end = 2},
    {.type = "lsi_mega_raid_member", .usage = raid, .magic = "$XIDE$", .before_end = 1},
    {"silicon_medley_raid_member", raid, 0, "", is_silicon_raid},
    {.type = "nvidia_raid_member", .usage = raid, .magic = "NVIDIA  ", .before_end = 2},
    {"promise_fasttrack_raid_member", raid, 0, "", is_promise_raid},
    {"hpt45x_raid_member", raid, 0, "", is_highpoint_raid},
    {"hpt37x_raid_member", raid, 4640, "\xf0\x16\x78\x5a"},
    {"hpt37x_raid_member", raid, 4640, "\xfd\x16\x78\x5a"},
    {.type = "adaptec_raid_member",
     .usage = raid,
     .magic = "\x37\xfc\x4d\x1e",
     .check = [](const Probe& probe) { return probe.holds(probe.sectors_before_end(1) + 256, "DPTM"); },
     .before_end = 1},
    {"jmicron_raid_member", raid, 0, "", is_jmicron_raid},
    {"bcache", other, 4120, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81",
     [](const Probe& probe) { return probe.number<le64>(4104) == 8; }},
    {"bcachefs", filesystem, 4120, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81",
     is_bcachefs<4 * kib>},
    {"bcachefs", filesystem, 4120, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef",
     is_bcachefs<4 * kib>},
    {"bcachefs", filesystem, 2 * mib + 24, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef",
     is_bcachefs<2 * mib>},
    {"ceph_bluestore", other, 0, "bluestore block device"},
    {"drbd", raid, 0, "", is_drbd, 64 * kib},
    {"drbdmanage_control_volume", other, 0, "$DRBDmgr=q"},
    {"drbdproxy_datalog", filesystem, 0, "DRBDdlh*"},
    {"LVM2_member", raid, 0, "", is_lvm2},
    {"LVM1_member", raid, 0, "HM\1\0"sv},
    {"LVM1_member", raid, 0, "HM\2\0"sv},
    {"DM_snapshot_cow", other, 0, "SnAp"},
    {"DM_verity_hash", crypto, 0, "verity\0\0\1\0\0\0"sv},
    {"DM_integrity", crypto, 0, "integrt\0"sv},
    {"crypto_LUKS", crypto, 0, "LUKS\xba\xbe\0\1"sv},
    {"crypto_LUKS", crypto, 0, "LUKS\xba\xbe\0\2"sv},
    {"VMFS_volume_member", raid, mib, "\x0d\xd0\x01\xc0"},
    {"ubi", raid, 0, "UBI#\1"},
    {"vdo", other, 0, "dmvdo001"},
    {"stratis", raid, 516, "!Stra0tis\x86\xff\x02^\x41rh"},
    {"stratis", raid, 4612, "!Stra0tis\x86\xff\x02^\x41rh"},
    {"BitLocker", crypto, 0, "\xeb\x52\x90-FVE-FS-"},
    {"BitLocker", crypto, 0, "\xeb\x58\x90-FVE-FS-"},
    {"BitLocker", crypto, 0, "", is_bitlocker_to_go},

    {"jbd", other, 1080, "\x53\xef", is_jbd},
    {"ext4", filesystem, 1080, "\x53\xef", is_ext4},
    {"ext3", filesystem, 1080, "\x53\xef", is_ext3},
    {"ext2", filesystem, 1080, "\x53\xef", is_ext},
    {"xfs", filesystem, 0, "XFSB"},
    {"btrfs", filesystem, 64 * kib + 64, "_BHRfS_M"},
    {"ntfs", filesystem, 0, "", is_boot_sector<BootSector::ntfs>},
    {"exfat", filesystem, 0, "", is_boot_sector<BootSector::exfat>},
    {"vfat", filesystem, 0, "", is_boot_sector<BootSector::vfat>},
    {"swsuspend", other, 0, "", is_suspended_swap, 40 * kib},
    {"swap", other, 0, "", is_swap, 40 * kib},
    {"xfs_external_log", other, 0, "", is_xfs_log, 10 * mib},
    {"reiserfs", filesystem, 8 * kib + 52, "ReIsErFs", is_reiserfs<8 * kib>},
    {"reiserfs", filesystem, 64 * kib + 52, "ReIsEr2Fs", is_reiserfs<64 * kib>},
    {"reiserfs", filesystem, 64 * kib + 52, "ReIsEr3Fs", is_reiserfs<64 * kib>},
    {"reiserfs", filesystem, 64 * kib + 52, "ReIsErFs", is_reiserfs<64 * kib>},
    {"reiser4", filesystem, 64 * kib, "ReIsEr4"},
    {"jfs", filesystem, 32 * kib, "JFS1", is_jfs},
    {"udf", filesystem, 0, "", is_udf},
    {"iso9660", filesystem, 32 * kib + 1, "CD001"},
    {"iso9660", filesystem, 32 * kib + 9, "CDROM"},
    {"zfs_member", filesystem, 0, "", is_zfs, 64 * mib},
    {"hfsplus", filesystem, kib, "BD", wraps_hfsplus},
    {"hfsplus", filesystem, kib, "H+", is_hfsplus},
    {"hfsplus", filesystem, kib, "HX", is_hfsplus},
    {"hfs", filesystem, kib, "BD", is_hfs},
    {"ufs", filesystem, 0, "", is_ufs},
    {"hpfs", filesystem, 8 * kib, "\x49\xe8\x95\xf9",
     [](const Probe& probe) { return probe.holds(8704, "\x49\x18\x91\xf9"); }},
    {"sysv", filesystem, 0, "", is_sysv},
    {"xenix", filesystem, 2 * kib, "\x2b\x55\x44"},
    {"xenix", filesystem, 2 * kib, "\x44\x55\x2b"},
    {"ReFS", filesystem, 0, "\0\0\0ReFS\0"sv},
    {"cramfs", filesystem, 0, "\x45\x3d\xcd\x28"},
    {"cramfs", filesystem, 0, "\x28\xcd\x3d\x45"},
    {"romfs", filesystem, 0, "-rom1fs-"},
    {"scoutfs_meta", filesystem, 64 * kib + 4, "\x8b\x42\x3c\x10", is_meta_scoutfs},
    {"scoutfs_data", filesystem, 64 * kib + 4, "\x8b\x42\x3c\x10"},
    {"erofs", filesystem, kib, "\xe2\xe1\xf5\xe0",
     [](const Probe& probe) {
       const std::uint64_t shift = probe.number<std::uint8_t>(kib + 12);
       return shift >= 9 && shift <= 16;
     }},
    {"minix", filesystem, 0, "", is_minix},
    {"gfs", filesystem, 64 * kib, "\x01\x16\x19\x70", is_gfs<1309>},
    {"gfs2", filesystem, 64 * kib, "\x01\x16\x19\x70", is_gfs<1800>},
    {"ocfs", filesystem, 8 * kib, "OracleCFS"},
    {"ocfs2", filesystem, kib, "OCFSV2"},
    {"ocfs2", filesystem, 2 * kib, "OCFSV2"},
    {"ocfs2", filesystem, 4 * kib, "OCFSV2"},
    {"ocfs2", filesystem, 8 * kib, "OCFSV2"},
    {"oracleasm", filesystem, 32, "ORCLDISK"},
    {"vxfs", filesystem, kib, "\xf5\xfc\x01\xa5"},
    {"vxfs", filesystem, 8 * kib, "\xa5\x01\xfc\xf5"},
    {"squashfs", filesystem, 0, "hsqs", is_squashfs4},
    {"squashfs3", filesystem, 0, "hsqs"},
    {"squashfs3", filesystem, 0, "sqsh"},
    {"nss", filesystem, 4 * kib, "SPB5"},
    {"ubifs", filesystem, 0, "\x31\x18\x10\x06"},
    {"bfs", filesystem, 0, "\xce\xfa\xad\x1b"},
    {"VMFS", filesystem, 2 * mib, "\x5e\xf1\xab\x2f"},
    {"befs", filesystem, 0, "", is_befs},
    {"nilfs2", filesystem, kib + 6, "\x34\x34", is_nilfs2, mib},
    {"f2fs", filesystem, kib, "\x10\x20\xf5\xf2"},
    {"mpool", filesystem, 0, "mpoolDev"},
    {"apfs", filesystem, 32, "NXSB", [](const Probe& probe) { return probe.number<le32>(36) == 4096; }},
    {"zonefs", filesystem, 0, "SFOZ"},
};

bool matches(const Probe& probe, const Signature& signature) {
  if (probe.size() < signature.min_size) return false;
  if (signature.usage == raid && probe.size() <= min_raid_size) return false;
  const std::uint64_t start = signature.before_end != 0 ? probe.sectors_before_end(signature.before_end) : 0;
  if (!signature.magic.empty() && !probe.holds(start + signature.offset, signature.magic)) return false;
  return signature.check == nullptr || signature.check(probe);
}

}  // namespace

Result<std::optional<VolumeIdentity>> identify_volume(const Source& volume) {
  if (volume.size() <= kib) return std::optional<VolumeIdentity>{};
  const Probe probe(volume);
  if (probe.error()) return std::unexpected(*probe.error());
  const auto* const found =
      std::ranges::find_if(signatures, [&](const Signature& signature) { return matches(probe, signature); });
  if (found == std::end(signatures)) {
    if (probe.error()) return std::unexpected(*probe.error());
    return std::optional<VolumeIdentity>{};
  }
  return VolumeIdentity{.type = std::string(found->type),
                        .usage = std::string(found->usage),
                        .readable = has_reader(found->type)};
}

}  // namespace vmfs
