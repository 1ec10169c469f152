"""Names for latents from an image-text encoder and a list of words: the word that is nearest to a latent's top images.

In: an index, an encoder of the user's choice (CLIP, SigLIP ...), words. Out: names with their cosine. An image counts as
much as the latent fires on it, and is cropped to where it fires.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from transformers import AutoModel, AutoProcessor

from scratchpad.errors import UserError
from scratchpad.images import load_image
from scratchpad.sae.index import Index
from scratchpad.sae.names import Name
from scratchpad.sae.references import Reference
from scratchpad.vlm.checkpoint import attempt, check_folder, configuration, name_of

PROMPT = "a photo of a {}"
TOGETHER = 64  # images encoded at once
LIT = 0.3  # share of the image's maximum over which a patch counts as lit


@dataclass(frozen=True)
class Encoder:
    """A model that puts images and texts into one space."""

    name: str
    model: Any = field(repr=False)
    processor: Any = field(repr=False)

    @torch.inference_mode()
    def images(self, pictures: Sequence[Image.Image]) -> Float[np.ndarray, "n e"]:
        """Embeddings of pictures, each of length 1."""
        parts = []
        for start in range(0, len(pictures), TOGETHER):
            inputs = self.processor(images=list(pictures[start : start + TOGETHER]), return_tensors="pt")
            parts.append(_unit(self.model.get_image_features(pixel_values=inputs["pixel_values"])))
        return np.concatenate(parts)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Float[np.ndarray, "n e"]:
        """Embeddings of texts, each of length 1; what is longer than the encoder reads is cut off."""
        longest = self.model.config.get_text_config().max_position_embeddings
        inputs = self.processor(text=list(texts), return_tensors="pt", padding="max_length", truncation=True, max_length=longest)
        given = {name: inputs[name] for name in ("input_ids", "attention_mask") if name in inputs}
        return _unit(self.model.get_text_features(**given))


def load_encoder(source: str | Path) -> Encoder:
    """An image-text encoder from a folder or a hub id.

    Raises:
        UserError: it can't be loaded, or puts no images and texts into one space.
    """
    if Path(source).is_dir():
        check_folder(Path(source))
    attempt(source, "configuration", lambda: configuration(source))
    processor = attempt(source, "processor", lambda: AutoProcessor.from_pretrained(source, backend="pil"))
    model = attempt(source, "weights", lambda: AutoModel.from_pretrained(source, use_safetensors=True)).eval()
    if not (hasattr(model, "get_image_features") and hasattr(model, "get_text_features")):
        raise UserError(f"{source} doesn't put images and texts into one space; expected an encoder such as CLIP or SigLIP.")
    return Encoder(name_of(source), model, processor)


def read_words(path: str | Path) -> list[str]:
    """One a line.

    Raises:
        UserError: the file can't be read or has fewer than two words.
    """
    try:
        words = list(dict.fromkeys(line.strip() for line in Path(path).read_text().splitlines() if line.strip()))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The words in {path} can't be read ({error}); expected one a line.") from error
    if len(words) < 2:
        raise UserError(f"{path} has {len(words)} words; expected at least 2 to choose from.")
    return words


def named(
    index: Index, encoder: Encoder, words: Sequence[str], prompt: str = PROMPT, say: Callable[[int], None] = lambda done: None
) -> dict[int, Name]:
    """The nearest word of every latent that fires, by the mean over its top images, cropped to where it fires."""
    known = encoder.texts([prompt.format(word) for word in words])
    out: dict[int, Name] = {}
    for latent in np.flatnonzero(np.array(index.latents.column("sparsity").to_pylist()) > 0).tolist():
        references = index.references(latent)
        if not references:
            continue
        weights = np.array([max(reference.activation, 1e-9) for reference in references])
        mean = (encoder.images([crop(reference) for reference in references]) * weights[:, None]).sum(0)
        near = known @ (mean / max(float(np.linalg.norm(mean)), 1e-9))
        best = int(near.argmax())
        out[latent] = Name(words[best], f"{encoder.name} ({near[best]:.2f})")
        say(latent)
    return out


def crop(reference: Reference) -> Image.Image:
    """Where the latent fires, with a patch's margin around it."""
    picture = load_image(reference.thumbnail)
    lit = reference.mask >= LIT
    if not lit.any():
        return picture
    (h, w), (rows, cols) = (picture.height, picture.width), reference.mask.shape
    y, x = np.flatnonzero(lit.any(1)), np.flatnonzero(lit.any(0))
    top, bottom = max(0, y[0] - 1) * h / rows, min(rows, y[-1] + 2) * h / rows
    left, right = max(0, x[0] - 1) * w / cols, min(cols, x[-1] + 2) * w / cols
    return picture.crop((int(left), int(top), max(int(left) + 1, round(right)), max(int(top) + 1, round(bottom))))


def _unit(features: Any) -> Float[np.ndarray, "n e"]:
    values = (features if isinstance(features, torch.Tensor) else features.pooler_output).float()
    unit: np.ndarray = (values / values.norm(dim=-1, keepdim=True).clamp(min=1e-9)).cpu().numpy()
    return unit
