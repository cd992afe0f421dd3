r"""Las activaciones y las entropías cruzadas de ``keras.ops``."""

import math

import numpy as np
import scipy

from chapters.mlp.tape.operation import axes_of, operation, real
from chapters.mlp.tape.ops.arithmetic import add, clip, divide, maximum, multiply, negative, subtract
from chapters.mlp.tape.ops.creation import one_hot
from chapters.mlp.tape.ops.functions import log
from chapters.mlp.tape.ops.reductions import mean, norm, sum
from chapters.mlp.tape.ops.shapes import squeeze
from chapters.mlp.tape.tensor import numbers_in, record


@operation()
def relu(x):
    r""":math:`\max(0,x)`: pasa :math:`\bar y` donde :math:`x>0`."""
    x_ = numbers_in(x)
    return record(np.maximum(x_, 0), (x, lambda dy: dy * (x_ > 0)))


@operation()
def relu6(x):
    r""":math:`\min(\max(0,x),6)`: pasa :math:`\bar y` donde :math:`0<x<6`."""
    x_ = numbers_in(x)
    return record(np.clip(x_, 0, 6), (x, lambda dy: dy * ((x_ > 0) & (x_ < 6))))


@operation()
def leaky_relu(x, negative_slope=0.2):
    r""":math:`x`, o :math:`\alpha x` si es negativo: :math:`\bar x=\bar y` o :math:`\alpha\bar y`."""
    x_ = real(x)
    slope = np.where(x_ > 0, 1, negative_slope).astype(x_.dtype)
    return record(x_ * slope, (x, lambda dy: dy * slope))


@operation()
def sigmoid(x):
    r"""Sigmoide: :math:`\bar x=\bar y\,y(1-y)`."""
    y = scipy.special.expit(real(x))
    return record(y, (x, lambda dy: dy * y * (1 - y)))


@operation()
def log_sigmoid(x):
    r"""Logaritmo de la sigmoide: :math:`\bar x=\bar y\,\sigma(-x)`."""
    x_ = real(x)
    return record(-np.logaddexp(x_.dtype.type(0), -x_), (x, lambda dy: dy * scipy.special.expit(-x_)))


@operation()
def softplus(x):
    r""":math:`\ln(1+e^x)`: :math:`\bar x=\bar y\,\sigma(x)`."""
    x_ = real(x)
    return record(np.logaddexp(x_.dtype.type(0), x_), (x, lambda dy: dy * scipy.special.expit(x_)))


@operation()
def softsign(x):
    r""":math:`x/(1+|x|)`: :math:`\bar x=\bar y/(1+|x|)^2`."""
    x_ = real(x)
    return record(x_ / (1 + np.abs(x_)), (x, lambda dy: dy / (1 + np.abs(x_)) ** 2))


@operation()
def elu(x, alpha=1.0):
    r""":math:`x`, o :math:`\alpha(e^x-1)` si es negativo: :math:`\bar x=\bar y`, o :math:`\alpha e^x\bar y`."""
    x_ = real(x)
    low = alpha * np.expm1(np.minimum(x_, 0))
    return record(np.where(x_ > 0, x_, low), (x, lambda dy: dy * np.where(x_ > 0, 1, low + alpha)))


@operation()
def selu(x):
    r""":math:`\lambda` por la :func:`elu` con :math:`\alpha=1.673…`; el gradiente, lo mismo."""
    x_ = real(x)
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    low = alpha * np.expm1(np.minimum(x_, 0))
    return record(scale * np.where(x_ > 0, x_, low), (x, lambda dy: dy * scale * np.where(x_ > 0, 1, low + alpha)))


@operation()
def silu(x):
    r""":math:`x\,\sigma(x)`: :math:`\bar x=\bar y\,\sigma(x)\bigl(1+x(1-\sigma(x))\bigr)`."""
    x_ = real(x)
    s = scipy.special.expit(x_)
    return record(x_ * s, (x, lambda dy: dy * s * (1 + x_ * (1 - s))))


swish = silu


@operation()
def gelu(x, approximate=True):
    r""":math:`x\,\Phi(x)`, o su aproximación: :math:`\bar x=\bar y\,\bigl(\Phi(x)+x\,\Phi'(x)\bigr)`."""
    x_ = real(x)
    if approximate:
        c = math.sqrt(2 / math.pi)
        t = np.tanh(c * (x_ + 0.044715 * x_**3))
        phi, slope = 0.5 * (1 + t), 0.5 * (1 - t * t) * c * (1 + 3 * 0.044715 * x_ * x_)
    else:
        phi, slope = 0.5 * (1 + scipy.special.erf(x_ / math.sqrt(2))), np.exp(-x_ * x_ / 2) / math.sqrt(2 * math.pi)
    return record(x_ * phi, (x, lambda dy: dy * (phi + x_ * slope)))


def _softmax(x, axes):
    e = np.exp(x - x.max(axis=axes, keepdims=True))
    return e / e.sum(axis=axes, keepdims=True)


@operation()
def softmax(x, axis=-1):
    r"""*Softmax*: :math:`\bar x_k=y_k\bigl(\bar y_k-\sum_j\bar y_jy_j\bigr)`."""
    x_ = real(x)
    axes = axes_of(axis, x_.ndim)
    y = _softmax(x_, axes)
    return record(y, (x, lambda dy: y * (dy - (dy * y).sum(axis=axes, keepdims=True))))


@operation()
def log_softmax(x, axis=-1):
    r"""Logaritmo del *softmax* :math:`\mathbf p`: :math:`\bar x_k=\bar y_k-p_k\sum_j\bar y_j`."""
    x_ = real(x)
    axes = axes_of(axis, x_.ndim)
    shifted = x_ - x_.max(axis=axes, keepdims=True)
    y = shifted - np.log(np.exp(shifted).sum(axis=axes, keepdims=True))
    return record(y, (x, lambda dy: dy - np.exp(y) * dy.sum(axis=axes, keepdims=True)))


@operation()
def normalize(x, axis=-1, order=2, epsilon=None):
    r"""Divide entre la norma, que es al menos ``epsilon``: se deriva por partes."""
    size = maximum(norm(x, ord=order, axis=axis, keepdims=True), 1e-7 if epsilon is None else epsilon)
    return divide(x, size)


@operation()
def binary_crossentropy(target, output, from_logits=False):
    r"""Entropía cruzada con una salida por número: con *logits*, :math:`\bar z=\bar y\,(\sigma(z)-t)`."""
    t = real(target)
    if from_logits:
        z = real(output)
        y = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
        return record(y, (target, lambda dy: -dy * z), (output, lambda dy: dy * (scipy.special.expit(z) - t)))
    p = clip(output, 1e-7, 1 - 1e-7)
    return negative(add(multiply(target, log(p)), multiply(subtract(1, target), log(subtract(1, p)))))


@operation()
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    r"""Entropía cruzada con una salida por clase: con *logits*, :math:`\bar z_k=\bar y\,(p_k-t_k)`."""
    if from_logits:
        logs = log_softmax(output, axis)
    else:
        logs = log(clip(divide(output, sum(output, axis=axis, keepdims=True)), 1e-7, 1 - 1e-7))
    return negative(sum(multiply(target, logs), axis=axis))


@operation()
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    r"""Como :func:`categorical_crossentropy`, con las clases correctas como enteros."""
    output_ = numbers_in(output)
    labels = numbers_in(target)
    if labels.ndim == output_.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = output_.shape[axis]
    if np.size(labels) and not (np.min(labels) >= 0 and np.max(labels) < classes):
        came = f"de {np.min(labels)} a {np.max(labels)}"
        raise ValueError(f"target: se esperaban clases de 0 a {classes - 1}, pero llegaron {came}")
    hot = one_hot(labels, output_.shape[axis], axis=axis, dtype=output_.dtype.name)
    # Como en Keras, las probabilidades se recortan y, si no suman 1, se dividen entre su suma.
    logits = output if from_logits else log(clip(output, 1e-7, 1 - 1e-7))
    return categorical_crossentropy(hot, logits, True, axis)


@operation()
def moments(x, axes, keepdims=False, synchronized=False):
    r"""Media y varianza: se derivan por partes."""
    center = mean(x, axes, keepdims=True)
    spread = mean(multiply(subtract(x, center), subtract(x, center)), axes, keepdims=True)
    if keepdims:
        return center, spread
    axes = axes_of(axes, numbers_in(x).ndim)
    return squeeze(center, axes), squeeze(spread, axes)
