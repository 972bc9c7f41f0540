"""A JPEG 2000 of any depth that is read is the picture that was put into it."""

from __future__ import annotations

import pytest

from chalicelib.errors import UnusableImage
from tests.intake.corpus import cat
from tests.intake.judge import distance, judged, magick, read, shown, verdict
from tests.intake.pictures import saved

SIZE = (300, 200)
PHOTO = cat(*SIZE)
CLOSE = 5.0


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
@pytest.mark.parametrize("options", [{}, {"tile_size": (64, 64)}, {"num_resolutions": 1}, {"no_jp2": True}])
def test_it_is_the_picture_that_was_written(mode: str, options: dict[str, object]) -> None:
    expected = PHOTO.convert(mode[0] if mode[0] == "L" else "RGB").convert("RGB")
    made = read(saved(PHOTO.convert(mode), "JPEG2000", **options))
    assert (made.content_type, made.width, made.height) == ("image/jp2", *SIZE)
    assert distance(shown(saved(PHOTO.convert(mode), "JPEG2000", **options)), expected) < CLOSE


@pytest.mark.slow
def test_a_large_one_is_decoded_at_the_resolution_that_is_needed() -> None:
    large = PHOTO.resize((4_800, 3_200))
    assert distance(shown(saved(large, "JPEG2000")), PHOTO.resize((512, 341))) < CLOSE


@judged
@pytest.mark.parametrize(
    "options", [["-depth", "16"], ["-colorspace", "gray", "-depth", "12"], ["-depth", "12"], []]
)
@pytest.mark.parametrize("kind", ["jp2", "j2k"])
def test_an_independent_writer_and_reader_agrees(options: list[str], kind: str) -> None:
    content = magick("png:-", *options, f"{kind}:-", content=saved(PHOTO, "PNG"))
    assert distance(shown(content), verdict(content, kind, SIZE)) < CLOSE


@judged
@pytest.mark.parametrize("options", [["-colorspace", "gray", "-depth", "4"], ["-sampling-factor", "4:2:0"]])
def test_what_is_not_read_is_refused_by_its_name(options: list[str]) -> None:
    content = magick("png:-", "-colorspace", "YCbCr", *options, "jp2:-", content=saved(PHOTO, "PNG"))
    with pytest.raises(UnusableImage, match="a JPEG 2000 image") as raised:
        read(content)
    assert raised.value.code == "unsupported-type"


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_cut_one_is_truncated(share: float) -> None:
    """OpenJPEG gives no part of one that ends too soon."""
    whole = saved(PHOTO, "JPEG2000")
    with pytest.raises(UnusableImage) as raised:
        read(whole[: int(len(whole) * share)])
    assert raised.value.code == "truncated"
