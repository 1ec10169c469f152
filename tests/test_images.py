"""Bad input is input: everything that can be handled is, the rest is one sentence."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scratchpad import images
from scratchpad.errors import UserError
from scratchpad.images import beside, load_image, load_images


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


RED = Image.new("RGB", (6, 4), (200, 10, 10))


@pytest.mark.parametrize(
    "data",
    [
        encoded(RED.convert("P")),
        encoded(RED.convert("RGBA")),
        encoded(RED.convert("L")),
        encoded(RED.convert("CMYK"), "JPEG"),
        encoded(RED.convert("1")),
        encoded(RED, "GIF", save_all=True, append_images=[Image.new("RGB", (6, 4))]),
        encoded(RED, "WEBP"),
    ],
    ids=["palette", "alpha", "grey", "cmyk", "one-bit", "animated", "webp"],
)
def test_modes_become_rgb(data: bytes) -> None:
    picture = load_image(data)
    assert (picture.mode, picture.size) == ("RGB", (6, 4))


def test_animation_gives_its_first_frame() -> None:
    data = encoded(RED, "GIF", save_all=True, append_images=[Image.new("RGB", (6, 4))])
    assert load_image(data).getpixel((0, 0))[0] > 150


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    data = encoded(Image.fromarray(np.full((4, 4), 32768, np.uint16)))
    assert load_image(data).getpixel((0, 0)) == pytest.approx((127, 127, 127), abs=1)


def test_transparency_lies_on_white() -> None:
    assert load_image(encoded(Image.new("RGBA", (2, 2), (0, 0, 0, 0)))).getpixel((0, 0)) == (255, 255, 255)


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert load_image(encoded(RED, "JPEG", exif=exif)).size == (4, 6)


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1)])
def test_extreme_shapes_load(size: tuple[int, int]) -> None:
    assert load_image(encoded(Image.new("RGB", size))).size == size


def test_nothing_is_one_sentence() -> None:
    with pytest.raises(UserError, match="No image was given"):
        load_image(None)


def test_text_called_png(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("hello")
    with pytest.raises(UserError, match="not an image"):
        load_image(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_truncated_files(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    data = encoded(noise, kind)
    with pytest.raises(UserError, match=r"damaged|not an image"):
        load_image(data[: len(data) // 2])


def test_decompression_bomb() -> None:
    with pytest.raises(UserError, match="million pixels"):
        load_image(encoded(Image.new("1", (20_000, 20_000))))


def test_missing_file() -> None:
    with pytest.raises(UserError, match="There is no file"):
        load_image("nowhere/at-all.png")


def test_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        load_image(tmp_path)


def test_too_many_images_are_refused_before_one_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="11 images were given; expected 1 to 10"):
        load_images(["nowhere.png"] * 11)
    monkeypatch.setattr(images, "MAX_TOTAL", 250)
    with pytest.raises(UserError, match="million pixels together"):
        load_images([Image.new("RGB", (10, 10))] * 3)
    assert len(load_images([Image.new("RGB", (10, 10))] * 2)) == 2


def test_pictures_beside_each_other_stay_as_they_are() -> None:
    one, other = Image.new("RGB", (6, 4), (255, 0, 0)), Image.new("RGB", (3, 8), (0, 255, 0))
    assert beside([one]) is one
    sheet = beside([one, other, one], 2)
    assert sheet.size == (6 + 4 + 6, 8 + 4 + 8)
    assert sheet.crop((10, 0, 13, 8)).tobytes() == other.tobytes()
    assert sheet.crop((0, 12, 6, 16)).tobytes() == one.tobytes()


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 4\n%%EndComments\nshowpage\n%%EOF\n"


def test_what_a_program_would_be_started_for_is_no_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def started(*_: object, **__: object) -> None:
        pytest.fail("a program was started")

    monkeypatch.setattr("subprocess.Popen", started)
    monkeypatch.setattr("subprocess.check_call", started)
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", started)
    path = tmp_path / "a.png"
    path.write_bytes(POSTSCRIPT)
    others = [encoded(RED, kind) for kind in ("PPM", "TGA", "PCX", "ICO", "DDS", "SGI")]
    for source in (POSTSCRIPT, path, *others):
        with pytest.raises(UserError, match="is not an image"):
            load_image(source)
        assert images.pixels(path.read_bytes()) == 0


@pytest.mark.parametrize("kind", images.FORMATS)
def test_every_format_that_is_opened_is_decoded(kind: str) -> None:
    assert load_image(encoded(RED, kind)).size == (6, 4)


def test_no_other_place_opens_files_as_pictures() -> None:
    package = Path(images.__file__).parent
    found = [path.relative_to(package).as_posix() for path in package.rglob("*.py") if "Image.open(" in path.read_text()]
    assert found == ["images.py"]


def test_pictures_with_bytes_changed_are_a_sentence_or_a_picture() -> None:
    rng = np.random.default_rng(6)
    noise = Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8))
    whole = {kind: encoded(noise, kind) for kind in images.FORMATS}
    whole |= {"deflated": encoded(noise, "TIFF", compression="tiff_deflate"), "palette": encoded(noise.convert("P"))}
    said = 0
    for n in range(1500):
        data = bytearray(list(whole.values())[n % len(whole)])
        for place in rng.integers(0, min(len(data), 200), int(rng.integers(1, 6))):
            data[place] = int(rng.integers(256))
        try:
            assert load_image(bytes(data)).mode == "RGB"
        except UserError:
            said += 1
    assert said > 300
