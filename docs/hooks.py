"""What mkdocs is told beside mkdocs.yml: pages that live elsewhere in the repository, and links as they are on the site.

Sources link to files as they lie in the repository, so that they can be read there too. On the site a link to a page goes to that page, and
a link to a file that has none becomes its text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
ELSEWHERE = {
    "examples/page.png": "page.png",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "costs.md",
    "examples/emoji-llava/README.md": "cards/emoji-llava.md",
    "examples/emoji-colpali/README.md": "cards/emoji-colpali.md",
    "saes/emoji-early/README.md": "cards/emoji-early.md",
    "saes/emoji-middle/README.md": "cards/emoji-middle.md",
    "saes/emoji-last/README.md": "cards/emoji-last.md",
}
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s:#]+)(#[^)\s]*)?\)|(!\[[^\]]*\])\(([^)\s:]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that live elsewhere."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Rewrites a page's links."""
    path = page.file.src_uri
    source = next((here for here, there in ELSEWHERE.items() if there == path), f"docs/{path}")

    def rewritten(match: re.Match[str]) -> str:
        text, target, anchor, picture, image = match.groups()
        at = _on_site(posixpath.normpath(posixpath.join(posixpath.dirname(source), image or target)))
        if at is None:
            return text or match[0]
        link = posixpath.relpath(at, posixpath.dirname(path) or ".")
        return f"{picture}({link})" if picture else f"[{text}]({link}{anchor or ''})"

    return LINK.sub(rewritten, markdown)


def _on_site(source: str) -> str | None:
    """Where the site has a file of the repository; a file that isn't there at all is left for mkdocs to complain of."""
    if source in ELSEWHERE:
        return ELSEWHERE[source]
    if source.startswith("docs/"):
        return source.removeprefix("docs/")
    return None if (ROOT / source).exists() else source


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Refuses a page that would fetch from another host when it's read."""
    fetched = re.search(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"', output)
    if fetched:
        raise PluginError(f"{page.file.src_uri} fetches from another host: {fetched[0]}")
    return output
