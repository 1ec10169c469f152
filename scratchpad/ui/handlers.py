"""What the page's buttons do: plain functions over the workbench, bad input turned into a sentence for the page.

They keep nothing between calls. A visitor's picture and question come with every call, so no one can see another's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from scratchpad import panels, views
from scratchpad.analysis.edit import ablation
from scratchpad.benches import Benches, loaded
from scratchpad.diagnose import as_json, diagnose
from scratchpad.errors import UserError
from scratchpad.images import load_images, sha256
from scratchpad.needle.kept import OF_SAE, trust
from scratchpad.progress import Stopped
from scratchpad.trials import MOST
from scratchpad.ui.edits import read_edit, read_sampling
from scratchpad.ui.held import same
from scratchpad.ui.texts import question, short
from scratchpad.ui.told import told
from scratchpad.workbench import Workbench

log = logging.getLogger(__name__)
VERIFIED = 128  # latents of the largest predicted effects, which are ablated one by one
Asked = dict[str, Any]  # images, prompt and choice of an analysis, and the key of what is drawn of it


class Handlers:
    """The page's functions, over the workbenches that are offered."""

    def __init__(self, benches: Benches | None, known: frozenset[str] = frozenset()):
        self.benches = benches
        self.known = known  # sha256 of pictures that are of the model's own world

    def bench(self, choice: object = None) -> Workbench:
        """The workbench of a visitor's choice."""
        return loaded(self.benches).of(str(choice) if choice else None)

    def ask(self, images: Sequence[str], prompt: str, choice: str | None = None) -> tuple[str | None, str, Asked | None]:
        """(analysis for the panels, status line, what was asked); the analysis is None when there is none to show."""
        try:
            bench, pictures = self.bench(choice), load_images(images or [None])
            found = bench.analyze(pictures, question(prompt))
            foreign = any(sha256(picture) not in self.known for picture in pictures)
            drawn = json.loads(panels.analysis(bench, found, pictures, foreign)) | {
                "choice": choice or "",
                "model": bench.vlm.name,
                "conceptTrust": trust(bench.vlm.identity, OF_SAE, bench.sae.identity),
                "retriever": self.benches.retriever_name if self.benches else None,
            }
            return json.dumps(drawn), "", {"images": list(images), "prompt": prompt, "choice": choice or "", "key": drawn["key"]}
        except UserError as error:
            return None, str(error), None
        except Stopped:
            raise
        except Exception:
            log.exception("ask failed")
            return None, "Something went wrong while answering; the page goes on working. Try again or try another image.", None

    def ablate(self, asked: Asked | None, event: dict[str, Any]) -> str:
        """The comparison under the edit, with its control, as JSON text; {"error": sentence} for bad input.

        With `smallest` in the event, the edit is the ablation of the fewest latents found that change the answer; with
        `diagnose`, what comes back is the diagnosis instead, with `verify` predicted effects beside actual ones.
        """

        def act() -> dict[str, Any]:
            shown = same(asked, event)
            bench = self.bench(shown.get("choice"))
            found = bench.analyze(shown["images"], shown["prompt"])
            beside: dict[str, Any] = {}
            target = short(event.get("target"), "An expected answer")
            if event.get("diagnose"):
                return {"diagnosis": as_json(bench, diagnose(bench, found, shown["images"], target))}
            if event.get("verify"):
                return {"verified": views.verified_json(bench, bench.verify(found, VERIFIED))}
            if event.get("smallest"):
                least = bench.suffice(found, target)
                beside = {"sufficient": views.sufficient_json(bench, least)}
                if not least.flipped:
                    does = f"brings out {target!r}" if target else "changes the answer"
                    raise UserError(f"No set of up to {MOST} latents {does}; {least.tried} were ablated.")
                edit = ablation(least.latents)
            else:
                edit = read_edit(event)
            compared = bench.ablate(found, edit, target=target, sampling=read_sampling(event))
            control = bench.control(found, edit)
            return panels.comparison(bench, compared, control) | beside | {"blank": vars(bench.blank(found))}

        return told(act, "Something went wrong while asking again; the page goes on working.")
