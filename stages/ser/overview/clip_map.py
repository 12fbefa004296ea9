"""A map of all clips: those that sound alike to the features lie near each other.

All is computed in one thread, for the same bytes.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from ser.overview.standardized_columns import column_blocks, standardized
from ser.storage.seeds import derive_seed

COMPONENTS = 50  # principal ones, of which neighbours are found: what is beyond is mostly noise
EXACT = 1000  # columns up to which the principal components are exact; of more, by random projections
PERPLEXITY = 30.0  # neighbours that count
FEWEST = 10  # clips, of which t-SNE can say more than the first two principal components
EXAGGERATION = 12.0  # of the attraction, in the first part
STEPS = 250, 500  # of the first part and of the second
ANGLE, COARSE_ANGLE, MANY = 0.5, 0.8, 5000  # how coarse far-off groups are taken, and of how many clips the coarser way
NEAREST = 10  # clips whose labels are compared
DIGITS = 4  # of the coordinates: a tenth of a pixel on a map of 1,000


class Neighbours(NamedTuple):
    """The nearest other clips of each clip, the nearest first.

    Attributes
    ----------
    rows : np.ndarray of int, shape (clips, neighbours)
    distances : np.ndarray, shape (clips, neighbours)
    """

    rows: np.ndarray
    distances: np.ndarray


@threadpool_limits.wrap(limits=1)
def principal_components(inputs: np.ndarray) -> np.ndarray:
    """Return the first principal components of the standardised features, shape (clips, components).

    Parameters
    ----------
    inputs : np.ndarray, shape (clips, columns)
        May be memory-mapped; a standardised copy in single precision is held.

    Returns
    -------
    np.ndarray of float32
        At most `COMPONENTS`; none that says nothing (of equal clips there is not one).
    """
    x = np.empty(inputs.shape, dtype=np.float32)
    for block in column_blocks(inputs):
        x[:, block] = standardized(inputs[:, block])
    count = min(COMPONENTS, len(x) - 1, int(x.any(axis=0).sum()))
    if count < 1:
        return np.empty((len(x), 0), dtype=np.float32)
    solver = "covariance_eigh" if x.shape[1] <= EXACT else "randomized"
    pca = PCA(count, svd_solver=solver, random_state=derive_seed(0, "principal components"), copy=False)
    found = pca.fit_transform(x).astype(np.float32)
    return found[:, pca.explained_variance_ > 1e-6 * pca.explained_variance_[:1]]


@threadpool_limits.wrap(limits=1)
def nearest_clips(components: np.ndarray) -> Neighbours:
    """Return as many neighbours of each clip as `clip_map` looks at: three times its perplexity."""
    count = min(len(components) - 1, int(3 * PERPLEXITY) + 1)
    nearest = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(components)
    distances, rows = nearest.kneighbors()
    return Neighbours(rows, distances)


@threadpool_limits.wrap(limits=1)
def clip_map(components: np.ndarray, neighbours: Neighbours | None) -> np.ndarray:
    """Return a place for each clip such that similar clips are near each other, by t-SNE [1]_.

    Of few clips (fewer than `FEWEST`) their first two principal components. The search begins with those [2]_, nothing
    is drawn, and the map lies as they do: the same clips give the same map. Its steps in the second part are as many
    times larger as the attraction has become weaker, since the largest that is stable goes with it [3]_: so fewer are
    enough.

    Parameters
    ----------
    components : np.ndarray, shape (clips, components)
        See `principal_components`.
    neighbours : Neighbours, or None
        See `nearest_clips`; not needed by few clips, nor by those that are all equal.

    Returns
    -------
    np.ndarray, shape (clips, 2)
        From 0 to 1, both by the same scale, with `DIGITS` digits.

    References
    ----------
    .. [1] van der Maaten, "Accelerating t-SNE using tree-based algorithms", Journal of Machine Learning Research 15
       (2014).
    .. [2] Kobak and Linderman, "Initialization is critical for preserving global data structure in both t-SNE and
       UMAP", Nature Biotechnology 39 (2021).
    .. [3] Belkina et al., "Automated optimized parameters for t-distributed stochastic neighbor embedding improve
       visualization and analysis of large datasets", Nature Communications 10 (2019).
    """
    places = np.zeros((len(components), 2), dtype=np.float32)
    places[:, : components.shape[1]] = components[:, :2]
    if neighbours is not None and len(components) >= FEWEST:
        places = _turned(_embedded(places, neighbours), places)
    low, high = places.min(axis=0), places.max(axis=0)
    size = max((high - low).max(), 1e-12)
    return ((places.astype(float) - (low + high) / 2) / size + 0.5).clip(0, 1).round(DIGITS)


def _embedded(places: np.ndarray, neighbours: Neighbours) -> np.ndarray:
    """Move places by t-SNE."""
    count, width = neighbours.rows.shape
    graph = csr_array(  # with each clip as its own neighbour, as scikit-learn wants it
        (
            np.hstack([np.zeros((count, 1)), neighbours.distances]).ravel(),
            np.hstack([np.arange(count)[:, None], neighbours.rows]).ravel(),
            np.arange(count + 1) * (width + 1),
        ),
        shape=(count, count),
    )
    rate = count / EXAGGERATION / 4  # scikit-learn's gradient lacks a factor of 4
    settings = {"perplexity": min(PERPLEXITY, (count - 1) / 3), "metric": "precomputed", "n_jobs": 1}
    settings["angle"] = COARSE_ANGLE if count > MANY else ANGLE
    first = TSNE(init=places / places[:, 0].std() * 1e-4, early_exaggeration=EXAGGERATION, max_iter=STEPS[0],
                 learning_rate=max(rate, 50), **settings)  # fmt: skip
    second = TSNE(init=first.fit_transform(graph), early_exaggeration=1.0, max_iter=STEPS[1],
                  learning_rate=max(rate * EXAGGERATION, 50), **settings)  # fmt: skip
    return second.fit_transform(graph)


def _turned(places: np.ndarray, model: np.ndarray) -> np.ndarray:
    """Return places turned or mirrored until they lie as nearly as they can as others do, both around their means.

    Else it hangs on the last digit of a feature how a map lies, and two processors would show two maps.
    """
    places, model = places - places.mean(axis=0), model - model.mean(axis=0)
    left, _, right = np.linalg.svd(places.T @ model)
    return places @ (left @ right)


def alike(neighbours: Neighbours, labels: np.ndarray) -> tuple[float, float] | None:
    """Return what share of a clip's nearest clips has the same label, and what share of all other clips has.

    Nearest are the `NEAREST` (of fewer clips all) by the features, not on the map: that bends distances.

    Parameters
    ----------
    neighbours : Neighbours
    labels : np.ndarray of str, shape (clips,)
        Pairs with a clip that has none (an empty text) are left out.

    Returns
    -------
    (float, float), or None
        None if fewer than two labels are known, or no two clips of one.
    """
    counts = np.unique(labels[labels != ""], return_counts=True)[1]
    rows = neighbours.rows[:, :NEAREST]
    known = (labels != "")[:, None] & (labels[rows] != "")
    if len(counts) < 2 or counts.max() < 2 or not known.any():
        return None
    same = (labels[rows] == labels[:, None])[known].mean()
    total = counts.sum()
    return float(same), float((counts * (counts - 1)).sum() / (total * (total - 1)))
