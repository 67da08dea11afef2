#!/bin/busybox sh
# The first program of the Linux guest of the tests in the box. test=NAME on the kernel's command
# line says what to do.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for word in $(cat /proc/cmdline); do
  case $word in test=*) test=${word#test=} ;; esac
done
load() {
  while read -r module; do
    for name; do case $module in "$name".ko) insmod "/lib/$module" || echo "FAILED to load $module" ;; esac; done
  done < /modules
}
load_all() { while read -r module; do insmod "/lib/$module" 2> /dev/null; done < /modules; }
load_sata() {
  load scsi_common scsi_mod crc-t10dif crc64 libata libahci ahci sd_mod cdrom sr_mod isofs
  while [ ! -b /dev/sr0 ]; do sleep 0.1; done
}
sata_name() { # the disk on port $1
  until name=$(ls -d /sys/bus/pci/drivers/ahci/*/ata"$1"/host*/target*/*/block/* 2> /dev/null); do sleep 0.1; done
  echo "${name##*/}"
}
wait_event() {
  until grep -q "$1" /tmp/events; do sleep 0.1; done
  : > /tmp/events
}
sata_complaints() { dmesg | grep -iE 'exception|I/O error|failed command|hard resetting|firmware bug' | sed 's/^/COMPLAINT /'; }
tell_events() { # of input device $1, each with its name $2
  while dd bs=24 count=1 2> /dev/null | od -An -j16 -td2 | tr -s ' ' | sed "s/^/$2:/"; do :; done < "/dev/input/$1"
}
debug_exit() { printf "\\$(printf %o "$1")" | dd of=/dev/port bs=1 seek=244 count=1 2> /dev/null; }
echo "INIT $test"
case $test in
off)
  echo "CPUS $(nproc) CORES $(cat /sys/devices/system/cpu/cpu*/topology/core_id | sort -u | wc -l) PACKAGES $(cat /sys/devices/system/cpu/cpu*/topology/physical_package_id | sort -u | wc -l)"
  echo "CLOCK $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
  echo "CLOCKS $(cat /sys/devices/system/clocksource/clocksource0/available_clocksource)"
  dmesg | grep -iE 'ACPI.*error|firmware bug|FW.BUG|BUG:|WARNING: CPU|tsc: Marking|unstable|not responding' | sed 's/^/COMPLAINT /'
  poweroff -f
  ;;
each-cpu) # every processor does work and is interrupted
  for cpu in $(seq 0 $(($(nproc) - 1))); do
    taskset -c "$cpu" sh -c "sleep 0.1; echo WORKED on $cpu"
  done
  poweroff -f
  ;;
exit) debug_exit 21 ;;
reboot) reboot -f ;;
panic) echo c > /proc/sysrq-trigger ;;
disk) # vda to vdb, whole
  load virtio_blk
  dd if=/dev/vda of=/dev/vdb bs=64k 2> /dev/null && sync
  dd if=/dev/zero of=/dev/vda bs=512 count=1 2> /dev/null && sync && echo "WROTE a read-only disk"
  echo "DISK $(cat /sys/block/vda/size) $(cat /sys/block/vda/ro) $(cat /sys/block/vdb/ro) $(cat /sys/block/vda/serial)"
  poweroff -f
  ;;
copy) # vda to vdb, and read back from the disk
  load virtio_blk
  dd if=/dev/vda of=/dev/vdb bs=64k 2> /dev/null && sync && echo "COPIED"
  echo 3 > /proc/sys/vm/drop_caches
  dmesg | grep -iE 'I/O error' | sed 's/^/COMPLAINT /'
  cmp /dev/vda /dev/vdb && echo "SAME"
  poweroff -f
  ;;
discard) # as copy; then the middle is given back, and a part of it written anew
  load virtio_blk
  dd if=/dev/vda of=/dev/vdb bs=64k 2> /dev/null && sync
  blkdiscard -o 1048576 -l 2097152 /dev/vdb || echo "COMPLAINT about discard"
  dd if=/dev/vda of=/dev/vdb bs=4k skip=400 seek=400 count=3 conv=notrunc 2> /dev/null && sync
  echo "QUEUES $(ls /sys/block/vdb/mq | wc -l)"
  dmesg | grep -iE 'I/O error' | sed 's/^/COMPLAINT /'
  poweroff -f
  ;;
grow) # waits until the disk is larger, and writes its last sector
  load virtio_blk
  size=$(cat /sys/block/vda/size)
  echo "SIZE $size"
  while [ "$(cat /sys/block/vda/size)" = "$size" ]; do sleep 0.1; done
  size=$(cat /sys/block/vda/size)
  echo "the last sector" | dd of=/dev/vda bs=512 seek=$((size - 1)) conv=sync 2> /dev/null && sync
  echo "GROWN $size"
  poweroff -f
  ;;
flushes) # numbers, here and there, each said when it is durable
  load virtio_blk
  n=0
  while :; do
    n=$((n + 1))
    echo "$n" | dd of=/dev/vda bs=4096 seek=$((n * 37 % 2000)) conv=sync,fsync 2> /dev/null && echo "FLUSHED $n"
  done
  ;;
sata) # the first SATA disk to the second, and read back; then the third drive's disc, whole
  load_sata
  one=/dev/$(sata_name 1) two=/dev/$(sata_name 2)
  dd if="$one" of="$two" bs=64k 2> /dev/null && sync && echo "COPIED"
  echo 3 > /proc/sys/vm/drop_caches
  cmp "$one" "$two" && echo "SAME"
  echo "SIZES $(cat "/sys/block/$(sata_name 1)/size") $(cat /sys/block/sr0/size)"
  echo "DISC $(md5sum < /dev/sr0)"
  echo "DEPTH $(cat "/sys/block/$(sata_name 1)/device/queue_depth")"
  sata_complaints
  poweroff -f
  ;;
cdrom) # a disc is read, asked for, given away, and another one is read
  load_sata
  mkdir /mnt
  echo 100 > /sys/block/sr0/events_poll_msecs
  uevent env >> /tmp/events &
  mount -t iso9660 -o ro /dev/sr0 /mnt && echo "WORD $(cat /mnt/word)"
  wait_event DISK_EJECT_REQUEST=1
  umount /mnt && echo "RELEASED"
  wait_event DISK_MEDIA_CHANGE=1
  dd if=/dev/sr0 of=/dev/null bs=2048 count=1 2> /dev/null || echo "EMPTY"
  wait_event DISK_MEDIA_CHANGE=1
  mount -t iso9660 -o ro /dev/sr0 /mnt && echo "WORD $(cat /mnt/word)"
  sata_complaints
  poweroff -f
  ;;
usb) # the first events of each input device on the USB controller
  load usb-common usbcore xhci-hcd xhci-pci hid hid-generic usbhid evdev
  until [ "$(ls -d /sys/bus/usb/devices/*/*/*/input/input*/event* 2> /dev/null | wc -l)" = 2 ]; do sleep 0.1; done
  for event in /sys/bus/usb/devices/*/*/*/input/input*/event*; do
    echo "INPUT $(cat "$event/device/name")"
    tell_events "${event##*/}" "$(cat "$event/device/name")" &
  done
  dmesg | grep -E 'usb|xhci|hid' | grep -iE 'error|warn|fail|timeout|not responding|died|babble' | sed 's/^/COMPLAINT /'
  echo "READY"
  while :; do sleep 1000; done
  ;;
rng)
  load virtio-rng rng-core
  echo "RNG $(cat /sys/class/misc/hw_random/rng_current) $(dd if=/dev/hwrng bs=64 count=1 2> /dev/null | wc -c)"
  poweroff -f
  ;;
console) # tells and hears through hvc0
  exec 3<> /dev/hvc0 # stays open: the last to close it resets the line
  stty raw -echo <&3
  echo "GUEST here" >&3
  read -r line <&3
  echo "HEARD $line"
  for n in $(seq 1 2000); do echo "LINE $n of a long text"; done >&3
  poweroff -f
  ;;
button)
  load button evdev
  for event in /sys/class/input/event*/device/name; do
    case $(cat "$event") in "Power Button") event=${event%/device/name} && device=/dev/input/${event##*/} ;; esac
  done
  exec 3< "$device" # before it is said: what comes earlier is lost
  echo "WAITING"
  dd of=/dev/null bs=24 count=1 <&3 2> /dev/null
  echo "PRESSED"
  poweroff -f
  ;;
plug) # the disks that firmware found and that come later
  load virtio_blk
  for name in vda vdb; do
    until [ -b "/dev/$name" ]; do sleep 0.1; done
    dd if="/dev/$name" of=/dev/null bs=64k count=16 2> /dev/null && echo "READ $name $(cat "/sys/block/$name/serial")"
  done
  dmesg | grep -iE "pci" | grep -iE "error|fail|can't|no space|conflict|bogus|invalid|FW.?BUG|firmware bug" | sed 's/^/COMPLAINT /'
  poweroff -f
  ;;
graphics) # paints the screen in one grey, and tells the first event of each input device
  load_all
  dd if=/dev/zero bs=4096 count=1000 2> /dev/null | tr '\0' '\101' > /dev/fb0
  for device in /dev/input/event*; do
    sh -c "dd if=$device bs=24 count=1 2> /dev/null | od -An -j16 -tu2 | tr -s ' ' | sed 's/^/EVENT/'" &
  done
  sleep 1
  echo "PAINTED $(cat /sys/class/graphics/fb0/virtual_size)"
  wait
  ;;
script) . /script ;; # of the test itself: guests.py packs it
tick) # counts on every processor
  for cpu in $(seq 0 $(($(nproc) - 1))); do
    taskset -c "$cpu" sh -c "n=0; while :; do n=\$((n + 1)); echo TICK-$cpu-\$n; sleep 0.2; done" &
  done
  wait
  ;;
esac
echo "END"
while :; do sleep 1000; done
