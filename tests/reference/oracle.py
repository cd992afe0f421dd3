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
    return y.numpy(), tape.gradient(y, x).numpy()


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


def fans(shape):
    """Las entradas y las salidas de un peso."""
    keras()
    from keras.src.initializers.random_initializers import compute_fans

    return compute_fans(shape)
