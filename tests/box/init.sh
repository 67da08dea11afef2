#!/bin/busybox sh
# The box's init: loads modules, takes the outer system's root over 9p, and becomes the agent that
# runs one command after another. See box.py.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/lib/$module" 2>/dev/null; done < /modules
for word in $(cat /proc/cmdline); do
  case $word in box_work=*) work=${word#box_work=} ;; esac
done
9p() { mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$1" "$2" "$3"; }
# nosuid: under an ordinary user's box root's files are somebody else's, and so would be their rights.
9p ro,nosuid,cache=loose host /mnt
mount -t proc proc /mnt/proc
mount -t sysfs sys /mnt/sys
mount -t cgroup2 cgroup /mnt/sys/fs/cgroup
mount -t debugfs debug /mnt/sys/kernel/debug
mount -t devtmpfs dev /mnt/dev
mkdir -p /mnt/dev/pts /mnt/dev/shm
mount -t devpts -o ptmxmode=0666 devpts /mnt/dev/pts
mount -t tmpfs shm /mnt/dev/shm
for folder in tmp run var/tmp; do mount -t tmpfs "$folder" "/mnt/$folder"; done
mkdir -p /mnt/tmp/home /mnt/run/user/0 /mnt/run/lock
chmod 1777 /mnt/tmp /mnt/dev/shm
chmod 700 /mnt/run/user/0
case $work in /tmp/*) mkdir -p "/mnt$work" ;; esac
9p rw work "/mnt$work" || echo "box: cannot mount $work" > /dev/console
ip link set lo up
cat > /mnt/run/agent <<'AGENT'
export PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin HOME=/tmp/home LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=/run/user/0 TERM=dumb
unset box_work
stty raw -echo < /dev/ttyS1
exec 3<> /dev/ttyS1
echo ready >&3
while read -r verb base <&3; do
  bash "$base.sh" > "$base.out" 2>&1 < /dev/null 3>&-
  echo "done $?" >&3
done
AGENT
exec switch_root /mnt /bin/bash /run/agent
