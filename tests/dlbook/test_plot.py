"""Las figuras compartidas: contraste en los dos temas, formas, pesos y mensajes de error."""

import itertools
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

from chapters.cnn import Conv2D, draw_architecture
from chapters.mlp import Input, Sequential, Value, draw_graph
from dlbook import plot

mpl.use("agg")

SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
# La página pone blanco bajo las figuras en el tema claro y negro en el oscuro; el oscuro del sitio es #121212.
LIGHT, DARK, SITE = "#ffffff", "#000000", "#121212"
# Cómo ve quien no tiene conos L o M: Machado, Oliveira y Fernandes (2009), severidad 1, sobre RGB lineal.
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]


@pytest.fixture(autouse=True)
def _style():
    import matplotlib.pyplot as plt

    with mpl.rc_context():
        plot.use_style()
        yield
    plt.close("all")


def linear(color):
    c = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """Cociente de contraste de las pautas WCAG 2."""
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05 for c in (a, b))
    return light / dark


def lab(rgb):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    xyz = xyz / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_gray_letters_are_readable_in_both_themes():
    assert min(contrast(plot.GRAY, LIGHT), contrast(plot.GRAY, DARK)) >= 4.5
    assert contrast(plot.GRAY, SITE) >= 4


@pytest.mark.parametrize("color", plot.COLORS)
@pytest.mark.parametrize("background", [LIGHT, DARK, SITE])
def test_class_colors_stand_out_in_both_themes(color, background):
    assert contrast(color, background) >= 3


@pytest.mark.parametrize("vision", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_first_three_colors_differ_for_every_eye(vision):
    seen = [lab(np.clip(np.array(vision) @ linear(c), 0, 1)) for c in plot.COLORS[:3]]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 20


def test_every_color_has_its_own_marker_and_line():
    assert len(set(plot.COLORS)) == len(set(plot.MARKERS)) == len(set(map(str, plot.LINES))) == len(plot.COLORS)


@pytest.mark.parametrize("module", ["dlbook.plot", "chapters.perceptron", "chapters.mlp", "chapters.cnn"])
def test_what_only_some_need_is_not_loaded_by_importing(module):
    slow = "matplotlib", "scipy.special", "sklearn", "pandas", "h5py", "PIL"
    code = f"import sys, {module}; print(*(name for name in {slow} if name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_a_saved_figure_is_light_and_transparent(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    ax = plot.decision_regions(lambda p: 1 / (1 + np.exp(-p.sum(axis=1))), x, (x.sum(axis=1) > 0).astype(int))
    ax.figure.savefig(tmp_path / "figure.svg")
    ax.figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.svg").stat().st_size < 60_000
    corner = mpl.image.imread(tmp_path / "figure.png")[0, 0]
    assert corner[3] == 0


def test_points_use_one_marker_per_class():
    ax = plot.points(SQUARE, [-1, 1, 1, -1], names=["no", "sí"])
    assert [len(c.get_offsets()) for c in ax.collections] == [2, 2]
    assert len({c.get_paths()[0].vertices.tobytes() for c in ax.collections}) == 2


@pytest.mark.parametrize(
    "predict",
    [
        lambda p: (p[:, 0] > 0.5).astype(int),
        lambda p: p[:, 0] > 0.5,
        lambda p: 1 / (1 + np.exp(-5 * (p[:, 0] - 0.5))),
        lambda p: 1 / (1 + np.exp(-5 * (p[:, :1] - 0.5))),
        lambda p: np.stack([p[:, 0] <= 0.5, p[:, 0] > 0.5], axis=1).astype(float),
    ],
    ids=["clases", "booleanos", "probabilidad", "columna", "una por clase"],
)
def test_decision_regions_paint_the_predicted_class(predict):
    ax = plot.decision_regions(predict, SQUARE, [0, 0, 1, 1], resolution=50)
    rgba = np.asarray(ax.images[0].get_array())
    assert np.allclose(rgba[25, 2, :3], mpl.colors.to_rgb(plot.COLORS[0]))
    assert np.allclose(rgba[25, -3, :3], mpl.colors.to_rgb(plot.COLORS[1]))


def test_decision_regions_with_signed_classes_and_three_classes():
    plot.decision_regions(lambda p: np.where(p[:, 0] > 0.5, 1, -1), SQUARE, [-1, -1, 1, 1], resolution=9)
    ax = plot.decision_regions(lambda p: np.eye(3)[(p[:, 0] * 1.9).clip(0, 2).astype(int)], SQUARE, [0, 0, 1, 2])
    assert len(ax.collections) == 3


def test_a_single_class_and_a_single_point_still_draw():
    plot.decision_regions(lambda p: np.full(len(p), 0.25), [[2.0, 2.0]], [0], resolution=5)


@pytest.mark.parametrize(("w", "b"), [([1.0, 2.0], -1.0), ([1, 0], 3), ([0, -2], 1), ([1e-3, 5], 0)])
def test_line_is_the_boundary(w, b):
    ax = plot.line(w, b, color="k")
    ax.set(xlim=(-5, 5), ylim=(-5, 5))
    drawn = ax.lines[0]
    (x1, y1), (x2, y2) = ax.transData.inverted().transform(drawn.get_transform().transform([[0, 0], [1, 1]]))
    w = np.asarray(w, float)
    assert abs(w @ [x1, y1] + b) < 1e-6
    assert abs(w @ [x2, y2] + b) < 1e-6
    assert (x1, y1) != (x2, y2)


def test_curves_start_at_epoch_one():
    ax = plot.curves({"pérdida": [3, 2, 1]})
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert ax.get_legend() is None


def test_images_share_one_scale():
    x = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    fig = plot.images(x, columns=2)
    assert len(fig.axes) == 3
    assert {image.get_clim() for ax in fig.axes for image in ax.images} == {(0.0, 59.0)}
    signed = plot.images(np.array([[[-3.0, 1.0]]]), signed=True)
    assert signed.axes[0].images[0].get_clim() == (-3.0, 3.0)
    assert len(plot.images(np.zeros((2, 3, 3, 3))).axes) == 2


def test_network_draws_every_weight_and_marks_the_sign():
    ax = plot.network([2, 3, 1], weights=[np.array([[1, -1, 2], [0.5, 3, -4]]), np.ones((3, 1))])
    assert len(ax.lines) == 9
    assert sum(line.get_linestyle() == "--" for line in ax.lines) == 2


def test_network_shortens_tall_layers():
    ax = plot.network([100, 2], limit=6)
    assert len(ax.patches) == 5 + 2
    assert "⋮" in [text.get_text() for text in ax.texts]


def test_a_tower_narrows_as_the_maps_shrink():
    ax = plot.tower([("a", (8, 8, 3), plot.GRAY), ("b", (4, 4, 6), plot.COLORS[0]), ("c", (10,), plot.COLORS[2])])
    widths = [patch.get_width() for patch in ax.patches]
    assert widths == sorted(widths, reverse=True)
    heights = [patch.get_height() for patch in ax.patches]
    assert heights == sorted(heights)


def test_an_empty_path_is_a_line_with_no_box():
    ax = plot.paths([["a", "b"], []])
    boxes = [patch for patch in ax.patches if type(patch).__name__ == "FancyBboxPatch"]
    assert len(boxes) == 3


def test_neuron_without_bias():
    with_bias, without = plot.neuron([1, 2], [3, 4]), plot.neuron([1, 2], [3, 4], bias=None)
    assert len(with_bias.patches) == len(without.patches) + 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.points([[0, 1, 2]], [0]), "x: se esperaba la forma"),
        (lambda: plot.points(SQUARE, [0, 1]), "y: se esperaba la forma"),
        (lambda: plot.points(SQUARE, [0, 1, 0.5, 1]), "clases enteras"),
        (lambda: plot.points([[np.nan, 0]], [0]), "finitos"),
        (lambda: plot.points(SQUARE, [0, 0, 1, 1], names=["una"]), "names: se esperaban 2"),
        (lambda: plot.points(np.zeros((7, 2)), range(7)), "a lo sumo 6 clases"),
        (lambda: plot.points([[0, 0]], [0], ax="ejes"), "ejes de matplotlib"),
        (lambda: plot.decision_regions("f", SQUARE, [0, 0, 1, 1]), "se esperaba una función"),
        (lambda: plot.decision_regions(lambda p: p[:3, 0], SQUARE, [0, 0, 1, 1]), "predict: se esperaba la forma"),
        (lambda: plot.decision_regions(lambda p: 9.5 * p[:, 0], SQUARE, [0, 0, 1, 1]), "puntajes"),
        (lambda: plot.decision_regions(lambda p: p * np.nan, SQUARE, [0, 0, 1, 1]), "finitos"),
        (lambda: plot.decision_regions(lambda p: p, SQUARE, [0, 1, 2, 3]), "columnas"),
        (lambda: plot.decision_regions(lambda p: 0.3 + 0 * p[:, 0], SQUARE, [0, 1, 2, 3]), "una sola probabilidad"),
        (lambda: plot.decision_regions(lambda p: p[:, 0], SQUARE, [0, 0, 1, 1], resolution=1), "resolution"),
        (lambda: plot.line([1, 2, 3], 0), "w: se esperaba la forma"),
        (lambda: plot.line([0, 0], 0), "distinto de cero"),
        (lambda: plot.line([1, 0], np.inf), "b: se esperaba un número finito"),
        (lambda: plot.curves({}), "al menos una curva"),
        (lambda: plot.curves([1, 2]), "diccionario"),
        (lambda: plot.curves({"a": []}), "al menos un elemento"),
        (lambda: plot.images(np.zeros((8, 8))), "x: se esperaba la forma"),
        (lambda: plot.images(np.zeros((2, 8, 8)), titles=["a"]), "titles: se esperaban 2"),
        (lambda: plot.images(np.full((1, 2, 2, 3), 7)), "entre 0 y 1"),
        (lambda: plot.images(np.zeros((1, 2, 2)), columns=0), "columns"),
        (lambda: plot.images("foto"), "números reales"),
        (lambda: plot.network([3]), "al menos dos capas"),
        (lambda: plot.network([3, 0]), "sizes"),
        (lambda: plot.network("23"), "una lista"),
        (lambda: plot.network([2, 1], names=[["a"], ["b"]]), r"names\[0\]"),
        (lambda: plot.network([2, 1], weights=[[[1, 2]]]), r"weights\[0\]"),
        (lambda: plot.network([2, 1], weights=[]), "weights: se esperaban 1"),
        (lambda: plot.network([2, 1], layer_names=["a"]), "layer_names"),
        (lambda: plot.neuron(["a", "b"], ["c"]), "weights: se esperaban 2"),
        (lambda: plot.tower([]), "rows: se esperaba al menos"),
        (lambda: plot.tower([("a", (2, 2, 3))]), r"rows\[0\]: se esperaban 3"),
        (lambda: plot.tower([("a", (2, 2), plot.GRAY)]), r"\(h, w, c\)"),
        (lambda: plot.paths([]), "columns: se esperaba al menos"),
        (lambda: plot.paths(["3×3"]), r"columns\[0\]: se esperaba una lista"),
        (lambda: plot.paths([["3×3"]], width=0), "width"),
        (lambda: plot.neuron([], []), "inputs: se esperaba al menos"),
    ],
)
def test_bad_input_gets_a_spanish_sentence(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_cells_write_every_number_and_mark_the_windows():
    from matplotlib.patches import Rectangle

    ax = plot.cells([[1, -2.5], ["", "a"]], windows=[(0, 1, 2, 1, plot.COLORS[2])], title="mapa")
    assert [text.get_text() for text in ax.texts] == ["1", "−2.5", "", "a", "mapa"]
    patches = [p for p in ax.patches if isinstance(p, Rectangle)]
    assert len(patches) == 5
    assert (patches[-1].get_xy(), patches[-1].get_width(), patches[-1].get_height()) == ((1, -2), 1, 2)
    second = plot.cells(np.zeros((3, 3)), ax, at=(4, 1), tint=True)
    assert second is ax
    assert ax.patches[-1].get_xy() == (6, -4)


def test_cells_tint_by_sign():
    ax = plot.cells([[1, -1, 0]], tint=True)
    faces = [mpl.colors.to_hex(patch.get_facecolor()) for patch in ax.patches[:2]]
    assert faces == [plot.COLORS[1].lower(), plot.COLORS[0].lower()]
    assert ax.patches[2].get_facecolor()[3] == 0


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (3, {}),
        ([], {}),
        ([[1, 2], [3]], {}),
        ([[[1]]], {}),
        ([[1]], {"windows": [(0, 0, 2, 2)]}),
        ([[1]], {"at": (0,)}),
        ([["a"]], {"tint": True}),
        ([[np.nan]], {"tint": True}),
    ],
)
def test_cells_reject_what_they_cannot_draw(values, options):
    with pytest.raises((ValueError, TypeError), match="esperaba"):
        plot.cells(values, **options)


@pytest.mark.parametrize("ax", ["ejes", 3, [1, 2], plot])
@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plot.points([[0, 0]], [0], ax),
        lambda ax: plot.decision_regions(lambda x: x[:, 0] > 0, [[0, 0], [1, 1]], [0, 1], ax),
        lambda ax: plot.line([1, 1], 0, ax),
        lambda ax: plot.network([2, 3], ax),
        lambda ax: plot.tower([("capa", (3,), "C0")], ax),
        lambda ax: plot.paths([["capa"], []], ax),
        lambda ax: plot.neuron(["x"], ["w"], ax),
        lambda ax: plot.cells([[1, 2]], ax),
        lambda ax: plot.curves({"loss": [1, 2]}, ax),
        lambda ax: draw_graph(Value(1.0) + Value(2.0), ax),
        lambda ax: draw_architecture(Sequential([Input((4, 4, 1)), Conv2D(2, 3)]), ax),
    ],
)
def test_what_is_no_axes_is_refused_everywhere(draw, ax):
    with pytest.raises(TypeError, match="ax: se esperaban unos ejes de matplotlib, pero llegó"):
        draw(ax)


def test_a_table_is_tinted_in_a_page_and_its_names_are_text():
    made = plot.table([[1, -2], [0, -np.inf]], ["<el>", "gato"], ["a", "b"], decimals=1)
    html = made._repr_html_()
    assert "&lt;el&gt;" in html
    assert "<el>" not in html
    assert html.count("background-color") == 2
    assert [row[1:] for row in made.cells] == [["−2.0"], ["−∞"]]
    assert plot.table([[-0.001]]).cells == [["0.00"]]
    with pytest.raises(ValueError, match="values: se esperaban números"):
        plot.table([[np.nan]])
