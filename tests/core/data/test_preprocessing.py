import io
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.data.preprocessing import Pixels, decode, for_network, to_grey
from core.errors import UnreadableImage
from core.predicting.digits import to_digit

Arrays = dict[str, NDArray[np.uint8]]

RED_LEFT = np.zeros((20, 40, 3), np.uint8)
"""40 wide and 20 high: the left half red, the right half black."""
RED_LEFT[:, :20, 0] = 255
RED = (255, 0, 0)


def saved(pixels: NDArray[Any] | Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def stroke(ink: int, paper: int) -> Pixels:
    """A vertical stroke, 4 wide and 30 high, on 60x60."""
    picture = np.full((60, 60), paper, np.uint8)
    picture[15:45, 28:32] = ink
    return picture


def with_alpha(ink: int) -> Pixels:
    """The same stroke, opaque, on transparent black."""
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[15:45, 28:32] = (ink, ink, ink, 255)
    return rgba


# --- decoding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "GIF"])
def test_a_file_without_loss_gives_its_pixels_in_rgb(file_format: str) -> None:
    np.testing.assert_array_equal(decode(saved(RED_LEFT, file_format)), RED_LEFT)


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP"])
def test_a_file_with_loss_gives_nearly_its_pixels(file_format: str) -> None:
    found = decode(saved(RED_LEFT, file_format, quality=95))
    assert np.abs(found.astype(int) - RED_LEFT).mean() < 3


def test_a_grey_file_stays_grey() -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    np.testing.assert_array_equal(decode(saved(grey)), grey)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_photograph_taken_sideways_is_turned_upright(file_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    found = decode(saved(RED_LEFT, file_format, exif=exif))
    assert found.shape == (40, 20, 3)
    assert np.abs(found[2].astype(int) - RED).max() < 5
    assert found[-2].max() < 5


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_transparent_picture_is_turned_as_an_opaque_one(
    file_format: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    opaque = saved(RED_LEFT, "PNG", exif=exif)
    image = Image.fromarray(np.dstack([RED_LEFT, np.full((20, 40), 255, np.uint8)]))
    lossless = {"lossless": True} if file_format == "WEBP" else {}
    transparent = saved(image, file_format, exif=exif, **lossless)
    np.testing.assert_array_equal(decode(transparent), decode(opaque))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_grey_picture_is_turned_as_pillow_turns_it(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    grey = np.arange(8 * 16, dtype=np.uint8).reshape(8, 16)
    content = saved(grey, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(decode(content), np.asarray(upright))


def heic(pixels: NDArray[np.uint8], orientation: int = 1) -> bytes:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    image = pillow_heif.from_bytes(
        mode="RGBA" if pixels.shape[2] == 4 else "RGB",
        size=pixels.shape[1::-1],
        data=pixels.tobytes(),
    )
    image.save(file, quality=95, exif=exif.tobytes())
    return file.getvalue()


def test_a_photograph_of_a_telephone_in_heic_is_read() -> None:
    found = decode(heic(np.kron(RED_LEFT, np.ones((4, 4, 1), np.uint8))))
    assert found.shape == (80, 160, 3)
    assert np.abs(found[40, 20].astype(int) - RED).max() < 8


def test_a_heic_taken_sideways_is_turned_upright() -> None:
    found = decode(heic(np.kron(RED_LEFT, np.ones((4, 4, 1), np.uint8)), orientation=6))
    assert found.shape == (160, 80, 3)
    assert np.abs(found[20, 40].astype(int) - RED).max() < 8


def test_a_transparent_heic_is_laid_on_white() -> None:
    found = decode(heic(np.zeros((64, 64, 4), np.uint8)))
    assert found.min() > 250


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_heic_cut_short_is_refused(share: float) -> None:
    content = heic(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    with pytest.raises(UnreadableImage, match="damaged or cut short"):
        decode(content[: int(share * len(content))])


@pytest.mark.parametrize("largest", [1.0, 255.0])
def test_numbers_with_a_point_are_read_as_fractions_or_levels(largest: float) -> None:
    numbers = np.linspace(0, largest, 64, dtype=np.float32).reshape(8, 8)
    levels = np.rint(np.linspace(0, 255, 64)).reshape(8, 8)
    assert np.abs(decode(saved(numbers, "TIFF")) - levels).max() <= 1


@pytest.mark.parametrize(("lowest", "highest"), [(-1, 1), (0, 4000), (0, np.nan)])
def test_numbers_of_an_unknown_range_are_refused(lowest: float, highest: float) -> None:
    numbers = np.linspace(lowest, highest, 64, dtype=np.float32).reshape(8, 8)
    with pytest.raises(UnreadableImage, match="must hold 0 to 1, or 0 to 255"):
        decode(saved(numbers, "TIFF"))


def test_a_tiff_of_sixteen_bits_is_read() -> None:
    deep = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    np.testing.assert_array_equal(decode(saved(deep, "TIFF")), deep // 257)


def test_an_svg_is_refused_with_the_way_out() -> None:
    content = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>'
    with pytest.raises(UnreadableImage, match=r"the file is an SVG.* export it as PNG"):
        decode(content)


def test_sixteen_bits_a_pixel_become_eight() -> None:
    deep = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    np.testing.assert_array_equal(decode(saved(deep)), deep // 257)


def test_sixteen_bits_with_transparency_become_eight() -> None:
    deep = np.full((8, 8, 4), 65535, np.uint16)
    deep[..., 1:3] = 0  # BGRA: blue
    encoded = cv2.imencode(".png", deep[..., [0, 1, 2, 3]])[1].tobytes()
    np.testing.assert_array_equal(decode(encoded), np.full((8, 8, 3), (0, 0, 255)))


def test_one_bit_a_pixel_becomes_black_and_white() -> None:
    bits = np.eye(8, dtype=bool)
    np.testing.assert_array_equal(decode(saved(bits)), bits * np.uint8(255))


def test_a_palette_is_looked_up() -> None:
    image = Image.fromarray(RED_LEFT).convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(decode(saved(image)), RED_LEFT)


def test_four_inks_of_a_printer_become_rgb() -> None:
    found = decode(saved(Image.fromarray(RED_LEFT).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(found[:, 2].astype(int) - RED).max() < 8


def test_black_ink_on_nothing_is_laid_on_white() -> None:
    np.testing.assert_array_equal(to_grey(decode(saved(with_alpha(0)))), stroke(0, paper=255))


def test_white_ink_on_nothing_is_laid_on_black() -> None:
    np.testing.assert_array_equal(to_grey(decode(saved(with_alpha(255)))), stroke(255, paper=0))


def test_a_transparent_place_in_a_palette_is_laid_on_white() -> None:
    image = Image.fromarray(stroke(0, paper=255)).convert("P")
    transparent = saved(image, transparency=255)
    np.testing.assert_array_equal(to_grey(decode(transparent)), stroke(0, paper=255))


def test_half_transparent_ink_is_mixed_with_the_paper() -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[..., 3] = 51  # a fifth
    assert np.unique(decode(saved(rgba))).tolist() == [204]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_cut_short_is_refused(file_format: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    content = saved(noise, file_format)
    with pytest.raises(UnreadableImage):
        decode(content[: int(share * len(content))])


@pytest.mark.parametrize(
    "content",
    [
        b"hello\nworld\n",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>',
        b"%PDF-1.7\n",
        bytes(1000),
    ],
)
def test_what_is_no_image_is_answered_with_the_formats(content: bytes) -> None:
    with pytest.raises(UnreadableImage, match="use PNG, JPEG, WEBP, BMP, TIFF, GIF, HEIC, HEIF"):
        decode(content)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a\x10"])
def test_what_begins_as_a_picture_is_damaged_not_unknown(content: bytes) -> None:
    with pytest.raises(UnreadableImage, match="the image is damaged or cut short"):
        decode(content)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(UnreadableImage, match="the file is empty"):
        decode(b"")


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 100), (100, 3)])
def test_a_picture_too_small_to_show_anything_is_refused(width: int, height: int) -> None:
    content = saved(np.zeros((height, width), np.uint8))
    with pytest.raises(UnreadableImage, match=f"at least 4 pixels .* got {width}x{height}"):
        decode(content)


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (10_000, 5_001)])
def test_a_small_file_of_a_huge_picture_is_refused(width: int, height: int) -> None:
    content = saved(Image.new("1", (width, height)))
    assert len(content) < 100_000
    with pytest.raises(UnreadableImage, match="at most 50 million pixels"):
        decode(content)


# --- to what a network is fed -----------------------------------------------------------------


def test_an_image_of_the_right_size_is_not_touched() -> None:
    images = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    np.testing.assert_array_equal(for_network(images, 4, 1), images[..., None])


def test_shrinking_takes_the_mean_of_what_falls_together() -> None:
    image = np.array([[0, 10, 50, 50], [20, 30, 50, 50], [1, 1, 0, 0], [1, 1, 0, 4]], np.uint8)
    expected = [[[15], [50]], [[1], [1]]]
    np.testing.assert_array_equal(for_network(image[None], 2, 1), [expected])


def test_shrinking_a_lot_still_sees_every_pixel() -> None:
    image = np.zeros((4, 4), np.uint8)
    image[0, 0] = 160
    assert for_network(image[None], 1, 1).item() == 10


def test_growing_is_bilinear() -> None:
    image = np.array([[0, 100], [0, 100]], np.uint8)
    row = [0, 25, 75, 100]
    np.testing.assert_array_equal(for_network(image[None], 4, 1)[0, :, :, 0], [row] * 4)


def test_grey_is_repeated_in_three_channels() -> None:
    images = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    found = for_network(images, 4, 3)
    assert found.shape == (2, 4, 4, 3)
    for channel in range(3):
        np.testing.assert_array_equal(found[..., channel], images)


def test_colours_become_grey_by_how_bright_they_look() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
    # 0.299 red, 0.587 green, 0.114 blue (ITU-R BT.601)
    np.testing.assert_array_equal(for_network(colours[None], 2, 1)[0, ..., 0], [[76, 150], [29, 9]])


def test_colours_stay_where_a_network_takes_colours() -> None:
    np.testing.assert_array_equal(for_network(RED_LEFT[None, :, 10:30], 20, 3)[0, 0, 0], RED)


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (48, 3)])
@pytest.mark.parametrize("inverted", [False, True])
def test_an_uploaded_test_image_gives_the_input_that_training_uses(
    mnist: Arrays, side: int, channels: int, inverted: bool
) -> None:
    images = mnist["x_test"][:50]
    uploads = (saved(255 - image if inverted else image) for image in images)
    digits = np.stack([to_digit(decode(upload)).digit for upload in uploads])
    expected = for_network(images, side, channels)
    assert expected.shape == (50, side, side, channels)
    assert expected.dtype == np.uint8
    np.testing.assert_array_equal(for_network(digits, side, channels), expected)


def test_many_images_are_prepared_as_each_by_itself(mnist: Arrays) -> None:
    images = mnist["x_test"][:20]
    together = for_network(images, 48, 3)
    for image, prepared in zip(images, together, strict=True):
        np.testing.assert_array_equal(for_network(image[None], 48, 3)[0], prepared)
