#!/usr/bin/env bash
# The disk of the tests' Debian system: GPT with a BIOS boot partition, an EFI system partition and
# the root, and stock GRUB for both kinds of firmware. Needs no rights and no loop devices.
#   guest-disk.sh FOLDER   (with root.tar)  ->  FOLDER/disk.qcow2
set -euo pipefail
cd "$1"
work=$(mktemp -d "$PWD/part.XXXXXX")
trap 'rm -rf "$work"' EXIT
MIB=2048 # in sectors
esp=$((2 * MIB)) esp_size=$((16 * MIB)) root=$((18 * MIB)) root_size=$((1500 * MIB))
truncate -s 1536M "$work/disk"
sfdisk -q "$work/disk" <<END
label: gpt
start=$MIB, size=$MIB, type=21686148-6449-6E6F-744E-656564454649
start=$esp, size=$esp_size, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
start=$root, size=$root_size, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
END

mke2fs -q -t ext4 -L root -d root.tar "$work/root" $((root_size / 2))K
dd if="$work/root" of="$work/disk" bs=1M seek=18 conv=notrunc,sparse status=none

# What finds the root; its menu is in the system itself, as on every Debian. Where the tests run all is
# 10 to 30 times slower: limits that mean a fault on hardware (90 s for a device, 20 s for a processor)
# would only mean a slow minute there.
cat > "$work/early.cfg" <<'END'
search --no-floppy --label root --set root
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg
END
cat > "$work/grub.cfg" <<'END'
set timeout=1
terminal_output console
menuentry "Debian" {
  set patient="watchdog_thresh=60 systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900"
  linux /vmlinuz root=LABEL=root ro quiet console=tty0 console=ttyS0 $patient
  initrd /initrd.img
}
END
debugfs -w -R 'mkdir /boot/grub' "$work/root" 2> /dev/null
debugfs -w -R "write $work/grub.cfg /boot/grub/grub.cfg" "$work/root" 2> /dev/null
dd if="$work/root" of="$work/disk" bs=1M seek=18 conv=notrunc,sparse status=none

modules='part_gpt ext2 search search_label configfile normal linux echo test'
# shellcheck disable=SC2086
grub-mkimage -O i386-pc -p /boot/grub -c "$work/early.cfg" -o "$work/core.img" biosdisk $modules
# shellcheck disable=SC2086
grub-mkimage -O x86_64-efi -p /boot/grub -c "$work/early.cfg" -o "$work/grub.efi" $modules
truncate -s 16M "$work/esp"
mformat -i "$work/esp" ::
mmd -i "$work/esp" ::/EFI ::/EFI/BOOT
mcopy -i "$work/esp" "$work/grub.efi" ::/EFI/BOOT/BOOTX64.EFI
dd if="$work/esp" of="$work/disk" bs=1M seek=2 conv=notrunc,sparse status=none

# As grub-install does it: the boot sector says where the core lies, and the core where its rest.
le() { printf "$(printf '\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"; }
poke() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
cp /usr/lib/grub/i386-pc/boot.img "$work/boot.img"
le $MIB | poke "$work/boot.img" $((0x5c))
dd if="$work/boot.img" of="$work/disk" bs=1 count=440 conv=notrunc status=none
le $((MIB + 1)) | poke "$work/core.img" $((512 - 12))
dd if="$work/core.img" of="$work/disk" bs=512 seek=$MIB conv=notrunc status=none
qemu-img convert -O qcow2 "$work/disk" "$work/disk.qcow2"
mv "$work/disk.qcow2" disk.qcow2
