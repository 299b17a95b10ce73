#!/bin/sh
# The first process of a guest: loads the drivers, waits for the channel, and keeps a shell
# at it for as long as somebody is at the other end.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t debugfs debug /sys/kernel/debug 2>/dev/null
# The kernel's command line has told how many ports a guest in lockstep has.
if [ -n "$lockstep" ]; then
  channel=/dev/lockstep
  insmod /modules/lockstep.ko ports="$lockstep" || poweroff -f
else
  channel=/dev/vport0p1
  while read -r module; do
    case $module in
    */virtio_net.ko) insmod "$module" napi_weight=1 ;;
    *) insmod "$module" ;;
    esac
  done </modules.boot
fi
turns=0
until [ -c $channel ]; do
  usleep 1000
  turns=$((turns + 1))
  # A second is ten times as long as it takes.
  if [ $turns = 1000 ]; then
    echo "<0>wireproof: no $channel: the kernel has not the drivers that a guest needs" >/dev/kmsg
    poweroff -f
  fi
done
exec 0<>$channel 1>&0 2>&0
# The channel reads as ended until the other end is known to be there.
until read -r word; do usleep 1000; done
while :; do
  unshare -n /bin/sh
  # 77 asks for a new namespace; anything else is the end of the channel.
  [ $? = 77 ] || poweroff -f
done
