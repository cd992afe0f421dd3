r"""Lo que dice Keras 3, para compararlo con lo nuestro. Hace falta tener Keras con TensorFlow."""

import inspect
import os

import numpy as np


def keras(floatx="float64"):
    """Importa Keras, que calculará en el tipo pedido."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    keras.config.set_floatx(floatx)
    # Keras recuerda el tipo de las capas desde la primera que se hizo en el proceso.
    keras.config.set_dtype_policy(floatx)
    return keras


def _value_and_gradient(f, x):
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return y.numpy(), tape.gradient(y, x, unconnected_gradients="zero").numpy()


def _made(value):
    # Una capa hecha de otras las recibe ya creadas.
    if hasattr(value, "arguments"):
        # Un caso de la tabla.
        return getattr(keras().layers, value.name)(**{key: _made(v) for key, v in value.arguments.items()})
    return value


def layer(name, arguments, weights, x, dy, training=False):
    """Salida, gradiente de la entrada, gradientes de los pesos y lo que recuerda sin aprenderlo."""
    import tensorflow as tf

    xs = x if isinstance(x, list) else [x]
    layers = keras(str(dy.dtype)).layers
    machine = getattr(layers, name)(**{key: _made(value) for key, value in arguments.items()})
    shapes = [(None, *one.shape[1:]) for one in xs]
    apart = "query" in inspect.signature(machine.call).parameters
    machine.build(*shapes if apart else [shapes if isinstance(x, list) else shapes[0]])
    machine.set_weights(weights)
    if name == "Normalization":
        # Sus pesos no son lo que usa, sino de donde lo saca.
        machine.finalize_state()
    x = [tf.constant(one) for one in xs] if isinstance(x, list) else tf.constant(x)
    variables = [v.value for v in machine.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = machine(*(x if apart else [x]), training=training)
        total = tf.reduce_sum(y * dy)
    dx, *gradients = tape.gradient(total, [x, *variables])
    dx = dx if isinstance(dx, list) else [dx]
    kept = machine.get_weights()[len(variables) :]
    return [np.asarray(v) for v in (y, *dx, *gradients, *kept)]


def activation(name, arguments, z, dy):
    """Los valores, y el gradiente de su suma si cada uno lleva un peso."""
    f = getattr(keras(str(z.dtype)).activations, name)
    y = np.array(f(z, **arguments))
    return y, _value_and_gradient(lambda x: keras().ops.sum(f(x, **arguments) * dy), z)[1]


def loss(name, arguments, y_true, y_pred, sample_weight=None):
    """Valor y gradiente respecto a las predicciones."""
    f = getattr(keras(str(y_pred.dtype)).losses, name)(**arguments)
    value, gradient = _value_and_gradient(lambda p: f(y_true, p, sample_weight=sample_weight), y_pred)
    return float(value), gradient


def _exact(value):
    if isinstance(value, list):
        return [_exact(v) for v in value]
    return np.float64(value) if isinstance(value, float) else value


def _in_float64(cls, arguments):
    # TensorFlow redondea a float32 todo número de Python, aunque vaya a calcular en float64; los de NumPy, no.
    defaults = {p.name: p.default for p in inspect.signature(cls.__init__).parameters.values()}
    every = {key: value for key, value in (defaults | arguments).items() if isinstance(value, float | list)}
    return arguments | {key: _exact(value) for key, value in every.items()}


def _schedule(name, arguments):
    cls = getattr(keras().optimizers.schedules, name)
    return cls(**_in_float64(cls, arguments))


def schedule(name, arguments, steps):
    """La tasa en cada uno de los pasos."""
    f = _schedule(name, arguments)
    return np.array([float(f(step)) for step in steps])


def optimizer(name, arguments, theta, gradients):
    """Los puntos por los que pasa; learning_rate puede ser un par (programa, argumentos)."""
    dtype = str(theta.dtype)
    if isinstance(arguments.get("learning_rate"), list):
        arguments = arguments | {"learning_rate": _schedule(*arguments["learning_rate"])}
    k = keras(dtype)
    cls = getattr(k.optimizers, name)
    machine = cls(**(_in_float64(cls, arguments) if dtype == "float64" else arguments))
    variable = k.Variable(theta, dtype=dtype)
    points = []
    for gradient in gradients:
        machine.apply([k.ops.convert_to_tensor(gradient)], [variable])
        points.append(k.ops.convert_to_numpy(variable))
    return np.array(points)


def metric(name, arguments, y_true, y_pred, sample_weight=None):
    """El valor en unas observaciones, que algunas solo miden en float32; sin y_true, el de unos números."""
    own = {}
    if "IoU" in name:
        # Redondean los pesos a enteros, si no se les dice otra cosa, y piden uno por pixel.
        own = {"dtype": "float32"}
        if sample_weight is not None and sample_weight.ndim < y_true.ndim:
            sample_weight = np.broadcast_to(sample_weight[..., np.newaxis], y_true.shape)
    machine = getattr(keras("float32").metrics, name)(**arguments, **own)
    given = [np.float32(y_pred)] if y_true is None else [y_true, np.float32(y_pred)]
    machine.update_state(*given, sample_weight=None if sample_weight is None else np.float32(sample_weight))
    return np.array(machine.result())


def regularizer(name, arguments, w):
    """La penalización y su gradiente."""
    cls = getattr(keras(str(w.dtype)).regularizers, name)
    penalty = cls(**arguments)
    # Vuelve sus números de Python, que TensorFlow redondearía.
    vars(penalty).update(_in_float64(cls, arguments))
    value, gradient = _value_and_gradient(penalty, w)
    return float(value), gradient


def constraint(name, arguments, w):
    """Los pesos permitidos."""
    cls = getattr(keras(str(w.dtype)).constraints, name)
    return np.array(cls(**arguments)(w))


def initializer(name, arguments, shape):
    """Un peso de esa forma, con azar o sin él."""
    return np.array(getattr(keras().initializers, name)(**arguments)(shape, dtype="float64"))


def function(kind, name):
    """La función de Keras que hace lo mismo: la de una activación o la que crea una clase."""
    if kind == "activation":
        return getattr(keras().activations, name)
    return getattr({"schedule": keras().optimizers.schedules}.get(kind) or getattr(keras(), plural(kind)), name)


def plural(kind):
    """El módulo de Keras donde está una especie."""
    return {"loss": "losses"}.get(kind, f"{kind}s")


def fans(shape):
    """Las entradas y las salidas de un peso."""
    keras()
    from keras.src.initializers.random_initializers import compute_fans

    return compute_fans(shape)
