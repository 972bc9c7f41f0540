"""How the samples of a TIFF's picture are stored, and whether that layout is read correctly here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from chalicelib.intake import tone_mapping
from chalicelib.intake.tiff_strips import CCITT, CMYK, GREY, RGB, YCBCR
from chalicelib.intake.tiff_tags import Directory, Tags
from chalicelib.intake.undecoded_image import Size, Unsupported

WIDTH, HEIGHT, COMPRESSION = 256, 257, 259
_OFFSETS, _COUNTS, _TILE_OFFSETS, _TILE_COUNTS = 273, 279, 324, 325
_BITS, _PHOTOMETRIC, _SAMPLES, _ROWS, _PLANAR, _PREDICTOR = 258, 262, 277, 278, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _INKS, _EXTRA, _FORMAT = 322, 323, 332, 338, 339

WHITE_IS_ZERO, PALETTE, LAB, ICC_LAB = 0, 3, 8, 9
_COLOURS_OF = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3, 9: 3}
_COLOUR_NAMES = {
    0: "grey",
    1: "grey",
    2: "RGB",
    3: "colours of a palette",
    5: "inks",
    6: "YCbCr",
    8: "L*a*b*",
    9: "L*a*b*",
}
_PHOTOMETRICS = {4: "a transparency mask", 10: "ITU L*a*b*", 32_844: "LogL", 32_845: "LogLuv"}
_COMPRESSIONS = {
    50_001: "WebP",
    34_712: "JPEG 2000",
    33_003: "JPEG 2000",
    33_005: "JPEG 2000",
    34_887: "LERC",
    50_002: "JPEG XL",
    52_546: "JPEG XL",
    34_661: "JBIG",
    32_908: "PixarFilm",
    32_909: "PixarLog",
    34_676: "SGI Log",
    34_677: "SGI Log",
    34_719: "Aperio JPEG 2000",
    32_809: "ThunderScan",
    32_766: "NeXT",
}
_READ = {1, 5, 7, 8, 32_773, 32_946, 34_925, 50_000, *CCITT}
BYTEWISE = {1, 5, 8, 32_773, 32_946, 34_925, 50_000}  # compressions of bytes, whatever they mean
_PREDICTED = {5, 8, 32_946, 34_925, 50_000}
_MOST_SAMPLES = 8
_MOST_PARTS = 1 << 22


@dataclass(frozen=True)
class Layout:
    """How the samples of one directory's picture are stored."""

    tags: Tags
    directory: Directory

    def number(self, tag: int, default: int = 0) -> int:
        """The first number of a tag of the directory."""
        return self.tags.number(self.directory, tag, default)

    def numbers(self, tag: int, most: int = 64) -> tuple[int, ...]:
        """The numbers of a tag, none where there are more than ``most``."""
        return tuple(int(one) for one in self.tags.numbers(self.directory, tag, most) or ())

    @cached_property
    def width(self) -> int:
        return self.number(WIDTH)

    @cached_property
    def height(self) -> int:
        return self.number(HEIGHT)

    @cached_property
    def compression(self) -> int:
        return self.number(COMPRESSION, 1)

    @cached_property
    def photometric(self) -> int:
        return self.number(_PHOTOMETRIC, WHITE_IS_ZERO if self.compression in CCITT else GREY)

    @cached_property
    def samples(self) -> int:
        return self.number(_SAMPLES, max(1, len(self.numbers(_BITS))))

    @cached_property
    def bits(self) -> int:
        return self.number(_BITS, 1)

    @cached_property
    def kind(self) -> int:
        found = self.number(_FORMAT, tone_mapping.UNSIGNED)
        return tone_mapping.UNSIGNED if found == 4 else found  # 4: "undefined"

    @cached_property
    def colours(self) -> int:
        return _COLOURS_OF.get(self.photometric, self.samples)

    @cached_property
    def extra(self) -> tuple[int, ...]:
        """What each sample besides the colours is: 1 and 2 are opacity, 0 is unknown."""
        count = max(0, self.samples - self.colours)
        said = self.numbers(_EXTRA)[:count]
        if not said and count == 1 and self.photometric == RGB:
            said = (2,)  # what all readers take it for
        return said + (0,) * (count - len(said))

    @cached_property
    def planar(self) -> bool:
        return self.number(_PLANAR, 1) == 2 and self.samples > 1

    @cached_property
    def predictor(self) -> int:
        return self.number(_PREDICTOR, 1) if self.compression in _PREDICTED else 1

    @cached_property
    def tile(self) -> Size | None:
        if _TILE_OFFSETS not in self.directory and _TILE_WIDTH not in self.directory:
            return None
        return self.number(_TILE_WIDTH), self.number(_TILE_HEIGHT)

    @cached_property
    def rows(self) -> int:
        return max(1, min(self.number(_ROWS, self.height) or self.height, self.height))

    @cached_property
    def opacity(self) -> int | None:
        """Which sample is opacity."""
        found = next((number for number, kind in enumerate(self.extra) if kind in (1, 2)), None)
        return None if found is None else self.colours + found

    @cached_property
    def is_measured(self) -> bool:
        """Whether the numbers are measurements, which need tone mapping to be shown."""
        return self.kind != tone_mapping.UNSIGNED or self.bits > 16

    def places(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The offsets of its pieces, and the number of bytes of each."""
        tiled = self.tile is not None and _TILE_OFFSETS in self.directory
        offsets = self.numbers(_TILE_OFFSETS if tiled else _OFFSETS, _MOST_PARTS)
        counts = self.numbers(_TILE_COUNTS if tiled else _COUNTS, _MOST_PARTS)
        if len(counts) < len(offsets) or not any(counts):  # left out by some writers of one strip
            last = max(offsets, default=0)
            counts = tuple(self.row_bytes() * self.rows if one != last else 1 << 40 for one in offsets)
        return offsets, counts

    def row_bytes(self) -> int:
        """The bytes of a row that is not compressed, in one plane."""
        samples = 1 if self.planar else self.samples
        return (self.width * samples * self.bits + 7) // 8

    def check(self) -> None:
        """:raises Unsupported: the layout is not read; ValueError: there is no such layout."""
        if self.width <= 0 or self.height <= 0 or self.bits <= 0 or self.samples <= 0:
            raise ValueError("no pixels")
        if self.tile is not None and min(self.tile) <= 0:
            raise ValueError("no tiles")
        if self.compression not in _READ:
            name = _COMPRESSIONS.get(self.compression, f"of number {self.compression}")
            raise Unsupported(f"a TIFF image with compression {name}")
        if self.photometric not in _COLOURS_OF:
            name = _PHOTOMETRICS.get(self.photometric, f"of number {self.photometric}")
            raise Unsupported(f"a TIFF image in colours {name}")
        if self.samples < self.colours:
            raise ValueError("too few samples")
        if not self._is_read():
            raise Unsupported(f"a TIFF image {self._described()}")

    def _is_read(self) -> bool:
        bits, formats = set(self.numbers(_BITS)), set(self.numbers(_FORMAT))
        if len(bits) > 1 or len(formats) > 1 or self.samples > _MOST_SAMPLES:
            return False
        if self.photometric == CMYK and self.number(_INKS, 1) != 1:
            return False
        if self.compression not in BYTEWISE:
            return self._is_read_whole()
        if self.photometric == YCBCR:
            return self.bits == 8 and self.samples == 3 and not self.planar and self.tile is None
        if self.kind == tone_mapping.FLOAT:
            return self.bits in (16, 32, 64) and self.photometric in (0, 1, 2)
        if self.kind == tone_mapping.SIGNED:
            return self.bits in (8, 16, 32) and self.photometric in (0, 1, 2)
        if self.kind != tone_mapping.UNSIGNED:
            return False
        if self.photometric in (LAB, ICC_LAB, CMYK):
            return self.bits in (8, 16)
        if self.photometric == PALETTE:
            return self.bits in (1, 2, 4, 8) and (self.samples == 1 or self.bits == 8)
        if self.bits in (1, 2, 4):
            return self.samples == 1 or self.planar
        return self.bits in (8, 12, 16, 32) and not (self.bits == 12 and self.predictor != 1)

    def _is_read_whole(self) -> bool:
        """Whether a compression made for pictures holds a layout that its reader decodes correctly."""
        if self.compression in CCITT:
            return self.bits == 1 and self.samples == 1 and self.photometric in (0, 1)
        layouts = {(0, 1), (1, 1), (2, 3), (6, 3), (5, 4)}
        planar = self.planar and self.photometric == YCBCR
        return self.bits == 8 and (self.photometric, self.samples) in layouts and not planar

    def _described(self) -> str:
        kind = {tone_mapping.SIGNED: "signed ", tone_mapping.FLOAT: "fractional "}.get(self.kind, "")
        bits = "different numbers of" if len(set(self.numbers(_BITS))) > 1 else str(self.bits)
        return (
            f"in {_COLOUR_NAMES[self.photometric]} with {bits} {kind}bits for each of {self.samples} samples"
        )
