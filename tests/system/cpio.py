"""Archives in the form that the kernel unpacks into its first root (cpio newc; Documentation/driver-api/early-userspace)."""

import stat

ALIGN = 4


def entry(name, data=b"", mode=stat.S_IFREG | 0o644):
    path = name.encode() + b"\0"
    # Inode, mode, owner, group, links, time, size, device and its own twice, length of the name, check.
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return padded(head) + padded(data)


def directory(name):
    return entry(name, mode=stat.S_IFDIR | 0o755)


def trailer():
    return entry("TRAILER!!!", mode=0)


def padded(data):
    return data + bytes(-len(data) % ALIGN)


def of_size(size, name, data_of):
    """An archive of exactly SIZE bytes with one file, NAME, as long as fits; DATA_OF(length) makes its content. Zeros fill
    what is left, which the kernel passes over; where not even an empty file fits there are only those. Returns the archive
    and the content, None without a file."""
    room = size - len(entry(name)) - len(trailer())
    if room < 0:
        return bytes(size), None
    content = data_of(room - room % ALIGN)
    return (entry(name, content) + trailer()).ljust(size, b"\0"), content
