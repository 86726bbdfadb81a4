#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tests/data/files: one small image of every kind with Pillow, and expected.txt with what Pillow reads back.

Run by hand when a kind is added; the files are part of the repository. A line of expected.txt:
NAME HEIGHT WIDTH CHANNELS HEX, the pixels as Pillow converts them to L or RGB.
"""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FILES = Path(__file__).parent / "files"
H, W = 11, 14


def picture(channels):
    y, x = np.mgrid[0:H, 0:W]
    planes = [(x * 17 + y * 3) % 256, (y * 22 + 5) % 256, (x * y * 2 + 40) % 256, (255 - x * 9) % 256]
    return np.stack(planes[:channels], -1).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, interlace=0, extra=b""):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def interlaced(pixels):
    parts = (pixels[top::down, left::right] for top, left, down, right in ADAM7)
    return b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)


def filtered(pixels):
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def bmp_bytes(pixels, bits, top_down=False, palette=b""):
    step = bits // 8
    stride = (pixels.shape[1] * step + 3) // 4 * 4
    rows = pixels if top_down else pixels[::-1]
    data = b"".join(row.tobytes().ljust(stride, b"\0") for row in rows)
    height = -pixels.shape[0] if top_down else pixels.shape[0]
    info = struct.pack("<IiiHHIIiiII", 40, pixels.shape[1], height, 1, bits, 0, len(data), 0, 0, len(palette) // 4, 0)
    start = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + info + palette + data


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def deep(pixels):
    """The same with 16 bits, whose lower ones would round up."""
    return (pixels.astype(np.uint16) * 256 + 200).astype(">u2")


def all_files():
    grey, rgb, rgba = (picture(n) for n in (1, 3, 4))
    colour = Image.fromarray(rgb)
    yield "grey.png", saved(Image.fromarray(grey[..., 0]), format="PNG")
    yield "rgb.png", saved(colour, format="PNG")
    yield "rgba.png", saved(Image.fromarray(rgba), format="PNG")
    yield "grey_alpha.png", png(W, H, 8, 4, filtered(rgba[..., :2]))
    yield "palette.png", saved(colour.quantize(16), format="PNG")
    yield "palette_2bit.png", saved(colour.quantize(4), format="PNG", bits=2)
    yield "grey_1bit.png", saved(Image.fromarray((grey[..., 0] > 90)), format="PNG")
    yield "interlaced.png", png(W, H, 8, 2, interlaced(rgb), interlace=1)
    yield "rgb_16bit.png", png(W, H, 16, 2, filtered(deep(rgb)))
    yield "rgb.jpg", saved(colour, format="JPEG", quality=90, subsampling=0)
    yield "halved_colour.jpg", saved(colour, format="JPEG", quality=90, subsampling=2)
    yield "grey.jpg", saved(Image.fromarray(grey[..., 0]), format="JPEG", quality=90)
    yield "progressive.jpg", saved(colour, format="JPEG", quality=80, progressive=True)
    yield "cmyk.jpg", saved(colour.convert("CMYK"), format="JPEG", quality=95)
    for turn in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = turn
        yield f"turned_{turn}.jpg", saved(colour, format="JPEG", quality=95, subsampling=0, exif=exif)
    yield "rgb24.bmp", bmp_bytes(rgb[..., ::-1], 24)
    yield "rgb24_top_down.bmp", bmp_bytes(rgb[..., ::-1], 24, top_down=True)
    yield "rgb32.bmp", bmp_bytes(np.concatenate([rgb[..., ::-1], np.zeros((H, W, 1), np.uint8)], -1), 32)
    yield "palette8.bmp", saved(colour.quantize(16), format="BMP")
    yield "grey8.bmp", saved(Image.fromarray(grey[..., 0]), format="BMP")


def expected(name, data):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    # Grey files read as one channel; Pillow makes LA and 1 of some.
    image = image.convert("L" if image.mode in ("L", "LA", "1") else "RGB")
    pixels = np.asarray(image)
    channels = 1 if pixels.ndim == 2 else 3
    return f"{name} {pixels.shape[0]} {pixels.shape[1]} {channels} {pixels.tobytes().hex()}\n"


def grey16():
    """Pillow keeps 16 bits of grey; Fovea takes the upper 8, as Pillow does of colours, so these are worked out here."""
    wide = deep(picture(1)[..., 0])
    return png(W, H, 16, 0, filtered(wide)), f"grey_16bit.png {H} {W} 1 {(wide >> 8).astype(np.uint8).tobytes().hex()}\n"


def main():
    FILES.mkdir(exist_ok=True)
    lines = []
    for name, data in all_files():
        (FILES / name).write_bytes(data)
        lines.append(expected(name, data))
    data, line = grey16()
    (FILES / "grey_16bit.png").write_bytes(data)
    (FILES / "expected.txt").write_text("".join(lines + [line]))


if __name__ == "__main__":
    main()
