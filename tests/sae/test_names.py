"""Names: people's stand before an encoder's, which stand before those of labels; an encoder's are the nearest words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import transformers as tf

from scratchpad.cli import main
from scratchpad.errors import UserError
from scratchpad.sae.index import Index, open_index
from scratchpad.sae.names import Name, add_names, read_names, rename
from scratchpad.sae.naming import Encoder, crop, load_encoder, named, read_words
from scratchpad.workbench import DEFAULT_SAE
from tests.vlm.tiny import tokenizer

WORDS = ["octopus", "frog", "snow", "brick"]


@pytest.fixture
def sae(tmp_path: Path) -> Path:
    shutil.copytree(DEFAULT_SAE, tmp_path / "sae")
    return tmp_path / "sae"


@pytest.fixture
def index(sae: Path) -> Index:
    found = open_index(sae)
    assert found is not None
    return found


def firing(sae: Path, latents: set[int]) -> Path:
    """An SAE in whose index these latents alone fire: naming a thousand takes a quarter of a minute."""
    path = sae / "index" / "latents.parquet"
    table = pq.read_table(path)
    sparsity = [value if latent in latents else 0.0 for latent, value in enumerate(table.column("sparsity").to_pylist())]
    column = pa.array(sparsity, table.schema.field("sparsity").type)
    pq.write_table(table.set_column(table.schema.get_field_index("sparsity"), table.schema.field("sparsity"), column), path)
    return sae


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random CLIP of its true class."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    tokens = tokenizer()
    text = tf.CLIPTextConfig(vocab_size=len(tokens), max_position_embeddings=40, eos_token_id=2, **sizes)
    vision = tf.CLIPVisionConfig(image_size=32, patch_size=8, **sizes)
    model = tf.CLIPModel(tf.CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=12))
    image = tf.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    out = tmp_path_factory.mktemp("clip")
    model.save_pretrained(out)
    tf.CLIPProcessor(image, tokens).save_pretrained(out)
    return out


def test_peoples_names_stay(sae: Path) -> None:
    rename(sae, 3, "  my   thing ")
    assert add_names(sae, {3: Name("clip's", "clip (0.3)"), 4: Name("other", "clip (0.2)")}) == 1
    assert read_names(sae) == {3: Name("my thing"), 4: Name("other", "clip (0.2)")}
    assert add_names(sae, {4: Name("newer", "siglip (0.9)")}) == 1
    index = open_index(sae)
    assert index is not None
    row = index.row(4)
    assert row is not None
    assert (row.name, row.source, row.auroc) == ("newer", "siglip (0.9)", None)
    index.rename(3, "")
    assert 3 not in read_names(sae)
    assert index.name(3) == (open_index(DEFAULT_SAE) or index).name(3)
    with pytest.raises(UserError, match="the index has 0 to"):
        index.rename(10**6, "x")


def test_names_of_an_older_file_are_peoples(sae: Path) -> None:
    (sae / "names.json").write_text('{"3": "mine"}')
    assert read_names(sae) == {3: Name("mine")}
    (sae / "names.json").write_text("[1]")
    with pytest.raises(UserError, match="expected a JSON object"):
        read_names(sae)


def test_an_encoders_name_is_the_nearest_word(sae: Path, encoder_folder: Path) -> None:
    encoder = load_encoder(encoder_folder)
    index = open_index(firing(sae, {7, 11}))
    assert index is not None
    found = named(index, encoder, WORDS)
    assert list(found) == [7, 11]
    latent = 11
    model = tf.CLIPModel.from_pretrained(encoder_folder).eval()
    processor = tf.CLIPProcessor.from_pretrained(encoder_folder, backend="pil")
    with torch.no_grad():
        texts = [f"a photo of a {word}" for word in WORDS]
        inputs = processor(text=texts, return_tensors="pt", padding="max_length", max_length=40, truncation=True)
        inputs |= processor(images=[crop(r) for r in index.references(latent)], return_tensors="pt")
        out = model(**inputs)
    weights = torch.tensor([r.activation for r in index.references(latent)])
    near = out.text_embeds @ (out.image_embeds * weights[:, None]).sum(0)
    assert found[latent].name == WORDS[int(near.argmax())]
    assert found[latent].source.startswith(encoder.name)


def test_crops_decide_not_whole_pictures(sae: Path, index: Index) -> None:
    """By an encoder that tells red from green, octopuses are red and clovers are green, wherever they stand."""

    class Colour(Encoder):
        def images(self, pictures):  # type: ignore[no-untyped-def]
            red, green = np.array([np.asarray(p, float).mean((0, 1))[:2] for p in pictures]).T
            return np.stack([red - green, green - red], 1)

        def texts(self, texts):  # type: ignore[no-untyped-def]
            return np.array([[1.0, 0.0], [0.0, 1.0]])

    by_name = {name: index.search(name)[0].id for name in ("octopus", "clover")}
    small = open_index(firing(sae, set(by_name.values())))
    assert small is not None
    found = named(small, Colour("c", None, None), ["red", "green"])
    assert found[by_name["octopus"]].name == "red"
    assert found[by_name["clover"]].name == "green"


def test_the_command(sae: Path, encoder_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\n".join([*WORDS, "", "frog"]))
    assert read_words(words) == WORDS
    named = ["latents", "--sae", str(firing(sae, set(range(40)))), "--name-with", str(encoder_folder), "--words", str(words), "--json"]
    assert main(named) == 0
    assert json.loads(capsys.readouterr().out)["named"] > 20
    assert main(["latents", "--sae", str(sae), "--name-with", str(encoder_folder)]) == 2
    assert "--words" in capsys.readouterr().err
    words.write_text("one")
    assert main(["latents", "--sae", str(sae), "--name-with", str(encoder_folder), "--words", str(words)]) == 2
    assert main(["latents", "--sae", str(sae), "--name-with", "/nowhere", "--words", str(words)]) == 2
