"""A retrieval model, ready to be asked where a query finds its like on a page."""

from __future__ import annotations

from PIL import Image

from scratchpad.records.lookup import PageStudy, QueryPart
from scratchpad.saliency.stages import Stage, of_page
from scratchpad.saliency.trust import trust
from scratchpad.vlm.retrieval import Retriever, page_of, query_of, score, similarity


class Pages:
    """One retrieval model."""

    def __init__(self, retriever: Retriever):
        self.retriever = retriever

    def study(self, picture: Image.Image, query: str) -> tuple[list[Stage], PageStudy]:
        """How a picture becomes vectors, and where every token of a query finds its like among them.

        Raises:
            UserError: the query is empty, or contains one of the model's control tokens.
        """
        asked, page = query_of(self.retriever, query), page_of(self.retriever, picture)
        study = PageStudy(
            query=asked.text,
            tokens=tuple(QueryPart(token.id, token.text, token.part) for token in asked.tokens),
            cosines=page.grid.token_values_to_patches(similarity(asked, page)),
            score=score(asked, page),
            grid=page.grid,
            trust=trust(self.retriever.identity, "cosine"),
        )
        return of_page(self.retriever, picture, page), study
