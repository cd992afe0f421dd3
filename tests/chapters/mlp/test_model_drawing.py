"""El dibujo de un modelo: que no se superponga nada, y que no falte ninguna flecha."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest

from chapters.mlp import Add, Concatenate, Dense, Input, Model, Sequential, Subtract, plot_model
from dlbook import plot
from dlbook.plot.flow import Box, flow

mpl.use("agg")


@pytest.fixture(autouse=True)
def _closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def row():
    return Sequential([Input((3,), name="medidas"), Dense(2), Dense(1)])


def twins():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    tower = Sequential([Input((3,)), Dense(4)], name="torre")
    left, right = tower(a), tower(b)
    return Model([a, b], [Dense(1)(Subtract()([left, right])), tower(Dense(3)(right))])


def twice():
    x = Input((3,))
    return Model(x, Add()([x, x]))


def deep():
    # Como una U: lo de cada escalón se junta con lo del escalón de enfrente, y en medio también sale algo.
    first = Input((8,))
    down = [first]
    for _ in range(6):
        down.append(Dense(4, "relu")(down[-1]))
    up = middle = down.pop()
    for value in reversed(down):
        up = Dense(4)(Concatenate()([up, value]))
    return Model(first, [up, middle])


def crowd():
    rng = np.random.default_rng(0)
    values = [Input((2,)) for _ in range(4)]
    inputs = list(values)
    for _ in range(30):
        some = rng.choice(len(values), 3, replace=False)
        values.append(Add()([values[k] for k in some]))
    return Model(inputs, values[-3:])


MODELS = [row, twins, twice, deep, crowd]
every = pytest.mark.parametrize("make", MODELS)
ways = pytest.mark.parametrize("rankdir", ["TB", "LR"])


def boxes(ax):
    return [patch.get_path().get_extents(patch.get_patch_transform()) for patch in pieces(ax, "FancyBboxPatch")]


def pieces(ax, kind):
    return [patch for patch in ax.patches if type(patch).__name__ == kind]


def routes(ax):
    return [arrow._path_original.vertices for arrow in pieces(ax, "FancyArrowPatch")]


def touches(box, point):
    return box.x0 - 1e-6 <= point[0] <= box.x1 + 1e-6 and box.y0 - 1e-6 <= point[1] <= box.y1 + 1e-6


def expected(model):
    # De qué caja a cuál va cada valor: primero las entradas, y después las llamadas en su orden.
    owner = list(range(len(model.inputs)))
    found = []
    for k, call in enumerate(model.calls, start=len(owner)):
        found += [(owner[slot], k) for slot in call.sources]
        owner += [k] * len(call.targets)
    return sorted(found)


@ways
@every
def test_every_value_that_goes_from_one_call_to_another_is_an_arrow(make, rankdir):
    model = make()
    ax = plot_model(model, None, rankdir=rankdir)
    placed = boxes(ax)
    assert len(placed) == len(model.inputs) + len(model.calls)
    drawn = []
    for route in routes(ax):
        (start,) = (k for k, box in enumerate(placed) if touches(box, route[0]))
        (end,) = (k for k, box in enumerate(placed) if touches(box, route[-1]))
        drawn.append((start, end))
    assert sorted(drawn) == expected(model)


@ways
@every
def test_nothing_lies_on_anything_else(make, rankdir):
    ax = plot_model(make(), None, show_shapes=True, show_layer_names=True, rankdir=rankdir)
    placed = boxes(ax)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(placed, 2))
    for route in routes(ax):
        for box in placed:
            ends = touches(box, route[0]) or touches(box, route[-1])
            assert ends or not mpl.path.Path(route).intersects_bbox(box.padded(-0.01), filled=False)
    assert len({tuple(np.round(route, 6).ravel()) for route in routes(ax)}) == len(routes(ax))
    # Y todo cabe en la figura.
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert all(left <= b.x0 and b.x1 <= right and bottom <= b.y0 and b.y1 <= top for b in placed)
    assert ax.figure.get_size_inches() == pytest.approx([right - left, top - bottom])


@every
def test_every_text_fits_in_its_box(make):
    ax = plot_model(make(), None, show_shapes=True, show_layer_names=True, show_dtype=True)
    ax.figure.draw_without_rendering()
    for text in ax.texts:
        extent = text.get_window_extent().transformed(ax.transData.inverted())
        assert any(touches(b, extent.min) and touches(b, extent.max) for b in boxes(ax)), text.get_text()


@ways
def test_a_value_goes_the_way_it_was_asked(rankdir):
    first, second = boxes(plot_model(row(), None, rankdir=rankdir))[:2]
    assert first.y0 > second.y1 if rankdir == "TB" else first.x1 < second.x0


def test_what_is_shown_is_what_was_asked():
    plain, full = (
        plot_model(twins(), None, show_shapes=on, show_dtype=on, show_layer_names=on) for on in (False, True)
    )
    texts = [text.get_text() for text in plain.texts]
    assert texts.count("InputLayer") == 2
    assert texts.count("Sequential") == 3
    assert {"llamada 1 de 3", "llamada 2 de 3", "llamada 3 de 3"} <= set(texts)
    texts = [text.get_text() for text in full.texts]
    assert {"a (InputLayer)", "torre (Sequential)", "(n, 4)", "float32"} <= set(texts)


def test_colors_and_borders_tell_what_each_box_is():
    ax = plot_model(twins(), None)
    found = {}
    for patch, box in zip(pieces(ax, "FancyBboxPatch"), boxes(ax), strict=True):
        name = next(t.get_text() for t in ax.texts if touches(box, t.get_position()))
        found.setdefault(name, []).append(patch)

    def colors(name):
        return {mpl.colors.to_hex(patch.get_edgecolor()).upper() for patch in found[name]}

    assert colors("InputLayer") == {plot.GRAY.upper()}
    assert colors("Sequential") == {plot.COLORS[3].upper()}
    assert colors("Dense") == {plot.COLORS[0].upper()}
    assert colors("Subtract") == {plot.COLORS[1].upper()}
    assert {patch.get_linestyle() for patch in found["Sequential"]} == {"--"}
    assert {patch.get_linestyle() for patch in found["Dense"]} == {"-"}
    assert sorted(patch.get_linewidth() > 2 for patch in found["Dense"]) == [False, True]
    assert sorted(patch.get_linewidth() > 2 for patch in found["Sequential"]) == [False, False, True]


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_it_is_saved_where_it_was_asked(tmp_path, suffix, start):
    path = tmp_path / f"red.{suffix}"
    plot_model(row(), path)
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_as_in_keras_it_goes_to_model_png_if_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ax = plot_model(row(), dpi=100)
    size = mpl.image.imread(tmp_path / "model.png").shape[:2]
    assert size == pytest.approx(tuple(100 * ax.figure.get_size_inches()[::-1]), abs=1)


def test_a_name_with_dollars_is_no_formula():
    ax = plot_model(Sequential([Input((3,)), Dense(2, name="$precio$ en $")]), None, show_layer_names=True)
    ax.figure.draw_without_rendering()
    assert ax.texts[-1].get_text().replace("\\", "") == "$precio$ en $ (Dense)"


class Own(Model):
    def forward(self, x, training=False):
        return self.ready(x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_model(Dense(2)), "model: se esperaba un Sequential"),
        (lambda: plot_model(Own()), "model: se esperaba un Sequential"),
        (lambda: plot_model("modelo"), "model: se esperaba un Sequential"),
        (lambda: plot_model(Sequential([Dense(2)])), "aún no está construido"),
        (lambda: plot_model(Sequential()), "aún no está construido"),
        (lambda: plot_model(row(), "red.jpg"), "to_file: se esperaba 'png' o 'svg' o 'pdf', pero llegó 'jpg'"),
        (lambda: plot_model(row(), "red"), "to_file: se esperaba 'png'"),
        (lambda: plot_model(row(), "no/hay/red.png"), "to_file: no existe la carpeta"),
        (lambda: plot_model(row(), None, rankdir="BT"), "rankdir: se esperaba 'TB' o 'LR'"),
        (lambda: plot_model(row(), None, show_shapes="sí"), "show_shapes: se esperaba True o False"),
        (lambda: plot_model(row(), None, dpi=0), "dpi: se esperaba un entero"),
        (lambda: plot_model(row(), None, expand_nested=True), "expand_nested: esta opción de Keras no existe"),
        (lambda: flow([], []), "boxes: se esperaba al menos"),
        (lambda: flow([3], []), r"boxes\[0\]: se esperaba una lista"),
        (lambda: flow([(["a"], "C0", 1, 2, 3)], []), r"boxes\[0\]: se esperaba una caja"),
        (lambda: flow([(["a"], "azul")], []), r"boxes\[0\]: se esperaba un color"),
        (lambda: flow([Box([])], []), r"boxes\[0\]: se esperaba al menos"),
        (lambda: flow([Box(["a"]), Box(["b"])], [(1, 0)]), r"arrows\[0\]: se esperaba un entero"),
        (lambda: flow([Box(["a"]), Box(["b"])], [(0, 2)]), r"arrows\[0\]: se esperaba un entero"),
        (lambda: flow([Box(["a"])] * 4001, []), "a lo más 4000"),
    ],
)
def test_nonsense_is_a_sentence(call, message):
    with pytest.raises((TypeError, ValueError, OSError), match=message):
        call()


def test_labels_of_arrows_are_written_beside_them():
    ax = flow([Box(["a"]), Box([("b", plot.COLORS[1])])], [(0, 1, "2")], rankdir="LR")
    assert [text.get_text() for text in ax.texts] == ["a", "b", "2"]
    assert not any(touches(box, ax.texts[-1].get_position()) for box in boxes(ax))
