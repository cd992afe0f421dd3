"""Un ejemplar, o varios, de cada clase que existe: de aquí salen las pruebas del contrato.

Quien escribe una capa, una pérdida, un optimizador… la apunta en la tabla de su especie, con los argumentos que
importan; desde entonces la prueban todos los archivos de esta carpeta. Si no está en Keras, se dice además por qué. Los
números de Keras están en ``tests/reference/contract.json`` y los escribe ``make_contract_reference.py``.
"""

import inspect
import re
from dataclasses import dataclass, field

import numpy as np
import pytest

import chapters  # noqa: F401  (el paquete dice que trae clases)
from dlbook import registry
from dlbook.training import walk

registry.import_everything()


@dataclass(frozen=True)
class Case:
    """Una clase, los argumentos con que se crea y, si es una capa, la forma de una observación."""

    kind: str
    name: str
    shape: tuple | None = None
    arguments: dict = field(default_factory=dict)

    @property
    def cls(self):
        return registry.classes(self.kind)[self.name]

    def make(self, **options):
        """Crea un ejemplar; los casos que haya entre los argumentos se crean también."""
        return self.cls(**{name: made(value) for name, value in (self.arguments | options).items()})

    def __repr__(self):
        arguments = [*([str(self.shape)] if self.shape else []), *(f"{k}={v!r}" for k, v in self.arguments.items())]
        # Sin la dirección de una función, que en cada proceso es otra.
        return re.sub(" at 0x[0-9a-f]+", "", f"{self.name}({', '.join(arguments)})")


def made(value):
    if isinstance(value, Case):
        return value.make()
    return type(value)(map(made, value)) if isinstance(value, (list, tuple)) else value


def layer(name, shape=None, **arguments):
    return Case("layer", name, shape, arguments)


def of(kind, name, **arguments):
    return Case(kind, name, None, arguments)


DENSE = layer("Dense", units=3, activation="tanh")
NARROW = layer("Dense", units=1)
NORMALIZED = [
    layer("Conv2D", filters=2, kernel_size=2, padding="same", use_bias=False),
    layer("BatchNormalization", momentum=0.9),
    layer("Activation", activation="tanh"),
]

LAYERS = [
    layer("Activation", (5,), activation="softmax"),
    layer("Activation", (2, 3), activation="elu"),
    layer("Activation", (4,), activation="linear"),
    layer("AveragePooling2D", (5, 4, 2), pool_size=2),
    layer("AveragePooling2D", (4, 5, 2), pool_size=(3, 2), strides=(2, 3), padding="same"),
    layer("BatchNormalization", (3,)),
    layer("BatchNormalization", (2, 3), momentum=0.7, epsilon=0.01, gamma_regularizer="l2"),
    layer("BatchNormalization", (3, 2, 4), axis=1, scale=False),
    layer("BatchNormalization", (2, 2, 3), center=False, moving_mean_initializer="ones"),
    layer(
        "Branches", (4,), branches=[DENSE, [layer("Dense", units=3), NARROW], layer("Activation", activation="tanh")]
    ),
    layer(
        "Branches",
        (3, 3, 2),
        branches=[
            layer("Conv2D", filters=2, kernel_size=1),
            [layer("Branches", branches=[layer("Conv2D", filters=1, kernel_size=(1, 3), padding="same"), NORMALIZED])],
        ],
    ),
    layer("Conv1D", (7, 2), filters=2, kernel_size=3, activation="tanh"),
    layer("Conv1D", (6, 1), filters=2, kernel_size=2, padding="causal", dilation_rate=2, use_bias=False),
    layer("Conv1D", (6, 2), filters=2, kernel_size=3, padding="causal", strides=2),
    layer("Conv1D", (4, 2), filters=4, kernel_size=2, padding="same", groups=2),
    layer("Conv2D", (5, 6, 3), filters=4, kernel_size=3, activation="relu"),
    layer("Conv2D", (5, 6, 2), filters=4, kernel_size=(3, 2), padding="same", kernel_regularizer="l2"),
    layer("Conv2D", (8, 7, 2), filters=3, kernel_size=(3, 4), strides=2, padding="same", activation="tanh"),
    layer("Conv2D", (7, 7, 1), filters=9, kernel_size=(2, 5), strides=3),
    layer("Conv2D", (7, 6, 2), filters=2, kernel_size=(3, 2), dilation_rate=2, padding="same"),
    layer("Conv2D", (7, 6, 2), filters=3, kernel_size=3, dilation_rate=(3, 2), use_bias=False),
    layer("Conv2D", (5, 4, 4), filters=6, kernel_size=3, padding="same", groups=2),
    layer("Conv2D", (3, 3, 2), filters=3, kernel_size=5, padding="same"),
    layer("Conv2DTranspose", (2, 2, 2), filters=2, kernel_size=3),
    layer("Conv2DTranspose", (2, 3, 2), filters=1, kernel_size=3, strides=2, padding="same", activation="tanh"),
    layer("Conv2DTranspose", (2, 2, 2), filters=1, kernel_size=2, strides=3, output_padding=(0, 2), use_bias=False),
    layer(
        "Conv2DTranspose", (2, 2, 2), filters=1, kernel_size=(4, 3), strides=(3, 2), padding="same", output_padding=1
    ),
    layer("Dense", (3,), units=4, activation="tanh"),
    layer("Dense", (7,), units=5, activation="softplus", use_bias=False),
    layer("Dense", (2, 4), units=3, activation="softmax"),
    layer("Dense", (21,), units=37, activation="gelu"),
    layer("Dense", (4,), units=2, kernel_initializer="he_normal", kernel_regularizer="l1", bias_regularizer="l2"),
    layer("DepthwiseConv2D", (4, 3, 2), kernel_size=3, padding="same", activation="tanh"),
    layer("DepthwiseConv2D", (4, 5, 2), kernel_size=2, strides=2, depth_multiplier=3),
    layer("DepthwiseConv2D", (5, 6, 2), kernel_size=3, dilation_rate=2, use_bias=False),
    layer("Dropout", (6,), rate=0.4),
    layer("Dropout", (2, 3), rate=0.0),
    layer("Flatten", (2, 3)),
    layer("Flatten", (4,)),
    layer("GlobalAveragePooling2D", (3, 2, 3)),
    layer("GlobalAveragePooling2D", (3, 4, 2), keepdims=True),
    layer("GlobalMaxPooling2D", (3, 2, 3)),
    layer("GlobalMaxPooling2D", (3, 4, 2), keepdims=True),
    layer("LocalResponseNormalization", (6,), depth_radius=1, bias=1.0, alpha=0.5),
    layer("LocalResponseNormalization", (3, 2, 5), alpha=0.1, beta=0.5),
    layer("MaxPooling2D", (4, 6, 2)),
    layer("MaxPooling2D", (5, 3, 2)),
    layer("MaxPooling2D", (5, 4, 2), pool_size=3, strides=2, padding="same"),
    layer("MaxPooling2D", (4, 4, 2), pool_size=(2, 3), strides=1),
    layer("Maxout", (4,), units=3),
    layer("Maxout", (2, 3), units=2, pieces=3, kernel_regularizer="l2"),
    layer("MinPooling2D", (4, 3, 2), pool_size=(2, 1)),
    layer("MinPooling2D", (5, 4, 2), pool_size=3, strides=2, padding="same"),
    layer("PartialConv2D", (5, 5, 3), table=[(0, 2), (1,), (0, 1, 2)], kernel_size=3),
    layer("RadialBasis", (3,), prototypes=[[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]]),
    layer("RandomFlip", (3, 4, 2)),
    layer("RandomFlip", (3, 4, 2), mode="horizontal"),
    layer("RandomRotation", (5, 4, 2), factor=0.1),
    layer("RandomRotation", (5, 4, 2), factor=(0.07, 0.07), fill_mode="nearest"),
    layer("RandomTranslation", (5, 6, 2), height_factor=0.3, width_factor=(-0.2, 0.4)),
    layer(
        "RandomTranslation",
        (5, 4, 2),
        height_factor=(0.2, 0.2),
        width_factor=(-0.3, -0.3),
        fill_mode="constant",
        fill_value=0.25,
    ),
    layer("Reshape", (2, 6), target_shape=(3, -1)),
    layer("Reshape", (6,), target_shape=(1, 2, 3)),
    layer("Residual", (3,), main=[layer("Dense", units=5, activation="tanh"), DENSE], activation="tanh"),
    layer("Residual", (4,), main=DENSE, shortcut=[layer("Dense", units=3)], activation="tanh"),
    layer("Residual", (4, 3, 2), main=NORMALIZED, shortcut=layer("Conv2D", filters=2, kernel_size=1)),
    layer("Sequential", (2, 3), layers=[layer("Flatten"), DENSE, NARROW]),
    layer("Sequential", (3,), layers=[layer("Sequential", layers=[DENSE]), layer("Dropout", rate=0.3), NARROW]),
    layer("Subsampling2D", (5, 4, 3)),
    layer("Subsampling2D", (6, 4, 2), pool_size=3),
    layer("UpSampling2D", (2, 2, 2), size=(2, 3)),
    layer("UpSampling2D", (2, 3, 2), size=(3, 2), interpolation="bilinear"),
    layer("ZeroPadding2D", (2, 3, 2)),
    layer("ZeroPadding2D", (2, 3, 2), padding=((1, 0), (0, 2))),
]

ACTIVATIONS = [
    of("activation", "ELU"),
    of("activation", "ELU", alpha=0.5),
    of("activation", "GELU"),
    of("activation", "GELU", approximate=True),
    of("activation", "LeakyReLU"),
    of("activation", "LeakyReLU", negative_slope=0.1),
    of("activation", "Linear"),
    of("activation", "ReLU"),
    of("activation", "ScaledTanh"),
    of("activation", "ScaledTanh", scale=2.0, slope=0.5),
    of("activation", "Sigmoid"),
    of("activation", "Softmax"),
    of("activation", "Softplus"),
    of("activation", "Step"),
    of("activation", "Tanh"),
]

LOSSES = [
    of("loss", "BinaryCrossentropy"),
    of("loss", "BinaryCrossentropy", from_logits=True),
    of("loss", "BinaryCrossentropy", from_logits=True, label_smoothing=0.1),
    of("loss", "CategoricalCrossentropy"),
    of("loss", "CategoricalCrossentropy", from_logits=True),
    of("loss", "CategoricalCrossentropy", label_smoothing=0.2),
    of("loss", "GridDetectionLoss"),
    of("loss", "GridDetectionLoss", boxes=1, box_weight=2.0, empty_weight=0.1),
    of("loss", "MeanAbsoluteError"),
    of("loss", "MeanSquaredError"),
    of("loss", "SparseCategoricalCrossentropy"),
    of("loss", "SparseCategoricalCrossentropy", from_logits=True),
]


def probabilities(rng, shape):
    p = rng.random(shape) + 0.05
    return p / p.sum(axis=-1, keepdims=True)


def objects_in_cells(rng, shape):
    # Unas celdas con objeto y otras sin él; sus tres clases, al final.
    truth = rng.random((*shape[:3], 8))
    truth[..., 0] = truth[..., 0] < 0.5
    return truth * truth[..., :1]


# Lo correcto que pide cada pérdida y cada métrica, para una salida de esa forma.
TARGETS = {
    "BinaryAccuracy": lambda rng, shape: rng.integers(0, 2, shape).astype(float),
    "BinaryCrossentropy": lambda rng, shape: rng.random(shape),
    "CategoricalAccuracy": probabilities,
    "CategoricalCrossentropy": probabilities,
    "GridDetectionLoss": objects_in_cells,
    "MeanAbsoluteError": lambda rng, shape: rng.normal(size=shape),
    "MeanSquaredError": lambda rng, shape: rng.normal(size=shape),
    "SparseCategoricalAccuracy": lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]),
    "SparseCategoricalCrossentropy": lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]),
    "SparseTopKCategoricalAccuracy": lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]),
}
# Las salidas con que se prueban: observaciones, a veces un eje más, y números al final.
SHAPES = [(1, 2), (5, 3), (2, 3, 4)]


def shapes(case):
    """Las formas de la salida con que se prueba una pérdida o una métrica."""
    if case.name == "GridDetectionLoss":
        return [(3, 2, 2, 5 * case.make().boxes + 3)]
    # Las etiquetas de una métrica van una por observación.
    return SHAPES[:2] if case.kind == "metric" and case.name.startswith("Sparse") else SHAPES


def example(case, shape, seed=0, dtype="float64"):
    """Lo correcto, lo predicho y el peso de cada observación."""
    rng = np.random.default_rng(seed)
    y_true = TARGETS[case.name](rng, shape)
    needs = getattr(case.make(), "from_logits", True) is False
    y_pred = probabilities(rng, shape) if needs else 2 * rng.normal(size=shape)
    return y_true if y_true.dtype.kind == "i" else y_true.astype(dtype), y_pred.astype(dtype), rng.random(shape[0])


METRICS = [
    of("metric", "BinaryAccuracy"),
    of("metric", "BinaryAccuracy", threshold=0.1),
    of("metric", "CategoricalAccuracy"),
    of("metric", "MeanAbsoluteError"),
    of("metric", "MeanSquaredError"),
    of("metric", "SparseCategoricalAccuracy"),
    of("metric", "SparseTopKCategoricalAccuracy", k=2),
]

SCHEDULES = [
    of("schedule", "CosineDecay", initial_learning_rate=0.1, decay_steps=20),
    of("schedule", "CosineDecay", initial_learning_rate=0.1, decay_steps=20, alpha=0.1),
    of("schedule", "CosineDecay", initial_learning_rate=0.01, decay_steps=20, warmup_target=0.1, warmup_steps=6),
    of("schedule", "ExponentialDecay", initial_learning_rate=0.1, decay_steps=7, decay_rate=0.6),
    of("schedule", "ExponentialDecay", initial_learning_rate=0.1, decay_steps=7, decay_rate=0.6, staircase=True),
    of("schedule", "InverseTimeDecay", initial_learning_rate=0.1, decay_steps=7, decay_rate=0.6),
    of("schedule", "InverseTimeDecay", initial_learning_rate=0.1, decay_steps=7, decay_rate=0.6, staircase=True),
    of("schedule", "PiecewiseConstantDecay", boundaries=[5, 12, 30], values=[0.1, 0.05, 0.01, 0.001]),
    of("schedule", "PolynomialDecay", initial_learning_rate=0.1, decay_steps=15),
    of("schedule", "PolynomialDecay", initial_learning_rate=0.1, decay_steps=15, end_learning_rate=0.02, power=2.5),
    of("schedule", "PolynomialDecay", initial_learning_rate=0.1, decay_steps=15, cycle=True),
]

OPTIMIZERS = [
    of("optimizer", "Adadelta"),
    of("optimizer", "Adadelta", learning_rate=1.0, rho=0.9, epsilon=1e-6),
    of("optimizer", "Adagrad"),
    of("optimizer", "Adagrad", learning_rate=0.5, initial_accumulator_value=0.0, epsilon=1e-3),
    of("optimizer", "Adam"),
    of("optimizer", "Adam", learning_rate=0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    of("optimizer", "Adam", learning_rate=SCHEDULES[2], global_clipnorm=1.0),
    of("optimizer", "AdamW"),
    of("optimizer", "AdamW", learning_rate=0.05, weight_decay=0.1, clipvalue=0.3),
    of("optimizer", "RMSprop"),
    of("optimizer", "RMSprop", learning_rate=0.01, rho=0.8, momentum=0.9),
    of("optimizer", "RMSprop", learning_rate=0.01, centered=True),
    of("optimizer", "RMSprop", learning_rate=0.01, momentum=0.5, centered=True, weight_decay=0.01),
    of("optimizer", "SGD"),
    of("optimizer", "SGD", learning_rate=0.05, momentum=0.9),
    of("optimizer", "SGD", learning_rate=0.05, momentum=0.9, nesterov=True),
    of("optimizer", "SGD", learning_rate=0.05, weight_decay=0.1, clipvalue=0.5),
    of("optimizer", "SGD", learning_rate=SCHEDULES[3], global_clipnorm=1.0),
]

INITIALIZERS = [
    of("initializer", "Constant", value=2.5),
    of("initializer", "GlorotNormal"),
    of("initializer", "GlorotUniform"),
    of("initializer", "HeNormal"),
    of("initializer", "HeUniform"),
    of("initializer", "Identity", gain=0.5),
    of("initializer", "LecunNormal"),
    of("initializer", "LecunUniform"),
    of("initializer", "Ones"),
    of("initializer", "Orthogonal"),
    of("initializer", "Orthogonal", gain=2.0),
    of("initializer", "RandomNormal", mean=1.0, stddev=0.3),
    of("initializer", "RandomUniform", minval=-1.0, maxval=3.0),
    of("initializer", "TruncatedNormal", mean=-1.0, stddev=0.5),
    of("initializer", "VarianceScaling", scale=2.0, mode="fan_avg", distribution="uniform"),
    of("initializer", "VarianceScaling", mode="fan_out", distribution="untruncated_normal"),
    of("initializer", "VarianceScaling"),
    of("initializer", "Zeros"),
]
# La media y la varianza que promete cada uno, con n entradas y m salidas.
TRUNCATED = 0.7737413035499232
MOMENTS = {
    "Constant": lambda f, n, m: (f.value, 0),
    "GlorotNormal": lambda f, n, m: (0, 2 / (n + m)),
    "GlorotUniform": lambda f, n, m: (0, 2 / (n + m)),
    "HeNormal": lambda f, n, m: (0, 2 / n),
    "HeUniform": lambda f, n, m: (0, 2 / n),
    "Identity": lambda f, n, m: (f.gain / max(n, m), f.gain**2 / max(n, m) * (1 - 1 / max(n, m))),
    "LecunNormal": lambda f, n, m: (0, 1 / n),
    "LecunUniform": lambda f, n, m: (0, 1 / n),
    "Ones": lambda f, n, m: (1, 0),
    "Orthogonal": lambda f, n, m: (0, f.gain**2 / max(n, m)),
    "RandomNormal": lambda f, n, m: (f.mean, f.stddev**2),
    "RandomUniform": lambda f, n, m: ((f.minval + f.maxval) / 2, (f.maxval - f.minval) ** 2 / 12),
    "TruncatedNormal": lambda f, n, m: (f.mean, TRUNCATED * f.stddev**2),
    "VarianceScaling": lambda f, n, m: (0, f.scale / {"fan_in": n, "fan_out": m, "fan_avg": (n + m) / 2}[f.mode]),
    "Zeros": lambda f, n, m: (0, 0),
}

REGULARIZERS = [
    of("regularizer", "L1"),
    of("regularizer", "L1", l1=0.3),
    of("regularizer", "L1L2"),
    of("regularizer", "L1L2", l1=0.1, l2=0.4),
    of("regularizer", "L2"),
    of("regularizer", "L2", l2=0.2),
]

# Ninguno de estos cambia por sí solo lo que se aprende.
CALLBACKS = [
    of("callback", "CSVLogger", filename="historia.csv"),
    of("callback", "EarlyStopping", monitor="loss", patience=100),
    of("callback", "History"),
    of("callback", "LearningRateScheduler", schedule=lambda epoch, rate: rate),
    of("callback", "ModelCheckpoint", filepath="{epoch}.safetensors"),
    of("callback", "ModelCheckpoint", filepath="mejor.safetensors", monitor="loss", save_best_only=True),
]

TABLES = {
    "activation": ACTIVATIONS,
    "callback": CALLBACKS,
    "initializer": INITIALIZERS,
    "layer": LAYERS,
    "loss": LOSSES,
    "metric": METRICS,
    "optimizer": OPTIMIZERS,
    "regularizer": REGULARIZERS,
    "schedule": SCHEDULES,
}

# No se usan solas: de ellas heredan las demás.
BASES = {
    "activation": {
        "ActivationFunction": "la base de todas",
        "FunctionActivation": "la hace activation=función, y se prueba con la cinta",
    },
    "callback": {"Callback": "la base de todos", "_Monitor": "lo que comparten los que vigilan"},
    "initializer": {"Initializer": "la base de todos"},
    "layer": {
        "Lambda": "su función no se puede guardar, y se prueba con la cinta",
        "Layer": "la base de todas",
        "Model": "la base de los modelos",
        "Pooling2D": "lo que comparten los agrupamientos",
        "RandomLayer": "lo que comparten las que aumentan los datos",
        "_GlobalPooling2D": "lo que comparten los agrupamientos globales",
    },
    "loss": {"Loss": "la base de todas", "FunctionLoss": "la hace loss=función, y se prueba con la cinta"},
    "metric": {"Metric": "la base de todas", "FunctionMetric": "la hace metrics=[función], y se prueba con la cinta"},
    "optimizer": {"Optimizer": "la base de todos"},
    "regularizer": {},
    "schedule": {"LearningRateSchedule": "la base de todos"},
}

# Las que no se comparan con Keras, y por qué.
NOT_IN_KERAS = {
    "activation": {"ScaledTanh": "es la de LeNet-5", "Step": "su derivada no sirve para aprender"},
    "callback": {},
    "initializer": {},
    "layer": {
        "Branches": "en Keras se escribe con su grafo",
        "LocalResponseNormalization": "es de TensorFlow, no de Keras",
        "Maxout": "Keras la quitó",
        "MinPooling2D": "Keras no la tiene",
        "PartialConv2D": "es de LeNet-5",
        "RadialBasis": "es de LeNet-5",
        "Residual": "en Keras se escribe con su grafo",
        "Sequential": "la compara el puente, con todas sus capas",
        "Subsampling2D": "es de LeNet-5",
    },
    "loss": {"GridDetectionLoss": "es la de YOLO"},
    "metric": {},
    "optimizer": {},
    "regularizer": {},
    "schedule": {},
}


def unlisted(kind):
    """Qué clases de una especie no están en ninguna tabla, y cuáles están y ya no existen."""
    listed = {case.name for case in TABLES.get(kind, ())} | set(BASES.get(kind, ()))
    known = set(registry.classes(kind))
    return sorted(known - listed), sorted(listed - known)


def over(listed):
    """Decora una prueba para que se haga con cada caso."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=repr(case)) for case in listed])


def every(kind, keep=lambda case: True):
    """Como :func:`over`, con los casos de una especie."""
    return over([case for case in TABLES[kind] if keep(case)])


def in_keras(case):
    return case.name not in NOT_IN_KERAS[case.kind]


def random(case):
    """Si la capa, o una de las que contiene, sortea algo al entrenar."""
    return any(inner.random for inner in walk(case.make()))


REQUIRED = "obligatorio"


def signature(f):
    """Los argumentos de una función: nombre, valor por omisión y si se puede dar sin nombre."""
    kinds = {inspect.Parameter.POSITIONAL_OR_KEYWORD: True, inspect.Parameter.KEYWORD_ONLY: False}
    return [
        [p.name, REQUIRED if p.default is p.empty else p.default, kinds[p.kind]]
        for p in inspect.signature(f).parameters.values()
        if p.kind in kinds
    ]


def defaults(f):
    """Los argumentos que tienen valor por omisión, con él; los obligatorios, con :data:`REQUIRED`."""
    return {name: default for name, default, _ in signature(f)}
