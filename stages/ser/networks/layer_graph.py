"""Pictures of networks: a box a layer from top to bottom, an arrow a connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ser.storage.whole_files import written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW_INCHES = 0.62
BOX_WIDTH, BOX_HEIGHT = 4.0, 0.74  # in rows
COLUMN_WIDTH = 4.4
ABSORBED = ("normali", "relu", "activation", "dropout")  # kinds drawn in the box of the layer they follow
COLOURS = {  # by what the kind of a layer contains
    "input": "#d9d9d9",
    "lstm": "#9ecae1",
    "conv": "#9ecae1",
    "dense": "#a1d99b",
    "normali": "#fdd0a2",
    "standardi": "#fdd0a2",
    "dropout": "#f2f2f2",
    "pool": "#dadaeb",
    "add": "#fcbba1",
    "concat": "#fcbba1",
}


class Layer(NamedTuple):
    """A layer of a network.

    Attributes
    ----------
    name, kind : str
        Such as ``block 1 dense`` and ``Dense``.
    shape : str
        Of its output for one clip, such as ``frames × 96``.
    parameters : int
        Trained ones and running statistics.
    inputs : tuple of int
        Positions in the list of the layers it reads; they come before it.
    """

    name: str
    kind: str
    shape: str
    parameters: int
    inputs: tuple[int, ...]


def draw_network(layers: list[Layer], path: Path | str, title: str, *, networks: int = 1) -> None:
    """Draw a network as a PNG, byte-identical for equal layers.

    Layers that read the same layer stand side by side; a connection that leaves out rows is drawn as a curve.

    Parameters
    ----------
    layers : list of Layer
    path : Path
    title : str
        The number of parameters is added to it.
    networks : int
        How many of this kind the model is.

    Raises
    ------
    ValueError
        If there are no layers, or a layer reads one that does not come before it.
    """
    if not layers:
        raise ValueError("layers is empty")
    for number, layer in enumerate(layers):
        if not all(0 <= source < number for source in layer.inputs):
            raise ValueError(f"layer {number} ({layer.name}): inputs {layer.inputs} must come before it")
    boxes = _boxes(layers)
    places = _places(boxes)
    rows = max(row for _, row in places) + 1
    width, height = 2 * max(x for x, _ in places) + BOX_WIDTH + 1.6, rows + 1.0
    with _saved(path, width, height) as figure:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-width / 2, width / 2), ylim=(rows - 0.45, -1.45))
        axes.axis("off")
        total = sum(layer.parameters for layer in layers)
        named = f"{title}, one of {networks}" if networks > 1 else title
        axes.text(0, -0.9, f"{named}\n{total:,} parameters", ha="center", va="center", fontsize=10)
        for box, place in zip(boxes, places, strict=True):
            for source in box.inputs:
                _draw_connection(axes, places[source], place)
            _draw_box(axes, box, place)


def draw_note(text: str, path: Path | str) -> None:
    """Draw a line of text in place of a network that there is none of, as a PNG with the same bytes every time."""
    with _saved(path, BOX_WIDTH + 1.6, 2) as figure:
        figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=9, color="#555555")


@contextmanager
def _saved(path: Path | str, width: float, height: float) -> Iterator["Figure"]:
    """Yield a figure, its size in rows, to be drawn as Matplotlib comes and not as a matplotlibrc says, and save it."""
    # here: who lists layers draws none
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        figure = Figure(figsize=(width * ROW_INCHES, height * ROW_INCHES))
        FigureCanvasAgg(figure)
        yield figure
        with written(path) as temporary:
            figure.savefig(temporary, dpi=120, format="png", metadata={"Software": None})


def _boxes(layers: list[Layer]) -> list[Layer]:
    """Join normalisation, activation and dropout to the layer before them, unless others read that layer too."""
    readers = [source for layer in layers for source in layer.inputs]
    boxes: list[Layer] = []
    box_of = []
    for layer in layers:
        inputs = tuple(box_of[source] for source in layer.inputs)
        absorbed = any(word in layer.kind.lower() for word in ABSORBED)
        if absorbed and len(inputs) == 1 and readers.count(layer.inputs[0]) == 1:
            first = boxes[inputs[0]]
            boxes[inputs[0]] = first._replace(
                kind=f"{first.kind}, {layer.kind}", shape=layer.shape, parameters=first.parameters + layer.parameters
            )
            box_of.append(inputs[0])
        else:
            boxes.append(layer._replace(inputs=inputs))
            box_of.append(len(boxes) - 1)
    return boxes


def _places(boxes: list[Layer]) -> list[tuple[float, int]]:
    """Return (x, row) of each box: a row below the lowest of its inputs, beside others of that row."""
    rows: list[int] = []
    for box in boxes:
        rows.append(max((rows[source] + 1 for source in box.inputs), default=0))
    places, seen = [], [0] * (max(rows) + 1)
    for row in rows:
        places.append(((seen[row] - (rows.count(row) - 1) / 2) * COLUMN_WIDTH, row))
        seen[row] += 1
    return places


def _draw_box(axes, box: Layer, place: tuple[float, int]) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, row = place
    colour = next((colour for word, colour in COLOURS.items() if word in box.kind.split(", ")[0].lower()), "white")
    corner = (x - BOX_WIDTH / 2, row - BOX_HEIGHT / 2)
    style = "round,pad=0,rounding_size=0.12"
    axes.add_patch(FancyBboxPatch(corner, BOX_WIDTH, BOX_HEIGHT, boxstyle=style, fc=colour, ec="#555555", lw=0.7))
    parameters = f"   {box.parameters:,} parameters" if box.parameters else ""
    lines = ((-0.21, box.name, 8.5), (0.03, box.kind, 7), (0.24, f"→ {box.shape}{parameters}", 7))
    for y, text, size in lines:
        axes.text(x, row + y, text, ha="center", va="center", fontsize=size)


def _draw_connection(axes, start: tuple[float, int], end: tuple[float, int]) -> None:
    from matplotlib.patches import FancyArrowPatch

    (x_start, row_start), (x_end, row_end) = start, end
    if row_end - row_start == 1:
        points = (x_start, row_start + BOX_HEIGHT / 2), (x_end, row_end - BOX_HEIGHT / 2)
        bend = "arc3,rad=0"
    else:  # leaves and reaches the boxes at their right side
        points = (x_start + BOX_WIDTH / 2, row_start), (x_end + BOX_WIDTH / 2, row_end)
        bend = f"arc3,rad={-1 / (row_end - row_start)}"
    axes.add_patch(
        FancyArrowPatch(*points, connectionstyle=bend, arrowstyle="-|>", mutation_scale=7, lw=0.8, color="#555555",
                        shrinkA=0, shrinkB=0)
    )  # fmt: skip
