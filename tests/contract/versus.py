"""Lo mismo aquí y en Keras: con qué se prueba cada especie, qué damos nosotros y qué da él."""

import numpy as np

from tests.contract import cases
from tests.reference import oracle

STEPS = list(range(50))
WATCHED = [0, 1, 9, 49]
FILLED = [[400, 300], [3, 3, 40, 60]]

# TensorFlow guarda como float32 algunos números aunque calcule en float64.
ROUNDED_BY_TENSORFLOW = {
    "CenterCrop": 1e-5,
    "GELU": 1e-6,
    "LeakyReLU": 1e-7,
    "LogCosh": 1e-8,
    "Nadam": 1e-7,
    "RandomBrightness": 1e-6,
    "RandomContrast": 1e-6,
    "RandomRotation": 1e-4,
    "RandomTranslation": 1e-4,
    "RandomZoom": 1e-4,
    "Resizing": 1e-5,
    "UpSampling2D": 1e-5,
}
TOLERANCE = {"layer": 1e-7, "initializer": 0.05, "metric": 1e-6}


def tolerance(case):
    """Cuánto pueden diferir."""
    return ROUNDED_BY_TENSORFLOW.get(case.name, TOLERANCE.get(case.kind, 1e-12))


def modes(case):
    """Se compara también entrenando si entonces hace otra cosa, y siempre la misma."""
    if case.parts > 1 or takes_integers(case):
        return [False]
    x = np.random.default_rng(0).normal(size=(3, *case.shape))
    first, second = (case.make(seed=seed).forward(x, training=True) for seed in (0, 1))
    matters = case.cls.random or _built(case).non_trainable_weights
    return [False, True] if matters and (not case.cls.random or np.array_equal(first, second)) else [False]


def takes_integers(case):
    """Si lo que recibe son enteros, que no tienen gradiente."""
    return getattr(case.cls, "integers", False)


def _built(case):
    layer = case.make(dtype="float64", seed=0)
    layer.build(case.received)
    return layer


# --- Con qué ---


def _layer_inputs(case, rng):
    layer = _built(case)
    learned = len(layer.trainable_weights)
    weights = [rng.normal(size=w.shape).round(3) for w in layer.weights]
    # Una varianza no es negativa.
    weights[learned:] = [np.abs(w) for w in weights[learned:]]
    xs = [rng.normal(size=(2, *case.shape)).round(3) for _ in range(case.parts)]
    dy = rng.normal(size=(2, *layer.compute_output_shape(case.received))).round(3)
    x = xs if case.parts > 1 else xs[0]
    if takes_integers(case):
        x = rng.integers(0, getattr(layer, "num_tokens", None) or layer.input_dim, x.shape)
    return {"x": x, "dy": dy, "weights": weights}


def _examples(case, rng):
    found = []
    for shape in cases.shapes(case):
        y_true, y_pred, _ = cases.example(case, shape, int(rng.integers(2**31)))
        found.append([y_true, y_pred, rng.random(shape[:-1])])
    return {"examples": found}


def _path(case, rng):
    return {"theta": rng.normal(size=3), "gradients": rng.normal(size=(50, 3)) * [0.01, 1.0, 30.0]}


def _points(case, rng):
    # En el cero, la pendiente de la CELU es 1; Keras, que suma las de dos trozos, da 2.
    middle = 0.5 if case.name == "CELU" else 0.0
    z = np.concatenate([rng.normal(size=10) * 3, [-40.0, -8.0, middle, 8.0, 40.0]]).reshape(3, 5)
    return {"z": z, "dy": rng.normal(size=z.shape)}


INPUTS = {
    "activation": _points,
    "constraint": lambda case, rng: {"w": rng.normal(size=(3, 4))},
    "initializer": lambda case, rng: {"seed": int(rng.integers(100))},
    "layer": _layer_inputs,
    "loss": _examples,
    "metric": _examples,
    "optimizer": _path,
    "regularizer": lambda case, rng: {"w": rng.normal(size=(3, 4))},
    "schedule": lambda case, rng: {},
}


def inputs(case, seed):
    """Los datos de un caso, como los guarda un JSON."""
    return INPUTS[case.kind](case, np.random.default_rng([seed, *case.name.encode()]))


# --- Nosotros ---


def _our_layer(case, x, dy, weights):
    found = []
    for training in modes(case):
        layer = _built(case)
        layer.set_weights(weights)
        y = layer.forward(*(x if layer.apart else [x]), training=training)
        dx = layer.backward(dy)
        found += [y, *(dx if case.parts > 1 else [dx]), *layer.gradients, *layer.non_trainable_weights][
            : _compared(case)
        ]
    return found


def _compared(case):
    # El gradiente que da TensorFlow al mover una imagen es otra interpolación, no el de su cuenta. La cuenta que Keras
    # guarda al normalizar es un entero.
    if case.name == "Normalization":
        return 2
    return 1 if case.cls.random or takes_integers(case) else None


def _our_activation(case, z, dy):
    f, y, dz = case.make(), np.empty_like(z), np.empty_like(z)
    f.forward(z, y)
    f.backward(z, y, dy, dz)
    return [y, dz]


def _our_loss(case, examples):
    found, loss = [], case.make()
    for y_true, y_pred, weight in examples:
        for w in (None, weight):
            found += [np.array(loss(y_true, y_pred, w)), loss.gradient(y_true, y_pred, w)]
    return found


def _our_metric(case, examples):
    # Nosotros calculamos en el tipo de lo predicho, y Keras, siempre en float32.
    return [
        np.array(case.make()(*([] if case.name in cases.ALONE else [y_true]), np.float32(y_pred), w))
        for y_true, y_pred, weight in examples
        for w in (None, weight)
    ]


def _our_optimizer(case, theta, gradients):
    optimizer, theta, points = case.make(), theta.copy(), []
    for gradient in gradients:
        optimizer.step(theta, gradient)
        points.append(theta.copy())
    return [np.array(points)[WATCHED]]


def _shape_of_chance(w):
    # Media, desviación y curtosis: 1.8 es una uniforme; 3, una normal; entre las dos, una normal sin extremos.
    spread = w.std()
    return np.array([w.mean(), spread, (((w - w.mean()) / spread) ** 4).mean() if spread > 1e-12 else 0.0])


def _filled(case):
    return FILLED[:1] if case.name == "Identity" else FILLED


OURS = {
    "activation": _our_activation,
    "constraint": lambda case, w: [case.make()(w)],
    "initializer": lambda case, seed: [_shape_of_chance(case.make()(s, "float64", seed)) for s in _filled(case)],
    "layer": _our_layer,
    "loss": _our_loss,
    "metric": _our_metric,
    "optimizer": _our_optimizer,
    "regularizer": lambda case, w: [np.array(case.make()(w)), case.make().gradient(w)],
    "schedule": lambda case: [np.array([case.make()(step) for step in STEPS])],
}


def ours(case, given):
    """Lo que da este libro: una lista de arreglos."""
    return OURS[case.kind](case, **given)


# --- Keras ---


def their_name(case):
    """El nombre de una clase en Keras."""
    return case.cls.name if case.kind == "activation" else case.name


def their_arguments(case):
    """Un programa dentro de un optimizador va como el par de su nombre y sus argumentos."""
    return {k: [v.name, v.arguments] if isinstance(v, cases.Case) else v for k, v in case.arguments.items()}


def _their_layer(case, x, dy, weights):
    # En TensorFlow girar una imagen es solo para float32.
    dtype = "float32" if case.name.startswith("Random") else "float64"
    if not takes_integers(case):
        x = [one.astype(dtype) for one in x] if case.parts > 1 else x.astype(dtype)
    call = case.name, case.arguments, weights, x, dy.astype(dtype)
    return [array for training in modes(case) for array in oracle.layer(*call, training)[: _compared(case)]]


def _their_loss(case, examples):
    found = []
    for y_true, y_pred, weight in examples:
        for w in (None, weight):
            value, gradient = oracle.loss(case.name, case.arguments, y_true, y_pred, w)
            found += [np.array(value), gradient]
    return found


THEIRS = {
    "activation": lambda case, z, dy: list(oracle.activation(their_name(case), case.arguments, z, dy)),
    "constraint": lambda case, w: [oracle.constraint(case.name, case.arguments, w)],
    "initializer": lambda case, seed: [
        _shape_of_chance(oracle.initializer(case.name, case.arguments, s)) for s in _filled(case)
    ],
    "layer": _their_layer,
    "loss": _their_loss,
    "metric": lambda case, examples: [
        oracle.metric(case.name, case.arguments, None if case.name in cases.ALONE else y_true, y_pred, w)
        for y_true, y_pred, weight in examples
        for w in (None, weight)
    ],
    "optimizer": lambda case, theta, gradients: [
        oracle.optimizer(case.name, their_arguments(case), theta, gradients)[WATCHED]
    ],
    "regularizer": lambda case, w: list(map(np.array, oracle.regularizer(case.name, case.arguments, w))),
    "schedule": lambda case: [oracle.schedule(case.name, case.arguments, STEPS)],
}


def theirs(case, given):
    """Lo que da Keras, en el mismo orden."""
    return THEIRS[case.kind](case, **given)
