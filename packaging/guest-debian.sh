#!/usr/bin/env bash
# A Debian system as people have it, for the tests to start by stock firmware: made by Debian's own
# tools (as root, once) into FOLDER/root.tar. guest-disk.sh makes the disk of it.
#   guest-debian.sh FOLDER
set -euo pipefail
folder=$1
mkdir -p "$folder"
rm -f "$folder/root.tar" "$folder/root.tar.part"
packages=linux-image-amd64,systemd-sysv,udev,dbus,login,kmod,iproute2,zstd
# Its password is empty, as on an installer's medium. /check is what the tests type.
mmdebstrap --mode=root --variant=minbase --components=main --include=$packages --format=tar \
  --aptopt='APT::Install-Recommends "false"' \
  --customize-hook='chroot "$1" passwd -d root' \
  --customize-hook='echo guest > "$1/etc/hostname"' \
  --customize-hook='echo "LABEL=root / ext4 defaults 0 1" > "$1/etc/fstab"' \
  --customize-hook='cat > "$1/check"; chmod 755 "$1/check"' \
  --customize-hook='echo "[ \"\$(tty)\" != /dev/tty1 ] || echo LOGGED IN > /dev/ttyS0" >> "$1/root/.profile"' \
  --customize-hook='rm -rf "$1"/usr/share/doc/* "$1"/usr/share/locale/* "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' \
  trixie "$folder/root.tar.part" <<'END'
#!/bin/sh
{
  dmesg | grep -iE 'ACPI.*(error|exception)|ACPI BIOS|firmware bug|BUG:|WARNING: CPU|can.t (claim|assign)|failed to assign|no space for|I/O error' | sed 's/^/COMPLAINT /'
  systemctl --failed --no-legend --plain | sed 's/^/COMPLAINT /'
  systemctl is-system-running --wait
  echo "CHECKED $(nproc) processors, $(findmnt -no SOURCE,FSTYPE /), $([ -d /sys/firmware/efi ] && echo UEFI || echo BIOS)"
} > /dev/ttyS0 2>&1
END
mv "$folder/root.tar.part" "$folder/root.tar"
