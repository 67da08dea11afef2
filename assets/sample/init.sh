#!/bin/busybox sh
# The sample machine's first program: devices, drivers, the picture, then a shell on the screen and
# on the serial line.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /tmp /etc/acpi/PWRF /root /var/log /var/run
mount -t devpts devpts /dev/pts
while read -r module; do insmod "/lib/$module" 2>/dev/null; done < /modules
hostname sample
echo 'root:x:0:0:root:/root:/bin/sh' > /etc/passwd

# The power button turns the machine off.
printf '#!/bin/sh\npoweroff\n' > /etc/acpi/PWRF/00000080
chmod +x /etc/acpi/PWRF/00000080
acpid 2>/dev/null

cat > /etc/greeting <<'TEXT'

  Welcome to VirtDesk. This small Linux is a machine of your own: try  top,  vi,  ls /,  dmesg.
  poweroff  turns it off. Nothing typed here can harm your computer.

TEXT
cat > /bin/session <<'SESSION'
#!/bin/sh
cd /root
export HOME=/root TERM=linux PS1='\[\033[1;34m\]sample\[\033[0m\]:\w# '
[ "$1" = serial ] && export TERM=vt100 PS1='sample:\w# '
cat /etc/greeting
exec /bin/sh -i
SESSION
chmod +x /bin/session

{
  echo '::ctrlaltdel:/bin/reboot'
  if [ -e /dev/tty1 ] && [ -e /dev/fb0 ]; then echo 'tty1::respawn:/bin/session'; fi
  if [ -e /sys/class/tty/ttyS0 ] && [ "$(cat /sys/class/tty/ttyS0/type)" != 0 ]; then
    echo 'ttyS0::respawn:/bin/session serial'
  fi
  echo '::shutdown:/bin/sync'
} > /etc/inittab
[ -e /dev/fb0 ] && /bin/welcome > /dev/tty1 < /dev/tty1
echo 0 > /proc/sys/kernel/printk
exec /bin/busybox init
