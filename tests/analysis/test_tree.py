"""The tree of latents: its clusters are scipy's, and by tokens they are the heatmap's own."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from scratchpad.analysis.heatmap import CUT
from scratchpad.errors import UserError
from scratchpad.records import Analysis, dumps, loads
from scratchpad.records.tree import Merge, Tree
from scratchpad.workbench import Workbench


def groups(clusters: tuple[tuple[int, ...], ...]) -> set[frozenset[int]]:
    return {frozenset(cluster) for cluster in clusters}


def test_clusters_by_tokens_are_the_heatmaps(bench: Workbench, analysis: Analysis) -> None:
    tree = bench.tree(analysis, "tokens")
    assert groups(tree.clusters(CUT)) == groups(tuple(c.latents for c in analysis.heatmap.clusters))


@pytest.mark.parametrize("cut", [0.0, 0.55, 0.8, 2.0])
def test_clusters_by_decoder_are_scipys(bench: Workbench, analysis: Analysis, cut: float) -> None:
    tree = bench.tree(analysis)
    ids = np.array(analysis.heatmap.latents)
    made = linkage(pdist(bench.sae.directions()[ids.tolist()].numpy().astype(np.float64), "cosine"), "average")
    label = fcluster(made, cut, "distance")
    assert groups(tree.clusters(cut)) == {frozenset(ids[label == name].tolist()) for name in set(label.tolist())}
    assert sorted(tree.leaves) == sorted(ids.tolist())
    for cluster in tree.clusters(cut):
        places = sorted(tree.leaves.index(latent) for latent in cluster)
        assert places == list(range(places[0], places[0] + len(places))), "a cluster's leaves don't stand together"


def test_a_tree_travels_and_a_broken_one_is_refused(bench: Workbench, analysis: Analysis) -> None:
    tree = bench.tree(analysis)
    assert loads(Tree, dumps(tree)) == tree
    for merges in ((), (Merge(0, 5, 0.1),)):
        with pytest.raises(ValidationError):
            Tree("decoder", (3, 4), merges)
    with pytest.raises(UserError, match="decoder, tokens"):
        bench.tree(analysis, "names")
