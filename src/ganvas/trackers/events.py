"""Event files of TensorBoard: records of protocol buffers, written without TensorBoard.

The format has not changed since 2015: each record is its length, the length's checksum, an Event, its checksum
(tensorflow/core/lib/io/record_writer.cc, tensorflow/core/util/event.proto and framework/summary.proto).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import BinaryIO

from PIL import Image

from ganvas import media
from ganvas.files import MARK


def _table() -> tuple[int, ...]:
    """CRC-32C (Castagnoli) of each byte."""
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        found.append(value)
    return tuple(found)


TABLE = _table()


def head(seconds: float) -> bytes:
    """The first record of a file."""
    return record(_double(1, seconds) + _bytes(3, b"brain.Event:2") + _bytes(10, _bytes(1, MARK.encode())))


def numbers(step: int, values: Mapping[str, float], seconds: float) -> bytes:
    """A record of numbers by tag, at a time in seconds since 1970."""
    parts = [_bytes(1, tag.encode()) + _key(2, 5) + struct.pack("<f", value) for tag, value in values.items()]
    return _summary(step, parts, seconds)


def picture(step: int, tag: str, image: Image.Image, seconds: float) -> bytes:
    """A record of one picture, in mode L or RGB."""
    size = _number(1, image.height) + _number(2, image.width) + _number(3, len(image.getbands()))
    held = size + _bytes(4, media.encode(image, "png"))
    return _summary(step, [_bytes(1, tag.encode()) + _bytes(4, held)], seconds)


def record(event: bytes) -> bytes:
    """An Event as it stands in a file."""
    length = struct.pack("<Q", len(event))
    return length + _checksum(length) + event + _checksum(event)


def append(file: BinaryIO, content: bytes) -> None:
    """Write whole records, so that a reader sees them at once."""
    file.write(content)
    file.flush()


def _summary(step: int, values: list[bytes], seconds: float) -> bytes:
    return record(_double(1, seconds) + _number(2, step) + _bytes(5, b"".join(_bytes(1, value) for value in values)))


def _checksum(content: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _key(field: int, wire: int) -> bytes:
    return _varint(field << 3 | wire)


def _number(field: int, value: int) -> bytes:
    return _key(field, 0) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
