#!/usr/bin/env bash
# A disc (and disk) that both kinds of firmware start GRUB from, with the Linux guest of these tests.
#   guest-cd.sh KERNEL INITRD OUTPUT
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/boot/grub"
cp "$1" "$folder/vmlinuz"
cp "$2" "$folder/initrd"
# GRUB waits for a key: that one comes is part of the test.
cat > "$folder/boot/grub/grub.cfg" <<'END'
serial --unit=0 --speed=115200
terminal_input console
terminal_output console serial
set timeout=-1
for test in off reboot screen plug; do
  menuentry "Guest $test" $test {
    linux /vmlinuz console=tty0 console=ttyS0 quiet panic=-1 tsc=nowatchdog test=$2
    initrd /initrd
  }
done
END
exec grub-mkrescue -o "$3" "$folder"
