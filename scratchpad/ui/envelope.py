"""What the page gets around a record: keys, pictures as they're shown, where it opens. The records themselves go as they are."""

from __future__ import annotations

import base64
import io

import nh3
from markdown_it import MarkdownIt
from PIL import Image

from scratchpad.cases.bundle import Bundle
from scratchpad.cases.tables import opening_token
from scratchpad.records import Analysis, dump

SHOWN = 896  # px of the longer side of the picture the page shows
TAGS = {"p", "a", "b", "strong", "em", "i", "code", "pre", "ul", "ol", "li", "h1", "h2", "h3", "h4", "blockquote", "br", "hr"}


def live(analysis: Analysis, choice: str, note: str | None, retriever: str | None) -> dict[str, object]:
    """What the panels draw for an answer: {"analysis", "page", "case"}.

    Args:
        choice: of model and SAE, as the page sends it back.
        note: what is to be said of the model and these pictures; what the SAE explains of them comes first.
        retriever: what the retrieval model beside is called, if there is one.
    """
    page = _page(analysis, key_of(analysis), choice, _said(analysis, note)) | {"retriever": retriever}
    return {"analysis": dump(analysis), "page": page, "case": None}


def opened(bundle: Bundle) -> dict[str, object]:
    """What the panels draw for a case."""
    value = dump(bundle.case)
    analysis, notes = value.pop("analysis"), value.pop("notes")
    case = value | {"id": bundle.id, "notes_html": markdown(notes), "made": dump(bundle.made)}
    page = _page(bundle.case.analysis, bundle.id, "", _said(bundle.case.analysis))
    return {"analysis": analysis, "page": page | {"retriever": None}, "case": case}


def _said(analysis: Analysis, note: str | None = None) -> str | None:
    """What is said before anything else: what the SAE explains of these pictures, why no name is a claim, and a note."""
    return " ".join(part for part in (analysis.fidelity.sentence, analysis.all_guesses, note) if part) or None


def key_of(analysis: Analysis) -> str:
    """What a page and the server know an analysis by."""
    return f"{analysis.model.identity}-{analysis.sae.identity}-{analysis.question.key}"


def markdown(text: str) -> str:
    """A note as HTML: no raw HTML, no images, links to http and https alone; sanitised once more whatever the parser let through."""
    html = MarkdownIt("commonmark", {"html": False}).disable("image").render(text)
    return str(nh3.clean(html, tags=TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https"}, link_rel="noopener nofollow"))


def data_url(image: Image.Image) -> str:
    """The picture, scaled down for the page; metadata stays behind."""
    shown = image.copy()
    shown.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    shown.save(buffer, "PNG" if max(shown.size) <= 256 else "JPEG", quality=90)
    kind = "png" if max(shown.size) <= 256 else "jpeg"
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode()


def _page(analysis: Analysis, key: str, choice: str, note: str | None) -> dict[str, object]:
    images = [data_url(picture) for picture in analysis.question.pictures()]
    return {"key": key, "choice": choice, "images": images, "note": note, "open_token": opening_token(analysis)}
