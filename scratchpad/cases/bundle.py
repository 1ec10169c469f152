"""A case as bytes: a zip of case.json and its images, the same bytes for the same content, named by their hash.

In: a `Case` with its pictures, or bytes from anywhere. Out: the other. Images are re-encoded on the way in and out, so
nothing but pixels travels: no EXIF, no GPS, no comments.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image
from pydantic import ValidationError

from scratchpad.cases.arrays import check_arrays
from scratchpad.cases.schema import FORMAT, Case
from scratchpad.errors import UserError
from scratchpad.images import MAX_TOTAL, load_image, pixels

MAX_BYTES = 24 * 2**20  # of a bundle
MAX_UNPACKED = 96 * 2**20  # of all that it holds
JSON = "case.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes


@dataclass(frozen=True)
class Bundle:
    """A case that has been checked."""

    id: str  # of its content
    case: Case
    images: tuple[bytes, ...]  # PNG

    def pictures(self) -> list[Image.Image]:
        return [load_image(one) for one in self.images]


def bundle(case: Case, pictures: Sequence[Image.Image]) -> Bundle:
    """Pictures become PNG; `case.images` names them in order."""
    assert len(case.images) == len(pictures), (case.images, len(pictures))
    images = tuple(_png(one) for one in pictures)
    return Bundle(_identity(case, images), case, images)


def pack(made: Bundle) -> bytes:
    """The bundle file.

    Raises:
        UserError: it would be larger than MAX_BYTES.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _add(archive, JSON, _canonical(made.case), zipfile.ZIP_DEFLATED)
        for name, data in zip(made.case.images, made.images, strict=True):
            _add(archive, name, data, zipfile.ZIP_STORED)
    data = buffer.getvalue()
    if len(data) > MAX_BYTES:
        raise UserError(f"The case would take {len(data) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are kept: use a smaller image.")
    return data


def unpack(data: bytes, expected: str | None = None) -> Bundle:
    """Reads a bundle, whatever it claims to be.

    Args:
        expected: the id that it was asked for by.

    Raises:
        UserError: not a bundle, damaged, too large, of an unknown format, or not what `expected` names.
    """
    if len(data) > MAX_BYTES:
        raise UserError(f"The case has {len(data) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise UserError(f"The case unpacks to more than {MAX_UNPACKED // 2**20} MB, which is refused.")
            text = _read(archive, JSON)
            case = _checked(text)
            check_arrays(case)
            images = _pictures([_read(archive, name) for name in case.images])
    except UserError:
        raise
    except (zipfile.BadZipFile, KeyError, zlib.error, ValueError, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        raise UserError("This is not a case, or it is damaged; expected a .case file as `scratchpad case export` writes it.") from error
    found = Bundle(_identity(case, images), case, images)
    if expected is not None and found.id != expected:
        raise UserError(f"The case {expected} was changed after it was made: its content has the id {found.id}; it isn't shown.")
    return found


def _checked(text: bytes) -> Case:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError("The case's text is not JSON: it is damaged.") from error
    version = value.get("format") if isinstance(value, dict) else None
    if version != FORMAT:
        raise UserError(f"The case is of format {version!r}; this version reads format {FORMAT}: use a newer one.")
    try:
        return Case.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        raise UserError(
            f"The case is damaged: {place or 'its content'} is not as format {FORMAT} has it ({first['msg'][:120]})."
        ) from error


def _pictures(files: Sequence[bytes]) -> tuple[bytes, ...]:
    """As PNG of nothing but pixels. How many pixels they have is asked of their heads, before one is decoded."""
    if sum(pixels(data) for data in files) > MAX_TOTAL:
        raise UserError(f"The case's images have more than {MAX_TOTAL // 10**6} million pixels together, which is refused.")
    return tuple(data if _bare(data) else _png(load_image(data)) for data in files)


def _bare(data: bytes) -> bool:
    """Whether a file is a PNG as `_png` writes it: 8-bit RGB, not interlaced, its head, its pixels, its end, and nothing else."""
    if data[:16] != b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" or data[24:29] != b"\x08\x02\x00\x00\x00":
        return False
    at, kinds = 33, []
    while at + 12 <= len(data):
        kinds.append(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return at == len(data) and kinds[-1:] == [b"IEND"] and set(kinds[:-1]) == {b"IDAT"}


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """One entry, never more than may be unpacked, whatever the archive says of its size."""
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UserError("The case is packed in a way that cases aren't; expected a .case file as `scratchpad case export` writes it.")
    with archive.open(name) as entry:
        data = entry.read(MAX_UNPACKED + 1)
    if len(data) > MAX_UNPACKED:
        raise UserError(f"The case unpacks to more than {MAX_UNPACKED // 2**20} MB, which is refused.")
    return data


def _add(archive: zipfile.ZipFile, name: str, data: bytes, how: int) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = how
    info.external_attr = 0o644 << 16
    archive.writestr(info, data)


def _canonical(case: Case) -> bytes:
    return json.dumps(case.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _identity(case: Case, images: Sequence[bytes]) -> str:
    """Of the text and of the pixels, not of how they happen to be compressed."""
    digest = hashlib.sha256(_canonical(case))
    for data in images:
        picture = load_image(data)
        digest.update(f"{picture.size}".encode() + picture.tobytes())
    return digest.hexdigest()[:32]


def _png(picture: Image.Image) -> bytes:
    bare = Image.frombytes("RGB", picture.size, picture.convert("RGB").tobytes())  # pixels alone
    buffer = io.BytesIO()
    bare.save(buffer, "PNG", optimize=False)
    return buffer.getvalue()
