"""What a case says: an analysis, the tests that were made of it, a title and a note. Format 2.

Everything here is in the case's hash, and nothing that differs between two recordings of the same thing: when and by what it
was made stands in the bundle's envelope.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from scratchpad.records import Analysis, Diagnosis, Reference, Test, Verified
from scratchpad.records.codec import Text, record

FORMAT = 2
MAX_TITLE, MAX_NOTES = 200, 20_000  # characters
MAX_TESTS = 64
MAX_REFERENCES = 32  # of one latent

Number = Annotated[str, StringConstraints(pattern=r"^\d{1,10}$")]


@record
class Case:
    """case.json of a bundle; the pictures' pixels lie beside it."""

    format: Literal[2]
    title: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TITLE)]
    notes: Annotated[str, StringConstraints(max_length=MAX_NOTES)]  # Markdown
    analysis: Analysis
    tests: Annotated[tuple[Test, ...], Field(max_length=MAX_TESTS)]
    references: Annotated[dict[Number, Annotated[tuple[Reference, ...], Field(max_length=MAX_REFERENCES)]], Field(max_length=2048)]
    verified: Verified | None = None
    diagnosis: Diagnosis | None = None

    @model_validator(mode="after")
    def _pictures(self) -> Case:
        """Edits are of pictures that the case has."""
        named = [item.image or 0 for test in self.tests for item in test.comparison.edit.items]
        if max(named, default=0) >= len(self.analysis.question.images):
            raise ValueError(f"an edit of picture {max(named)} of {len(self.analysis.question.images)}")
        return self


@record
class Made:
    """The envelope: who made a case and when. Not in its hash."""

    by: Text
    at: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
