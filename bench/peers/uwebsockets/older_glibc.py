"""Lets the prebuilt µWebSockets.js load on a glibc older than 2.38, which it was linked with.

All it takes from 2.38 are the C23 names of strtol, strtoul and sscanf. The reference to that
version is marked weak in the file's table of needed versions, and a small library, to be preloaded,
defines the three names.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

SHIM = """
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
long __isoc23_strtol(const char* s, char** end, int base) { return strtol(s, end, base); }
unsigned long __isoc23_strtoul(const char* s, char** end, int base) {
  return strtoul(s, end, base);
}
int __isoc23_sscanf(const char* s, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int n = vsscanf(s, format, arguments);
  va_end(arguments);
  return n;
}
"""
SHT_GNU_VERNEED = 0x6FFFFFFE
VER_FLG_WEAK = 2


def sections(data: bytes) -> list[tuple[int, ...]]:
    """The section headers of a 64-bit little-endian ELF file."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    return [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]


def weaken(file: Path, version: str) -> None:
    """Marks each reference of the file to this symbol version as weak."""
    data = bytearray(file.read_bytes())
    headers = sections(data)
    for header in headers:
        if header[1] != SHT_GNU_VERNEED:
            continue
        strings = headers[header[6]][4]  # sh_link: the string table; sh_offset
        need = header[4]
        for _ in range(header[7]):  # sh_info: the number of libraries
            _, count, _, first, to_next = struct.unpack_from("<HHIII", data, need)
            entry = need + first
            for _ in range(count):
                _, flags, _, name, to_next_entry = struct.unpack_from("<IHHII", data, entry)
                start = strings + name
                if data[start : data.index(0, start)].decode() == version:
                    struct.pack_into("<H", data, entry + 4, flags | VER_FLG_WEAK)
                entry += to_next_entry
            need += to_next
    file.write_bytes(data)


def build_shim(library: Path) -> None:
    source = library.with_suffix(".c")
    source.write_text(SHIM, encoding="utf-8")
    subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)],
        check=True,
        capture_output=True,
        text=True,
    )
