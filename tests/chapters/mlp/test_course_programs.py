"""Los programas de los cursos: corren aquí y, con los import comentados, en Keras."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from dlbook.data import students

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "mlp"
PAGE, CASES = FOLDER / "programas.md", FOLDER / "programas-casos.md"
TEXT = PAGE.read_text(encoding="utf-8")
CELL = re.compile(r"```\{code-cell\} ipython3\n:tags: \[programa\]\n(.*?)```", re.DOTALL)
TENSORFLOW = re.compile(r"```\{code-block\} python\n:name: (mlp-tf-[a-z]+)\n:caption: [^\n]*\n\n(.*?)```", re.DOTALL)
OF_EACH = [CELL.findall(TEXT), CELL.findall(CASES.read_text(encoding="utf-8"))]
PROGRAMS = [program for programs in OF_EACH for program in programs]
IMPORT = re.compile(r"^# (from keras\S* import .+)\n(from \S+ import .+)$", re.MULTILINE)


def namespace():
    return {"np": np, "students": students}


def run(programs):
    """Ejecuta los programas en orden, en un mismo espacio de nombres, como en la página."""
    names = namespace()
    for program in programs:
        exec(compile(program, PAGE.name, "exec"), names)
    return names


def check(names):
    assert np.isclose(float(names["from_probabilities"]), 0.279777, atol=1e-6)
    assert np.isclose(float(names["from_logits"]), 0.279777, atol=1e-6)
    assert np.isclose(float(names["mean"]), 0.07)
    assert np.allclose(names["per_example"], [0.01, 0.04, 0.16])
    assert np.isclose(names["before"][0], 0.667943, atol=1e-4)
    assert names["after"][0] < 0.01
    epochs = {monitor: len(history["loss"]) for monitor, history in names["histories"].items()}
    assert epochs["loss"] > 3 * epochs["val_loss"]


def test_there_are_programs_and_only_the_first_one_imports():
    assert len(PROGRAMS) >= 8
    assert [len(IMPORT.findall(programs[0])) for programs in OF_EACH] == [3, 2]
    for first, *others in OF_EACH:
        rest = IMPORT.sub("", first).split("\n")
        assert all(re.match(r"(import|from) |plot\.use_style\(\)$|$", line) for line in rest)
        for program in others:
            assert "import" not in program
            assert "seed=0)" not in program.replace("Dropout", ""), "Keras no recibe seed en un modelo"


def test_programs_run_here():
    check(run(PROGRAMS))


def test_programs_run_in_keras_with_only_the_imports_changed():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    # Con menos épocas basta: la que vigila la validación se detiene mucho antes.
    check(run([IMPORT.sub(r"\1", program).replace("epochs=500", "epochs=250") for program in PROGRAMS]))


def test_both_end_with_the_same_weights():
    # El programa de los estudiantes parte de pesos fijos y de un solo lote: no hay azar.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    pytest.importorskip("keras")
    program = next(p for p in PROGRAMS if "set_weights" in p)
    ours, theirs = run([PROGRAMS[0], program]), run([IMPORT.sub(r"\1", PROGRAMS[0]), program])
    for a, b in zip(ours["model"].get_weights(), theirs["model"].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3)
    np.testing.assert_allclose(ours["history"].history["loss"], theirs["history"].history["loss"], atol=1e-4)


# --- Los que solo son de TensorFlow ---


@pytest.fixture(scope="module")
def tf():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return pytest.importorskip("tensorflow")


def block(name):
    return dict(TENSORFLOW.findall(TEXT))[name]


def test_the_page_has_the_three_tensorflow_programs():
    assert set(dict(TENSORFLOW.findall(TEXT))) == {"mlp-tf-capa", "mlp-tf-descenso", "mlp-tf-ciclo"}
    for _, program in TENSORFLOW.findall(TEXT):
        compile(program, PAGE.name, "exec")


def test_my_dense_layer(tf):
    names = {}
    exec(block("mlp-tf-capa"), names)
    layer = names["MyDenseLayer"](3, 2)
    x = np.array([[0.5, -1.0, 2.0]], np.float32)
    W, b = layer.get_weights()
    np.testing.assert_allclose(layer(x).numpy(), 1 / (1 + np.exp(-(x @ W + b))), rtol=1e-5)


def test_gradient_descent_on_one_weight(tf):
    names = {"compute_loss": lambda w: tf.reduce_sum((w - 3) ** 2 + 1), "lr": 0.1}
    exec(block("mlp-tf-descenso"), names)
    assert names["step"] < 200
    np.testing.assert_allclose(names["weights"].numpy(), [3.0], atol=1e-5)


def test_the_loop_takes_the_same_steps_as_ours(tf):
    from chapters.mlp import Dense, Input, Sequential, losses, optimizers

    x, y = students()
    ours = Sequential([Input(shape=(2,)), Dense(3, activation="tanh"), Dense(1)], seed=0)
    theirs = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3, "tanh"), tf.keras.layers.Dense(1)])
    theirs.set_weights(ours.get_weights())
    names = {"model": theirs, "x": x, "y": y[:, None]}
    # Después de unos doscientos pasos la pérdida brinca, y cada brinco agranda el redondeo.
    exec(block("mlp-tf-ciclo").replace("range(500)", "range(100)"), names)
    assert names["step"] == 99

    ours.compile(loss=losses.BinaryCrossentropy(from_logits=True))
    optimizer = optimizers.SGD(learning_rate=0.1)
    for _ in range(names["step"] + 1):
        _, gradient = ours.loss_and_gradient(x, y, training=True)
        optimizer.step(ours.theta, gradient)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


# --- Los tropiezos de las láminas, tal como se cuentan ---


def test_what_the_slides_got_wrong_in_tensorflow(tf):
    with pytest.raises(TypeError):
        tf.random.normal()

    # Restar fuera de la variable.
    weights = tf.Variable([2.0])
    gradients = []
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weights**2)
        gradients.append(tape.gradient(loss, weights))
        if gradients[-1] is not None:
            weights = weights - 0.1 * gradients[-1]
    assert gradients[1] is None

    # La predicción fuera de la cinta.
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    prediction = model(tf.ones((2, 2)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(prediction**2)
    gradients = tape.gradient(loss, model.trainable_variables)
    assert gradients == [None, None]
    with pytest.raises(ValueError, match="No gradients"):
        tf.keras.optimizers.SGD().apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    assert not hasattr(tf.keras, "optimizer")

    # Softmax con una sola salida.
    y, logits = tf.constant([[1.0], [0.0], [1.0]]), tf.constant([[-3.0], [5.0], [0.1]])
    assert not tf.nn.softmax_cross_entropy_with_logits(y, logits).numpy().any()

    # La parada temprana vigila la validación y se llama por época.
    stop = tf.keras.callbacks.EarlyStopping()
    assert stop.monitor == "val_loss"
    assert not {"on_train_batch_end", "on_batch_end"} & set(vars(type(stop)))


def test_the_indentation_of_the_slide_is_a_syntax_error():
    program = "class L:\n    def call(self, x):\n        output = x\n\n    return output\n"
    with pytest.raises(SyntaxError, match="'return' outside function"):
        compile(program, "lámina", "exec")
