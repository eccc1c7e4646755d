# shellcheck shell=dash
# What this machine is, as JSON. Reads /proc and /sys only (below AGENT_ROOT in tests). busybox sh.
# Nothing found is null, never a guess. Firmware strings come from strangers: any byte may be in them.

# json_string TEXT: TEXT as a JSON string; an empty one is null.
json_string() {
  case $1 in
    '') printf null ;;
    # Outside printable ASCII, or a quote or backslash: byte by byte. The output stays ASCII; what is no UTF-8 becomes U+FFFD.
    *[!\ -~]* | *[\"\\]*) printf '%s' "$1" | hexdump -v -e '1/1 "%u\n"' | awk '
      { byte[NR] = $1 }
      function tail(from, count,   k) {
        for (k = from; k < from + count; k++) if (byte[k] < 128 || byte[k] > 191) return 0
        return 1
      }
      END {
        printf "\""
        for (i = 1; i <= NR; i++) {
          b = byte[i]; point = -1
          if (b == 34 || b == 92) printf "\\%c", b
          else if (b < 32 || b == 127) printf "\\u%04x", b
          else if (b < 127) printf "%c", b
          else {
            if (b >= 194 && b < 224 && tail(i + 1, 1)) { point = (b - 192) * 64 + byte[i+1] - 128; more = 1 }
            else if (b >= 224 && b < 240 && tail(i + 1, 2)) {
              point = (b - 224) * 4096 + (byte[i+1] - 128) * 64 + byte[i+2] - 128; more = 2
              if (point < 2048 || (point >= 55296 && point < 57344)) point = -1
            } else if (b >= 240 && b < 245 && tail(i + 1, 3)) {
              point = (b - 240) * 262144 + (byte[i+1] - 128) * 4096 + (byte[i+2] - 128) * 64 + byte[i+3] - 128; more = 3
              if (point < 65536 || point > 1114111) point = -1
            }
            if (point < 0) { printf "\\ufffd"; continue }
            if (point < 65536) printf "\\u%04x", point
            else printf "\\u%04x\\u%04x", 55296 + int((point - 65536) / 1024), 56320 + (point - 65536) % 1024
            i += more
          }
        }
        printf "\""
      }' ;;
    *) printf '"%s"' "$1" ;;
  esac
}

# json_number TEXT: TEXT when it is a plain non-negative number, else null (a speed of -1 means "unknown").
json_number() {
  case $1 in
    '' | *[!0-9.]* | *.*.* | .* | *. | 0[0-9]*) printf null ;;
    *) printf '%s' "$1" ;;
  esac
}

# first_word FILE, without a process. content FILE: all of it, without the blanks sysfs pads fixed-width fields with.
first_word() { word=; read -r word _ 2>/dev/null <"$1"; printf '%s' "$word"; }
content() {
  text=$(cat "$1" 2>/dev/null)
  text=${text%"${text##*[![:space:]]}"}
  printf '%s' "${text#"${text%%[![:space:]]*}"}"
}

uptime_json() { json_number "$(first_word "${AGENT_ROOT:-}/proc/uptime")"; }
kernel_json() { json_string "$(content "${AGENT_ROOT:-}/proc/sys/kernel/osrelease")"; }

hostname_json() {
  hostname=$(content "${AGENT_ROOT:-}/proc/sys/kernel/hostname")
  [ "$hostname" != "(none)" ] || hostname=  # what the kernel says before DHCP names the machine
  json_string "$hostname"
}

cpu_json() {
  info=${AGENT_ROOT:-}/proc/cpuinfo
  printf '{"model":%s,"cores":%s,"architecture":%s}' "$(json_string "$(sed -n 's/^model name[[:space:]]*: *//p' "$info" | head -n 1)")" \
    "$(grep -c '^processor[[:space:]]*:' "$info")" "$(json_string "$(uname -m)")"
}

memory_json() {
  kib=$(sed -n 's/^MemTotal: *\([0-9]*\) kB.*/\1/p' "${AGENT_ROOT:-}/proc/meminfo")
  json_number "${kib:+$((kib * 1024))}"
}

disks_json() {
  separator=
  for disk in "${AGENT_ROOT:-}"/sys/block/*; do
    # Only what hardware is behind: no loop, ram, dm or md device; no optical or floppy drive, boot partition or empty slot.
    [ -e "$disk/device" ] || continue
    case ${disk##*/} in sr* | fd* | mmcblk*boot* | mmcblk*rpmb) continue ;; esac
    [ "$(first_word "$disk/hidden")" != 1 ] || continue
    sectors=$(first_word "$disk/size")
    [ "${sectors:-0}" -gt 0 ] 2>/dev/null || continue
    rotational=null
    case $(first_word "$disk/queue/rotational") in 0) rotational=false ;; 1) rotational=true ;; esac
    # The kernel counts 512-byte sectors here whatever the disk's own are.
    printf '%s{"name":%s,"size_bytes":%s,"model":%s,"rotational":%s}' "$separator" "$(json_string "${disk##*/}")" \
      "$((sectors * 512))" "$(json_string "$(content "$disk/device/model")")" "$rotational"
    separator=,
  done
}

interfaces_json() {
  separator=
  for interface in "${AGENT_ROOT:-}"/sys/class/net/*; do
    [ -e "$interface/device" ] || continue
    driver=$(readlink "$interface/device/driver")
    printf '%s{"name":%s,"mac":%s,"driver":%s,"speed_mbps":%s}' "$separator" "$(json_string "${interface##*/}")" \
      "$(json_string "$(first_word "$interface/address")")" "$(json_string "${driver##*/}")" \
      "$(json_number "$(first_word "$interface/speed")")"
    separator=,
  done
}

firmware_json() {
  separator='{'
  for field in vendor=bios_vendor version=bios_version product=product_name serial=product_serial uuid=product_uuid; do
    printf '%s"%s":%s' "$separator" "${field%%=*}" "$(json_string "$(content "${AGENT_ROOT:-}/sys/class/dmi/id/${field#*=}")")"
    separator=,
  done
  printf '}'
}

boot_mode() { if [ -d "${AGENT_ROOT:-}/sys/firmware/efi" ]; then printf uefi; else printf bios; fi; }

kernel_up_json() { printf '{"stage":"kernel-up","uptime_seconds":%s,"kernel":%s}' "$(uptime_json)" "$(kernel_json)"; }

home_json() {
  printf '{"stage":"home","uptime_seconds":%s,"kernel":%s,"hostname":%s,"cpu":%s,"memory_bytes":%s,"disks":[%s],"interfaces":[%s],"firmware":%s,"boot_mode":"%s"}' \
    "$(uptime_json)" "$(kernel_json)" "$(hostname_json)" \
    "$(cpu_json)" "$(memory_json)" "$(disks_json)" "$(interfaces_json)" "$(firmware_json)" "$(boot_mode)"
}
