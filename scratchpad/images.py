"""Pictures from strangers: anything that claims to be an image becomes an upright 8-bit RGB picture or one sentence."""

from __future__ import annotations

import hashlib
import io
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from scratchpad.errors import UserError
from scratchpad.files import write_whole

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")  # decoded in this process; of others (EPS) a program would be started
MAX_PIXELS = 40_000_000
MAX_BYTES = 64 * 2**20
MAX_IMAGES = 10  # images in one run
MAX_TOTAL = 100_000_000  # pixels of all of them
GAP = 4  # px between pictures beside each other
Given = str | Path | bytes | Image.Image | None  # a file, its bytes, a picture; None where nothing was given


def load_image(source: Given) -> Image.Image:
    """An upright RGB picture: EXIF rotation applied, first frame of an animation, transparency on white, 16 bits scaled.

    Raises:
        UserError: nothing was given, it isn't an image, it's damaged, or it has more than MAX_PIXELS pixels.
    """
    if source is None or source == "":
        raise UserError("No image was given; expected a picture file such as PNG or JPEG: choose one.")
    if isinstance(source, Image.Image):
        return _upright(source, "the image")
    name = "the upload" if isinstance(source, bytes) else Path(source).name
    data = source if isinstance(source, bytes) else _read(Path(source))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what damaged files make decoders say is said in one sentence
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = opened(data)
            if picture.width * picture.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            picture.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UserError(f"{name} has more than {MAX_PIXELS // 10**6} million pixels; scale it down and try again.") from error
    except UnidentifiedImageError as error:
        raise UserError(f"{name} is not an image; expected a picture file such as PNG or JPEG.") from error
    except Exception as error:  # what decoders raise for damaged files is of many kinds: IndexError, struct.error, KeyError ...
        raise UserError(f"{name} is damaged or incomplete and can't be read as an image; export it again.") from error
    return _upright(picture, name)


def opened(source: str | Path | bytes) -> Image.Image:
    """A picture whose head is read, of one of FORMATS by its content, whatever it's called. The one place where files are opened as
    pictures.

    Raises:
        UnidentifiedImageError: it's none of them.
    """
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)


def pixels(data: bytes) -> int:
    """How many a file says that it has, of all its tiles; 0 where it isn't a picture, which decoding it says."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = opened(data)
        return picture.width * picture.height
    except Image.DecompressionBombError:
        return MAX_TOTAL + 1
    except Exception:  # as above
        return 0


def load_images(sources: Sequence[Given]) -> list[Image.Image]:
    """As `load_image`, of the 1 to MAX_IMAGES images of one run.

    Raises:
        UserError: there are too many, or they have more than MAX_TOTAL pixels together.
    """
    if not 1 <= len(sources) <= MAX_IMAGES:
        raise UserError(f"{len(sources)} images were given; expected 1 to {MAX_IMAGES}.")
    pictures: list[Image.Image] = []
    for source in sources:
        pictures.append(load_image(source))
        if sum(picture.width * picture.height for picture in pictures) > MAX_TOTAL:
            raise UserError(f"The images have more than {MAX_TOTAL // 10**6} million pixels together; scale them down and try again.")
    return pictures


def several(image: Given | Sequence[Given]) -> Sequence[Given]:
    """One picture or several as several."""
    return [image] if image is None or isinstance(image, str | Path | bytes | Image.Image) else image


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise UserError(f"There is no file {path}; expected the path of a picture.")
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"{path.name} is larger than {MAX_BYTES // 2**20} MB; scale it down and try again.")
    return path.read_bytes()


def _upright(picture: Image.Image, name: str) -> Image.Image:
    try:
        picture.seek(0)
        picture = ImageOps.exif_transpose(picture)
        if picture.mode.startswith(("I", "F")):
            picture = _eight_bits(picture)
        if "A" in picture.getbands() or "transparency" in picture.info:
            clear = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", clear.size, (255, 255, 255, 255)), clear)
        return picture.convert("RGB")
    except Exception as error:
        raise UserError(f"{name} is damaged or incomplete and can't be read as an image; export it again.") from error


def _eight_bits(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture, np.float64)
    top = 65535.0 if picture.mode != "F" and values.max(initial=0) > 255 else max(float(values.max(initial=0)), 1.0)
    return Image.fromarray((np.clip(values, 0, top) / top * 255).astype(np.uint8))


def thumbnail(picture: Image.Image, side: int) -> Image.Image:
    """A copy of which the longer side has at most so many pixels."""
    small = picture.copy()
    small.thumbnail((side, side))
    return small


def beside(pictures: Sequence[Image.Image], across: int = 4) -> Image.Image:
    """Several pictures on one, in rows of up to `across`; one alone is itself."""
    if len(pictures) == 1:
        return pictures[0]
    wide, high = (max(sides) for sides in zip(*(picture.size for picture in pictures), strict=True))
    cols = min(len(pictures), across)
    whole = Image.new("RGB", (cols * (wide + GAP) - GAP, -(-len(pictures) // cols) * (high + GAP) - GAP), (128, 128, 128))
    for n, picture in enumerate(pictures):
        whole.paste(picture, (n % cols * (wide + GAP), n // cols * (high + GAP)))
    return whole


def sha256(picture: Image.Image) -> str:
    """Hash of the upright pixels and size, so that the same picture in another file format is the same picture."""
    return hashlib.sha256(f"{picture.size}".encode() + picture.tobytes()).hexdigest()


def save_upload(data: bytes) -> Path:
    """A picture as a file of its own among the temporary ones, named by its content."""
    folder = Path(tempfile.gettempdir()) / "visual-scratchpad"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{hashlib.sha256(data).hexdigest()[:32]}.png"
    if not path.exists():
        write_whole(path, data)
    return path
