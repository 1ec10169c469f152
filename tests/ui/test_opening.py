"""What the page opens on: an example whose test is recorded, so that no start has to search for it."""

from __future__ import annotations

from scratchpad.benches import Benches
from scratchpad.cases.shelf import SHIPPED
from scratchpad.cases.store import Store
from scratchpad.records import Test
from scratchpad.records.reading import read
from scratchpad.ui.app import GALLERY, OPENING, load_examples
from scratchpad.ui.handlers import Handlers
from scratchpad.ui.keeping import Keeping


def test_the_opening_test_is_that_of_a_shipped_case_and_true_of_the_model(benches: Benches) -> None:
    handlers = Handlers(benches)
    keeping = Keeping([Store(SHIPPED, writable=False)], handlers)
    picture, question = next(row for row in load_examples() if row[0].endswith(OPENING))
    asked = handlers.ask([picture], question)[2]
    assert asked is not None
    recorded = keeping.recorded(asked.key)
    assert recorded is not None, "make the shipped cases anew: scratchpad.demo.casebook"
    test = read(Test, recorded["test"], "the test")
    bench, analysis = handlers.analysis(asked, {"key": asked.key})
    now = bench.ablate(analysis, test.comparison.edit)
    assert test.verdict.kind == "supported"
    assert now.after.text == test.comparison.after.text != analysis.run.answer

    other = handlers.ask([str(GALLERY / "octopus.png")], question)[2]
    assert other is not None
    assert keeping.recorded(other.key) is None
