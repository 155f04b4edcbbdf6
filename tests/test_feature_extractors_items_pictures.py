"""Odd pictures, made here: each is read as the picture that people see, or refused in one sentence."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from hostile.media import chunk, png, written
from PIL import Image, ImageCms

import feature_extractors as fx
from feature_extractors.contracts import ItemProblem
from feature_extractors.pictures import MAX_PIXELS, read_picture
from feature_extractors.pixels import MAX_RATIO

TURN = Image.Transpose
TURNED_BY_CAMERA = {
    1: None, 2: TURN.FLIP_LEFT_RIGHT, 3: TURN.ROTATE_180, 4: TURN.FLIP_TOP_BOTTOM,
    5: TURN.TRANSPOSE, 6: TURN.ROTATE_90, 7: TURN.TRANSVERSE, 8: TURN.ROTATE_270,
}  # fmt: skip
LOSSLESS = {"png": {}, "webp": {"lossless": True}, "tif": {}}
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def corners() -> Image.Image:
    """Four quarters of different colours on a picture that is wider than high: every turn shows."""
    pixels = np.zeros((96, 128, 3), dtype=np.uint8)
    pixels[:48, :64], pixels[:48, 64:], pixels[48:, :64] = RED, GREEN, BLUE
    return Image.fromarray(pixels)


def photograph(width: int = 400, height: int = 300) -> Image.Image:
    """Smooth colours, as in a photograph."""
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def deep_png(values: list, colour: int, *chunks: bytes) -> bytes:
    """One row of 16-bit pixels; colour as PNG counts: 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""
    row = b"\0" + np.array(values).astype(">u2").tobytes()
    return png(len(values), 1, *chunks, chunk(b"IDAT", zlib.compress(row)), depth=16, colour=colour)


def shown(path: Path, **more) -> list[tuple[int, int, int]]:
    """The colours of the first row, from the left."""
    picture = read_picture(path, **more)
    assert picture.mode == "RGB"
    return [picture.getpixel((x, 0)) for x in range(picture.width)]


def difference(a: Image.Image, b: Image.Image) -> float:
    assert a.size == b.size
    return float(np.abs(np.asarray(a, dtype=float) - np.asarray(b, dtype=float)).mean())


# --- turned by the camera -----------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", TURNED_BY_CAMERA)
def test_all_eight_turns_are_undone(tmp_path, orientation):
    stored = corners() if orientation == 1 else corners().transpose(TURNED_BY_CAMERA[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    for ending, how in LOSSLESS.items():
        stored.save(tmp_path / f"a.{ending}", exif=exif, **how)
        assert difference(read_picture(tmp_path / f"a.{ending}"), corners()) == 0
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    assert difference(read_picture(tmp_path / "a.jpg"), corners()) < 2


@pytest.fixture(scope="module")
def efficientnet():
    return fx.load_encoder("efficientnet-lite0", "picture", device="cpu")


def test_a_turned_photograph_has_the_features_of_the_upright_one(efficientnet, tmp_path):
    upright, exif = photograph(), Image.Exif()
    for orientation, operation in TURNED_BY_CAMERA.items():
        exif[0x0112] = orientation
        stored = upright if operation is None else upright.transpose(operation)
        stored.save(tmp_path / f"{orientation}.jpg", exif=exif, quality=95)
    upright.save(tmp_path / "9.jpg", progressive=True, quality=95)
    upright.transpose(TURN.ROTATE_90).save(tmp_path / "lying.jpg", quality=95)
    names = [*sorted(f"{i}.jpg" for i in range(1, 10)), "lying.jpg"]
    rows = efficientnet.encode([tmp_path / name for name in names]).features
    alike = np.corrcoef(rows)[0]
    assert alike[:9].min() > 0.99, "eight turns, and one progressive"
    assert alike[9] < 0.9, "a picture that really lies on its side is another picture"


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_a_turn_that_does_not_exist_is_no_turn(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    corners().save(tmp_path / "a.png", exif=exif)
    assert difference(read_picture(tmp_path / "a.png"), corners()) == 0


def test_mangled_exif_costs_nothing(tmp_path):
    corners().save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xffgarbage", quality=95, subsampling=0)
    assert difference(read_picture(tmp_path / "a.jpg"), corners()) < 2


# --- colours ------------------------------------------------------------------------------------------------


def test_cmyk_jpegs_in_the_three_ways_they_are_written(tmp_path):
    """Inverted under Adobe's mark, the same without the mark, and as YCCK, the way Photoshop writes."""
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "adobe.jpg", quality=95)
    raw = (tmp_path / "adobe.jpg").read_bytes()
    mark = raw.index(b"\xff\xee")
    written(tmp_path / "plain.jpg", raw[:mark] + raw[mark + 16 :])
    # YCCK stores the complements of C, M and Y as if they were RGB: red is the complement of (0, 255, 255).
    luma = Image.new("RGB", (1, 1), (0, 255, 255)).convert("YCbCr").getpixel((0, 0))
    Image.new("CMYK", (8, 8), (*(255 - v for v in luma), 0)).save(tmp_path / "ycck.jpg", quality=95)
    raw = bytearray((tmp_path / "ycck.jpg").read_bytes())
    raw[raw.index(b"Adobe") + 11] = 2  # the transform byte
    written(tmp_path / "ycck.jpg", bytes(raw))
    for name in ("adobe", "plain", "ycck"):
        assert np.abs(np.subtract(shown(tmp_path / f"{name}.jpg")[0], RED)).max() < 6, name


def test_deep_colours_keep_their_range(tmp_path):
    path = tmp_path / "a.png"
    written(path, deep_png([[65535, 32896, 257], [0, 0, 65535]], 2))
    assert shown(path) == [(255, 128, 1), BLUE]
    written(path, deep_png([[65535, 0, 0, 32896], [0, 0, 65535, 65535]], 6))
    assert shown(path) == [(255, 127, 127), BLUE]
    written(path, deep_png([[0, 32896], [65535, 65535]], 4))
    assert shown(path) == [(127, 127, 127), (255, 255, 255)]
    written(path, deep_png([[0], [257], [65535]], 0, chunk(b"tRNS", struct.pack(">H", 0))))
    assert shown(path) == [(255, 255, 255), (1, 1, 1), (255, 255, 255)], "the first is transparent"
    written(path, deep_png([[65535, 0, 0], [0, 0, 65535]], 2, chunk(b"tRNS", struct.pack(">HHH", 65535, 0, 0))))
    assert shown(path) == [(255, 255, 255), BLUE]


def test_palettes_with_any_transparency(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "half.png", transparency=bytes([128, 255]))
    assert shown(tmp_path / "half.png") == [(255, 127, 127), BLUE]
    image.save(tmp_path / "one.gif", transparency=0)
    assert shown(tmp_path / "one.gif") == [(255, 255, 255), BLUE]
    image.convert("RGB").save(tmp_path / "keyed.png", transparency=RED)
    assert shown(tmp_path / "keyed.png") == [(255, 255, 255), BLUE]
    grey = Image.new("L", (2, 1))
    grey.putpixel((1, 0), 99)
    grey.save(tmp_path / "grey.png", transparency=0)
    assert shown(tmp_path / "grey.png") == [(255, 255, 255), (99, 99, 99)]


def profile_that_swaps_red_and_green() -> bytes:
    """sRGB with two of its primaries exchanged, and with another name."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    raw = bytearray(srgb.replace(b"s\0R\0G\0B", b"o\0d\0d\0 "))
    count = struct.unpack(">L", raw[128:132])[0]
    tags = {bytes(raw[p : p + 4]): p + 4 for p in range(132, 132 + 12 * count, 12)}
    red, green = (slice(tags[name], tags[name] + 8) for name in (b"rXYZ", b"gXYZ"))
    raw[red], raw[green] = raw[green], raw[red]
    return bytes(raw)


def test_colours_follow_the_embedded_profile(tmp_path):
    odd = profile_that_swaps_red_and_green()
    Image.new("RGB", (1, 1), RED).save(tmp_path / "a.png", icc_profile=odd)
    assert shown(tmp_path / "a.png") == [GREEN]
    Image.new("RGBA", (1, 1), (*RED, 128)).save(tmp_path / "a.webp", icc_profile=odd, lossless=True)
    assert np.abs(np.subtract(shown(tmp_path / "a.webp"), (127, 255, 127))).max() <= 1
    tall = photograph(20, 600)
    tall.save(tmp_path / "tall.png", icc_profile=odd)
    own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(odd)), ImageCms.createProfile("sRGB")
    assert difference(read_picture(tmp_path / "tall.png"), ImageCms.profileToProfile(tall, own, srgb)) == 0


@pytest.mark.parametrize("profile", [b"no profile", profile_that_swaps_red_and_green()[:200]])
def test_a_damaged_profile_is_passed_over(tmp_path, profile):
    Image.new("RGB", (1, 1), RED).save(tmp_path / "a.png", icc_profile=profile)
    assert shown(tmp_path / "a.png") == [RED]


def test_a_profile_for_another_sort_of_picture_is_passed_over(tmp_path):
    Image.new("L", (1, 1), 77).save(tmp_path / "a.png", icc_profile=profile_that_swaps_red_and_green())
    assert shown(tmp_path / "a.png") == [(77, 77, 77)]


# --- animations, containers, names ----------------------------------------------------------------------------


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    first, *rest = (Image.new("RGBA", (8, 8), colour) for colour in ("blue", "red", "lime"))
    for ending, how in LOSSLESS.items():
        first.save(tmp_path / f"a.{ending}", save_all=True, append_images=rest, **how)
        assert shown(tmp_path / f"a.{ending}")[0] == BLUE, ending
    first.convert("RGB").save(tmp_path / "two.jpg", "MPO", save_all=True, append_images=[rest[0].convert("RGB")])
    assert shown(tmp_path / "two.jpg")[0][2] > 250, "a telephone's pair of JPEGs in one file"


@pytest.mark.parametrize(("inside", "named"), [("PNG", "jpg"), ("JPEG", "png"), ("WEBP", "gif"), ("GIF", "bmp")])
def test_a_wrong_ending_does_not_matter(tmp_path, inside, named):
    Image.new("RGB", (4, 4), "blue").save(tmp_path / f"a.{named}", inside)
    assert shown(tmp_path / f"a.{named}")[0][2] > 250


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "gif", "bmp", "tif"])
def test_half_a_picture_is_refused(tmp_path, ending):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8))
    noise.save(tmp_path / f"whole.{ending}")
    raw = (tmp_path / f"whole.{ending}").read_bytes()
    with pytest.raises(ItemProblem, match="damaged|not a PNG"):
        read_picture(written(tmp_path / f"half.{ending}", raw[: len(raw) // 2]))


# --- sizes ----------------------------------------------------------------------------------------------------


def test_a_hundred_million_pixels_are_read_and_one_row_more_is_refused(tmp_path):
    Image.new("L", (10_000, MAX_PIXELS // 10_000), 90).save(tmp_path / "largest.jpg")
    assert np.abs(np.asarray(read_picture(tmp_path / "largest.jpg", enough=256)) - 90.0).max() <= 1
    Image.new("1", (10_000, MAX_PIXELS // 10_000 + 1)).save(tmp_path / "larger.png")
    with pytest.raises(ItemProblem, match="over 100 million pixels"):
        read_picture(tmp_path / "larger.png", enough=256)


def test_one_pixel_is_a_picture(efficientnet, tmp_path):
    for size in (1, 64):
        for ending in ("png", "gif", "bmp"):
            Image.new("RGB", (size, size), (9, 80, 7)).save(tmp_path / f"{size}.{ending}")
    assert shown(tmp_path / "1.png") == [(9, 80, 7)]
    rows = efficientnet.encode([tmp_path / f"{size}.{e}" for size in (1, 64) for e in ("png", "gif", "bmp")]).features
    np.testing.assert_allclose(rows, np.tile(rows[0], (6, 1)), atol=1e-4)


def test_very_long_pictures_are_made_shorter(efficientnet, tmp_path):
    """Scaled by its shorter side to 224, as many networks ask, the first would have a billion pixels."""
    steps = np.repeat([[0], [255]], 10_000, axis=0).astype(np.uint8)
    Image.fromarray(steps.T).convert("RGB").save(tmp_path / "line.png")
    Image.fromarray(steps[:, [0]].repeat(200, axis=1)[::100]).save(tmp_path / "square.png")
    Image.fromarray(steps).save(tmp_path / "tower.jpg", quality=95)
    assert read_picture(tmp_path / "line.png").size == (MAX_RATIO, 1)
    assert shown(tmp_path / "line.png") == [(0, 0, 0)] * 50 + [(255, 255, 255)] * 50
    assert read_picture(tmp_path / "tower.jpg").size == (1, MAX_RATIO)
    assert read_picture(tmp_path / "square.png").size == (200, 200)
    tower, square = efficientnet.encode([tmp_path / "tower.jpg", tmp_path / "square.png"]).features
    assert np.corrcoef(tower, square)[0, 1] > 0.9


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    folder = tiny_models.save_picture_model(tmp_path_factory.mktemp("vit"))
    return fx.load_encoder(str(folder), "picture", device="cpu")


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (50, 3), (3, 50)])
def test_sizes_that_look_like_channels_to_a_model_folder(vit, tmp_path, size):
    """Arrays of 1 or 3 rows could be taken for channels; the picture enlarged is the same to the network."""
    colours = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "small.png")
    Image.fromarray(colours.repeat(8, axis=0).repeat(8, axis=1)).save(tmp_path / "large.png")
    Image.fromarray(255 - colours).save(tmp_path / "other.png")
    small, large, other = vit.encode([tmp_path / f"{name}.png" for name in ("small", "large", "other")]).features
    assert 4 * np.abs(small - large).max() < np.abs(small - other).max()
