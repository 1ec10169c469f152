"""A case as bytes: a zip of case.json, its pictures and an envelope; the same bytes for the same content, named by their hash.

In: a `Case` with its pictures, or bytes from anywhere. Out: the other. Pictures are re-encoded on the way in and out, so
nothing but pixels travels: no EXIF, no GPS, no comments. The id is a hash of case.json and of the pixels; made.json, the
envelope, says who made it and when, and counts for nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from PIL import Image
from pydantic import ValidationError

from scratchpad.cases import format1
from scratchpad.cases.case import FORMAT, Case, Made
from scratchpad.cases.upgrade import upgraded
from scratchpad.errors import UserError
from scratchpad.images import MAX_TOTAL, load_image, pixels
from scratchpad.records import picture_of
from scratchpad.records.codec import dump, dumps, loads

MAX_BYTES = 24 * 2**20  # of a bundle
MAX_UNPACKED = 96 * 2**20  # of all that it holds
JSON, ENVELOPE = "case.json", "made.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes
BROKEN = (
    zipfile.BadZipFile,
    KeyError,
    zlib.error,
    ValueError,
    RuntimeError,
    NotImplementedError,
    OSError,
    EOFError,
    AttributeError,
    TypeError,
    MemoryError,
)

R = TypeVar("R")


@dataclass(frozen=True)
class Bundle:
    """A case that has been checked."""

    id: str  # of its content
    case: Case = field(compare=False)  # as this version has it, whatever format it was kept in; `text` says the same
    made: Made
    text: bytes  # case.json, as it was kept
    images: tuple[bytes, ...]  # PNG

    def pictures(self) -> list[Image.Image]:
        """What was asked about, in the question's order."""
        return self.case.analysis.question.pictures()


def bundle(case: Case, made: Made) -> Bundle:
    """A case of this process, whose pictures are there, as a bundle."""
    text = canonical(dump(case))
    images = tuple(_png(picture) for picture in case.analysis.question.pictures())
    return Bundle(_identity(text, case.analysis.question.pictures()), case, made, text, images)


def pack(bundle: Bundle) -> bytes:
    """The bundle file.

    Raises:
        UserError: it would be larger than MAX_BYTES.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _add(archive, JSON, bundle.text, zipfile.ZIP_DEFLATED)
        for i, data in enumerate(bundle.images):
            _add(archive, _name(i), data, zipfile.ZIP_STORED)
        if json.loads(bundle.text)["format"] == FORMAT:  # format 1 has it in case.json
            _add(archive, ENVELOPE, dumps(bundle.made).encode(), zipfile.ZIP_DEFLATED)
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
            bundle = _read_all(archive)
    except UserError:
        raise
    except BROKEN as error:
        raise UserError("This is not a case, or it is damaged; expected a .case file as `scratchpad case export` writes it.") from error
    if expected is not None and bundle.id != expected:
        raise UserError(f"The case {expected} was changed after it was made: its content has the id {bundle.id}; it isn't shown.")
    return bundle


def canonical(value: Mapping[str, object]) -> bytes:
    """JSON text that the same value always has."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _read_all(archive: zipfile.ZipFile) -> Bundle:
    text = _read(archive, JSON)
    value = _parsed(text)
    if value.get("format") == 1:
        old = _validated(lambda: format1.Case.model_validate_json(text), 1)
        pictures = _pictures(archive, len(old.images))
        text = canonical(old.model_dump(mode="json"))
        case, made = upgraded(old, pictures), Made(old.made.by, old.made.at)
    else:
        case = _validated(lambda: loads(Case, text), FORMAT)
        question = case.analysis.question
        if sum(picture.height * picture.width for picture in question.images) > MAX_TOTAL:
            raise UserError(f"The case's pictures have more than {MAX_TOTAL // 10**6} million pixels together, which is refused.")
        pictures = _pictures(archive, len(question.images))
        shown = tuple(picture_of(picture) for picture in pictures)
        if any(dump(a) != dump(b) for a, b in zip(shown, question.images, strict=True)):
            raise UserError("The case is damaged: its pictures are not those that it says it is of.")
        text = canonical(dump(case))
        case = replace(case, analysis=replace(case.analysis, question=replace(question, images=shown)))
        made = _validated(lambda: loads(Made, _read(archive, ENVELOPE)), FORMAT)
    return Bundle(_identity(text, pictures), case, made, text, tuple(_png(picture) for picture in pictures))


def _parsed(text: bytes) -> dict[str, object]:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError("The case's text is not JSON: it is damaged.") from error
    entries: dict[str, object] = value if isinstance(value, dict) else {}
    version = entries.get("format")
    if version not in (1, FORMAT) or isinstance(version, bool | float):
        raise UserError(f"The case is of format {str(version)[:20]!r}; this version reads formats 1 to {FORMAT}: use a newer one.")
    return entries


def _validated(make: Callable[[], R], version: int) -> R:
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        raise UserError(
            f"The case is damaged: {place or 'its content'} is not as format {version} has it ({first['msg'][:120]})."
        ) from error


def _pictures(archive: zipfile.ZipFile, count: int) -> list[Image.Image]:
    """Opened only when the heads of all of them say that they stay below MAX_TOTAL pixels together."""
    files = [_read(archive, _name(i)) for i in range(count)]
    if sum(pixels(data) for data in files) > MAX_TOTAL:
        raise UserError(f"The case's pictures have more than {MAX_TOTAL // 10**6} million pixels together, which is refused.")
    return [load_image(data) for data in files]


def _name(i: int) -> str:
    return f"image-{i}.png"


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


def _identity(text: bytes, pictures: Sequence[Image.Image]) -> str:
    """Of the text and of the pixels, not of how they happen to be compressed."""
    digest = hashlib.sha256(text)
    for picture in pictures:
        digest.update(f"{picture.size}".encode() + picture.tobytes())
    return digest.hexdigest()[:32]


def _png(picture: Image.Image) -> bytes:
    bare = Image.frombytes("RGB", picture.size, picture.convert("RGB").tobytes())  # pixels alone
    buffer = io.BytesIO()
    bare.save(buffer, "PNG", optimize=False)
    return buffer.getvalue()
