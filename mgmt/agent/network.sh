# shellcheck shell=dash
# Drivers, the interface to use, and its address. busybox sh.

# load_drivers: load what the hardware asks for by its modaliases. A driver may bring a bus of its own (virtio over PCI),
# whose devices ask in the next pass; a pass that finds nothing new is the last.
load_drivers() {
  pass=1
  while [ $pass -le 5 ]; do
    aliases=$(cat /sys/bus/*/devices/*/modalias 2>/dev/null | sort -u)
    [ "$aliases" != "${known_aliases:-}" ] || break
    known_aliases=$aliases
    set -f
    old_ifs=$IFS IFS='
'
    # shellcheck disable=SC2086 # one alias per line, blanks and wildcards in them are meant literally
    modprobe -a -q -b $aliases 2>/dev/null
    IFS=$old_ifs
    set +f
    pass=$((pass + 1))
  done
}

physical_interfaces() {
  for net in /sys/class/net/*; do
    [ ! -e "$net/device" ] || echo "${net##*/}"
  done
}

# boot_mac: the address of the interface the firmware booted from, when the boot loader told us.
boot_mac() {
  mac=$(argument rouse.mac)
  if [ -z "$mac" ]; then
    mac=$(argument BOOTIF)  # as pxelinux writes it: hardware type, then the address, with dashes
    mac=${mac#01-}
  fi
  echo "$mac" | tr 'A-F-' 'a-f:'
}

# find_interface PATIENCE: set $interface within about PATIENCE tenths of a second, or fail.
find_interface() {
  wanted=$(boot_mac) tenths=0
  while [ $tenths -lt "$1" ]; do
    for interface in $(physical_interfaces); do
      [ "$(cat "/sys/class/net/$interface/operstate")" != down ] || ip link set dev "$interface" up 2>/dev/null
      # Carrier can be read only while the interface is up.
      [ "$(cat "/sys/class/net/$interface/carrier" 2>/dev/null)" = 1 ] || continue
      [ -z "$wanted" ] || [ "$(cat "/sys/class/net/$interface/address")" = "$wanted" ] || continue
      return 0
    done
    usleep 100000
    tenths=$((tenths + 1))
  done
  return 1
}

network_up() {
  ip link set dev lo up
  until find_interface 100; do
    say "no link yet on ${wanted:-any interface} (interfaces: $(physical_interfaces | tr '\n' ' ')); is the cable in, and does this kernel have the driver?"
    # The port the firmware used may be renumbered or hidden by its driver: any port with a link beats none.
    [ -z "$wanted" ] || cmdline="$cmdline rouse.mac= BOOTIF="
    load_drivers
  done
  # Without -q udhcpc stays in the background and renews: a machine that waits here keeps its address rightfully.
  until udhcpc -i "$interface" -s /agent/udhcpc.script -n -t 3 -T 2 >/dev/null 2>&1; do
    say "no DHCP answer on $interface ($(cat "/sys/class/net/$interface/address")); trying on"
  done
  say "$interface has $(ip -4 -o address show dev "$interface" | sed -n 's/.*inet \([0-9./]*\).*/\1/p')"
}
