"""The pixels of a TIFF's picture: decoded piece by piece to 8 bits, in colours that Pillow knows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from PIL import Image, ImageChops

from chalicelib.intake import tone_mapping
from chalicelib.intake.conversion import lab_in_srgb
from chalicelib.intake.tiff_layout import (
    BYTEWISE,
    ICC_LAB,
    LAB,
    PALETTE,
    WHITE_IS_ZERO,
    Layout,
)
from chalicelib.intake.tiff_strips import CMYK, GREY, HORIZONTAL, JPEG, RGB, YCBCR, Piece
from chalicelib.intake.undecoded_image import Size, Truncated, Unsupported

_FILL_ORDER, _COLOURS, _NO_DATA = 266, 320, 42_113
_OF_COMPRESSIONS = {292: 4, 293: 4, 347: 7, 529: 5, 530: 3, 532: 5}  # tags that decompressing needs
_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_MOST_PIECES = 20_000  # each takes a quarter of a millisecond
_PIECE_PIXELS = 1 << 20
_MOST_SHARED = 20  # how often a file's bytes may be read: pieces of one colour may share theirs


class TiffPicture(Layout):
    """The picture of a directory that is read piece by piece."""

    def memory(self) -> float:
        """Bytes that decoding takes: the whole picture in 8 bits, and the largest piece some times over."""
        together = min(self.height, max(self.rows, _PIECE_PIXELS // self.width))
        width, height = self.tile or (self.width, together)
        pixels = width * height
        bytes_a_pixel = (1 if self.planar else self.samples) * max(8, self.bits) / 8
        shown = 1 if self.photometric in (WHITE_IS_ZERO, GREY) and self.opacity is None else 4
        whole = self.width * self.height * shown
        if self._is_direct:
            return (whole if pixels < self.width * self.height else 0) + pixels * (bytes_a_pixel + shown)
        planes = self.width * self.height * self.samples if self.planar else 0
        return whole + planes + pixels * (3 * bytes_a_pixel + (16 if self.is_measured else 12))

    def decode(self, at_least: Size) -> Image.Image:
        """The picture, in 8 bits and colours that Pillow knows."""
        scale = self._range() if self.is_measured else None
        if self.planar:
            planes = [self._whole(plane, scale) for plane in range(self.samples)]
            return self._coloured(planes)
        return self._whole(None, scale)

    def _whole(self, plane: int | None, scale: tone_mapping.Range | None) -> Image.Image:
        """The whole picture, or one plane of it."""
        picture: Image.Image | None = None
        for place, piece in self._pieces(plane or 0):
            if plane is not None:
                shown = self._bands(piece, scale)[0]
            elif self._is_direct:
                shown = piece.image()
            else:
                shown = self._coloured(self._bands(piece, scale))
            if shown.size == (self.width, self.height):
                return shown
            picture = picture or Image.new(shown.mode, (self.width, self.height))
            picture.paste(shown, place)
        if picture is None:
            raise ValueError("no pieces")
        return picture

    @cached_property
    def _is_direct(self) -> bool:
        """Whether Pillow's picture of a piece is the piece, with nothing left to be done."""
        direct = {(GREY, 1): (8,), (RGB, 3): (8, 16), (CMYK, 4): (8, 16), (YCBCR, 3): (8,)}
        return (
            self.bits in direct.get((self.photometric, self.samples), ())
            and not self.is_measured
            and not self.planar
            and self.predictor in (1, HORIZONTAL)
        )

    def _range(self) -> tone_mapping.Range:
        text = self.tags.text(self.directory, _NO_DATA)
        try:
            missing = float(text) if text else None
        except ValueError:
            missing = None
        planes = range(self.colours) if self.planar else (0,)
        pieces = (piece for plane in planes for _, piece in self._pieces(plane))
        colours = 1 if self.planar else self.colours
        bands = (band for piece in pieces for band in self._measured(piece, range(colours)))
        return tone_mapping.range_of(self.kind, missing, bands)

    def _pieces(self, plane: int) -> Iterator[tuple[Size, Piece]]:
        """The pieces of the picture, or of one plane, each with its place."""
        offsets, counts = self.places()
        if self.tile:
            width, height = self.tile
            across, down = -(-self.width // width), -(-self.height // height)
            together = 1
        else:
            width, height = self.width, self.rows
            across, down = 1, -(-self.height // height)
            together = max(1, _PIECE_PIXELS // (width * height))
        if across * -(-down // together) > _MOST_PIECES:
            raise Unsupported(f"a TIFF image of {across * down:,} tiles or strips")
        size = len(self.tags.tiff)
        if sum(min(count, size) for count in counts) > _MOST_SHARED * size:
            raise ValueError("strips share their bytes")
        first = plane * across * down
        if len(offsets) < first + across * down:
            raise ValueError("too few strips")
        for number in range(0, across * down, together):
            indices = range(first + number, first + min(number + together, across * down))
            left, top = number % across * width, number // across * height
            bottom = top + height * len(indices)
            if not self.tile:
                bottom = min(self.height, bottom)
            parts = [self._part(offsets[index], counts[index]) for index in indices]
            yield (left, top), self._piece((width, bottom - top), height, parts)

    def _part(self, offset: int, count: int) -> bytes:
        if offset >= len(self.tags.tiff) and count:
            raise Truncated("a strip lies beyond the end")
        part = self.tags.tiff[offset : offset + count]
        return part.translate(_MIRRORED) if self._is_mirrored else part

    @cached_property
    def _is_mirrored(self) -> bool:
        """Whether the bits of every byte are stored in reverse order."""
        return self.number(_FILL_ORDER, 1) == 2 and self.compression != JPEG

    def _piece(self, size: Size, rows: int, parts: list[bytes]) -> Piece:
        samples = 1 if self.planar else self.samples
        if self.compression == 1:
            self._check_whole(size, samples, parts)
        options = tuple(
            (tag, kind, self._option(tag, kind))
            for tag, kind in _OF_COMPRESSIONS.items()
            if tag in self.directory
        )
        return Piece(
            *size,
            min(rows, size[1]),
            parts,
            self.tags.order,
            self.bits,
            samples,
            self._declared(samples),
            self.compression,
            self.predictor,
            options,
        )

    def _check_whole(self, size: Size, samples: int, parts: list[bytes]) -> None:
        row = (size[0] * samples * self.bits + 7) // 8
        if self.photometric != YCBCR and sum(map(len, parts)) < row * size[1]:
            raise Truncated("a strip ends too early")

    def _option(self, tag: int, kind: int) -> tuple[int, ...]:
        if kind == 7:
            return tuple(self.tags.raw(self.directory, tag))
        if kind == 5:  # as it stands: pairs of numbers
            raw = self.tags.raw(self.directory, tag)
            order = "little" if self.tags.order == "<" else "big"
            return tuple(int.from_bytes(raw[at : at + 4], order) for at in range(0, len(raw), 4))  # type: ignore[arg-type]
        return self.numbers(tag)

    def _declared(self, samples: int) -> int:
        """The colours that a piece is said to have: those that Pillow reads for so many samples."""
        if self.photometric == YCBCR and samples == 3:
            return YCBCR
        return {1: GREY, 2: GREY, 3: RGB}.get(samples, CMYK)

    def _bands(self, piece: Piece, scale: tone_mapping.Range | None) -> list[Image.Image]:
        """A piece's samples, each as a picture in 8 bits."""
        if scale is not None:
            return self._light(piece, scale)
        if self._is_plain(piece):
            image = piece.image()
            if image.mode in ("I;16", "I;16B"):
                raw = image.tobytes()
                return [
                    Image.frombytes(
                        "L", image.size, tone_mapping.top_bytes(raw, "<" if image.mode == "I;16" else ">", 2)
                    )
                ]
            if image.mode == "1":
                return [image.convert("L")]
            return list(image.split())
        return self._unpacked(piece)

    def _is_plain(self, piece: Piece) -> bool:
        """Whether Pillow is known to read such a piece correctly."""
        if self.compression not in BYTEWISE or piece.photometric == YCBCR:
            return True
        if self.bits <= 4:
            return piece.samples == 1
        if self.bits == 8:
            return piece.samples <= 4
        return self.bits == 16 and piece.samples in (1, 3, 4) and piece.predictor in (1, HORIZONTAL)

    def _unpacked(self, piece: Piece) -> list[Image.Image]:
        data, size = piece.packed(), (piece.width, piece.height)
        if self.bits == 12:
            data = _top_bytes_of_twelve(data, piece)
        elif self.bits == 16:
            data = tone_mapping.top_bytes(data, self.tags.order, 2)
        return [Image.frombytes("L", size, data[one :: piece.samples]) for one in range(piece.samples)]

    def _measured(self, piece: Piece, which: range) -> Iterator[Image.Image]:
        data, each = piece.packed(), self.bits // 8
        for sample in which:
            numbers = bytearray(len(data) // piece.samples)
            for byte in range(each):
                numbers[byte::each] = data[sample * each + byte :: piece.samples * each]
            yield tone_mapping.measured(
                bytes(numbers), self.tags.order, self.kind, self.bits, (piece.width, piece.height)
            )

    def _light(self, piece: Piece, scale: tone_mapping.Range) -> list[Image.Image]:
        bands = []
        for number, band in enumerate(self._measured(piece, range(piece.samples))):
            if number >= self.colours:  # opacity
                bands.append(tone_mapping.Range(self.kind, None, 0.0, self._opaque).shown(band))
            else:
                bands.append(scale.shown(band))
        return bands

    @property
    def _opaque(self) -> float:
        if self.kind == tone_mapping.FLOAT:
            return 1.0
        return float((1 << self.bits - (self.kind == tone_mapping.SIGNED)) - 1)

    # ── its colours ──────────────────────────────────────────────────────────────────────────
    def _coloured(self, bands: list[Image.Image]) -> Image.Image:
        """Bands put together as the file means them."""
        picture = self._opaque_picture(bands[: max(self.colours, 1)])
        if self.opacity is None or self.opacity >= len(bands):
            return picture
        opacity = bands[self.opacity]
        picture = picture.convert("RGB")
        picture.putalpha(opacity)
        if self.extra[self.opacity - self.colours] == 1:  # the colours were multiplied by it already
            return Image.frombytes("RGBA", picture.size, picture.tobytes(), "raw", "RGBa")
        return picture

    def _opaque_picture(self, bands: list[Image.Image]) -> Image.Image:
        if self.photometric == WHITE_IS_ZERO:
            return ImageChops.invert(bands[0])
        if self.photometric == GREY:
            return bands[0]
        if self.photometric == PALETTE:
            return self._from_palette(bands[0])
        if self.photometric == CMYK:
            return Image.merge("CMYK", bands)
        if self.photometric in (LAB, ICC_LAB):
            return lab_in_srgb(bands, signed=self.photometric == LAB)
        return Image.merge("RGB", bands)

    def _from_palette(self, indices: Image.Image) -> Image.Image:
        entries = self.numbers(_COLOURS, 3 * 256)
        count = len(entries) // 3
        if count < 1 << self.bits:
            raise ValueError("too few colours")
        down = 8 if max(entries) > 255 else 0  # some writers put 8 bits into the 16
        palette = [entries[band * count + one] >> down for one in range(count) for band in range(3)]
        # Pillow has spread the indices of fewer bits over 0 to 255, as it does with greys.
        indices = indices.point([value * ((1 << self.bits) - 1) // 255 for value in range(256)])
        indices.putpalette(palette[: 3 * 256])
        return indices.convert("RGB")


def _top_bytes_of_twelve(data: bytes, piece: Piece) -> bytes:
    """The top 8 of each 12 bits; every row begins with a byte of its own."""
    numbers = piece.width * piece.samples
    row = (numbers * 12 + 7) // 8
    found = bytearray(numbers * piece.height)
    low, high = bytes((v & 15) << 4 for v in range(256)), bytes(v >> 4 for v in range(256))
    for top in range(piece.height):
        line = data[top * row : (top + 1) * row]
        start = top * numbers
        found[start : start + numbers : 2] = line[0::3][: (numbers + 1) // 2]
        middle, last = line[1::3][: numbers // 2].translate(low), line[2::3].translate(high)
        both = int.from_bytes(middle, "big") | int.from_bytes(last[: len(middle)], "big")
        found[start + 1 : start + numbers : 2] = both.to_bytes(len(middle), "big")
    return bytes(found)
