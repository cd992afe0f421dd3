r"""Lo que una capa de quien lee entrega, comparado con lo que prometió."""

import functools

import numpy as np

from dlbook.numeric.recording import ARRAYS
from dlbook.several import each


def checked(cls):
    r"""Hace que una clase de capas compruebe lo que sale de sus propios ``forward`` y ``backward``.

    El código compilado no revisa los límites de los arreglos: si de una capa sale más de lo que promete
    :meth:`~chapters.mlp.Layer.compute_output_shape`, quien lo reciba leerá o escribirá donde no debe. Las capas del
    libro están probadas; de las demás se mira cada salida, que cuesta menos de un microsegundo. Si los números no están
    seguidos en la memoria, se copian.

    Parameters
    ----------
    cls : type
        Una subclase de :class:`~chapters.mlp.Layer`.
    """
    for name, decorate in (("forward", _forward), ("backward", _backward)):
        method = getattr(cls, name)
        # El de la base no hace nada: quien no define el suyo puede recibirlo de otra.
        if not getattr(method, "is_checked", False) and method.__qualname__ != f"Layer.{name}":
            setattr(cls, name, decorate(method))
            getattr(cls, name).is_checked = True


def _forward(method):
    @functools.wraps(method)
    def forward(self, x, *args, **options):
        if type(self).forward is not forward:
            # La llamó, con super(), una clase más derivada: lo que vale es lo que esa entregue.
            return method(self, x, *args, **options)
        shape = getattr(x, "shape", None)
        if shape is not None and self._passed[0] == shape:
            y = method(self, x, *args, **options)
        else:
            # La primera vez, y cuando cambia la forma, se mira también que no haya cambiado su entrada.
            arrays = [one for one in each(x) if isinstance(one, np.ndarray)]
            before = [one.copy() for one in arrays]
            y = method(self, x, *args, **options)
            same = (np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(before, arrays, strict=True))
            if not all(same):
                raise ValueError(
                    f"{self.name}: forward cambió su entrada, que es de quien se la dio; escribe en otro arreglo"
                )
        if self.several or (isinstance(y, (list, tuple)) and _promises_several(self, x)):
            return _each_compared(self, x, args, y)
        if type(y) not in ARRAYS or (shape, y.shape, y.dtype) != self._passed or not y.flags.carray:
            shape = np.shape(x) if shape is None else shape
            promised = (*shape[:1], *self.compute_output_shape(tuple(shape[1:])))
            y = _compared(self, "forward", y, promised, "la que da compute_output_shape")
            self._passed = shape, y.shape, y.dtype
        return y

    return forward


def _backward(method):
    @functools.wraps(method)
    def backward(self, dy, *args, **options):
        dx = method(self, dy, *args, **options)
        if type(self).backward is backward and isinstance(dx, (list, tuple)):
            shapes = self._passed[0] if isinstance(self._passed[0], list) else None
            if shapes is not None and len(shapes) != len(dx):
                raise ValueError(f"{self.name}: de backward se esperaban {len(shapes)} gradientes, no {len(dx)}")
            return [
                one if one is None else _compared(self, "backward", one, shape, "la de la entrada")
                for one, shape in zip(dx, shapes or [d.shape for d in dx], strict=True)
            ]
        if type(self).backward is backward and (dx is not None or self.input_gradient):
            shape = self._passed[0] or (*np.shape(dy)[:1], *self.input_shape)
            if type(dx) not in ARRAYS or dx.shape != shape or dx.dtype != self.dtype or not dx.flags.carray:
                dx = _compared(self, "backward", dx, shape, "la de la entrada")
        return dx

    return backward


def _promises_several(layer, x):
    return isinstance(layer.compute_output_shape(tuple(np.shape(x)[1:])), list)


def _each_compared(layer, x, others, y):
    # Con varias entradas o salidas, cada una con su forma. Las entradas van en una lista, o una por argumento.
    xs = each(x) if isinstance(x, list) else [x, *(one for one in others if isinstance(one, np.ndarray))]
    shapes = [tuple(np.shape(one)) for one in xs]
    promised = layer.compute_output_shape([s[1:] for s in shapes] if layer.several else shapes[0][1:])
    outputs = list(y) if isinstance(y, (list, tuple)) else [y]
    if len(outputs) != len(each(promised)):
        raise ValueError(
            f"{layer.name}: de forward se esperaban {len(each(promised))} salidas, pero salieron {len(outputs)}"
        )
    source = "la que da compute_output_shape"
    checked = [
        _compared(layer, "forward", one, (*shapes[0][:1], *shape), source)
        for one, shape in zip(outputs, each(promised), strict=True)
    ]
    layer._passed = (shapes if layer.several else shapes[0]), None, None
    return checked if isinstance(promised, list) else checked[0]


def _compared(layer, method, array, shape, source):
    expected = f"{layer.name}: de {method} se esperaba un arreglo de {layer.dtype} y forma {shape}, {source}"
    if array is None:
        raise TypeError(f"{expected}, pero no devolvió nada; ¿falta el return?")
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{expected}, pero devolvió {type(array).__name__}")
    if array.shape != shape or array.dtype != layer.dtype:
        raise ValueError(f"{expected}, pero devolvió {array.dtype} de forma {array.shape}")
    # Una vista con saltos, o que se pisa a sí misma, o de solo lectura: lo que sigue recibe una copia en orden.
    return array if type(array) in ARRAYS and array.flags.carray else np.array(array, order="C")
