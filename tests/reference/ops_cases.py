r"""Los casos con que se comparan las operaciones de la cinta: el nombre, los argumentos y los que van con nombre.

Los arreglos se escriben sin azar, para que sean los mismos con cualquier versión de NumPy.
"""

import numpy as np


def some(*shape, start=0.0):
    """Números entre −1.5 y 1.5, todos distintos."""
    return 1.5 * np.sin(1.0 + start + 1.7 * np.arange(np.prod(shape, dtype=int))).reshape(shape)


def positive(*shape, start=0.0):
    """Números entre 0.5 y 2."""
    return 1.25 + 0.75 * np.sin(2.0 + start + 1.3 * np.arange(np.prod(shape, dtype=int))).reshape(shape)


def whole(below, *shape):
    """Enteros entre 0 y ``below``, sin incluirlo."""
    return (np.arange(np.prod(shape, dtype=int)) * 7 % below).reshape(shape)


A, B, ROW, COLUMN = some(2, 3), some(2, 3, start=0.4), some(3, start=0.7), some(2, 1, start=0.9)
CUBE, SQUARE = some(2, 3, 4), some(4, 4, start=0.2)
PAIRS = [(A, B), (A, ROW), (COLUMN, A), (COLUMN, ROW), (A, np.float64(0.7))]
SURE = np.array([[True, False, True], [False, False, True]])

UNARY = [
    *("absolute", "arctan", "ceil", "cos", "cosh", "elu", "erf", "exp", "expm1", "floor", "negative", "relu", "relu6"),
    *("round", "selu", "sigmoid", "log_sigmoid", "sign", "silu", "sin", "sinh", "softplus", "softsign", "square"),
    *(
        "tan",
        "tanh",
        "softmax",
        "log_softmax",
        "gelu",
        "leaky_relu",
        "sort",
        "ravel",
        "transpose",
        "flip",
        "max",
        "min",
    ),
    *("sum", "mean", "var", "std", "prod", "cumsum", "logsumexp", "norm", "tril", "triu", "argmax", "argmin"),
    *("argsort", "isnan", "isinf", "isfinite", "zeros_like", "ones_like", "average", "stop_gradient", "normalize"),
]
CASES = [(name, [A], {}) for name in UNARY]
CASES += [(name, [positive(2, 3)], {}) for name in ("log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal")]
CASES += [
    (name, [a, b], {})
    for name in ("add", "subtract", "multiply", "maximum", "minimum", "greater", "less", "less_equal", "not_equal")
    for a, b in PAIRS
]
CASES += [(name, [A, A.copy()], {}) for name in ("equal", "greater_equal", "maximum", "minimum")]
CASES += [
    *[("divide", [a, positive(*np.shape(b))], {}) for a, b in PAIRS],
    *[("power", [positive(*np.shape(a)), b], {}) for a, b in PAIRS],
    ("power", [A, 2], {}),
    ("power", [A, 3], {}),
    ("mod", [A, positive(2, 3)], {}),
    ("floor_divide", [A, positive(2, 3)], {}),
    ("clip", [A, -0.5, 1.0], {}),
    ("where", [SURE, A, ROW], {}),
    ("logical_and", [SURE, ~SURE], {}),
    ("logical_or", [SURE, ~SURE], {}),
    ("logical_xor", [SURE, SURE], {}),
    ("logical_not", [SURE], {}),
    ("any", [SURE], {"axis": 0}),
    ("all", [SURE], {"axis": 1, "keepdims": True}),
    ("gelu", [A], {"approximate": False}),
    ("elu", [A], {"alpha": 0.5}),
    ("leaky_relu", [A], {"negative_slope": 0.25}),
]
CASES += [
    (name, [CUBE], options)
    for name in ("sum", "mean", "var", "std", "max", "min", "prod", "logsumexp", "norm")
    for options in ({"axis": 1}, {"axis": (0, -1)}, {"axis": -1, "keepdims": True})
]
CASES += [
    ("max", [np.array([[1.0, 3.0, 3.0]])], {"axis": 1}),
    ("prod", [np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 1.0]])], {"axis": 1}),
    ("norm", [A], {"ord": 1, "axis": 1}),
    ("norm", [A], {"ord": 2, "axis": 0}),
    ("argmax", [CUBE], {"axis": 1}),
    ("argmin", [CUBE], {"axis": -1}),
    ("cumsum", [CUBE], {"axis": 1}),
    ("average", [A], {"axis": 0, "weights": np.array([0.25, 0.75])}),
    ("softmax", [CUBE], {"axis": 1}),
    ("log_softmax", [CUBE], {"axis": 0}),
    ("normalize", [A], {"axis": 0}),
    ("moments", [CUBE], {"axes": [0, 1]}),
    ("matmul", [A, some(3, 2)], {}),
    ("matmul", [CUBE, some(4, 2)], {}),
    ("matmul", [some(3, 1, 2, 4), some(2, 4, 2)], {}),
    ("matmul", [ROW, some(3, 2)], {}),
    ("matmul", [A, ROW], {}),
    ("matmul", [ROW, ROW + 1], {}),
    ("dot", [A, some(3, 2)], {}),
    ("dot", [ROW, ROW.copy()], {}),
    ("dot", [CUBE, some(2, 4, 2)], {}),
    ("dot", [A, np.float64(2.0)], {}),
    ("tensordot", [CUBE, some(3, 4, 2)], {}),
    ("tensordot", [CUBE, some(4, 2)], {"axes": 1}),
    ("tensordot", [CUBE, some(3, 2)], {"axes": [[1, 0], [0, 1]]}),
    ("outer", [ROW, some(2)], {}),
    ("einsum", ["ij,jk->ik", A, some(3, 2)], {}),
    ("einsum", ["bij,bjk->bik", CUBE, some(2, 4, 2)], {}),
    ("einsum", ["ij,jk", A, some(3, 2)], {}),
    ("einsum", ["ij->j", A], {}),
    ("einsum", ["ij,k->i", A, some(2)], {}),
    ("einsum", ["...ij,jk->...ik", CUBE, some(4, 2)], {}),
    ("einsum", ["i,j,ij->", some(2), ROW, A], {}),
    ("reshape", [CUBE, (4, -1)], {}),
    ("expand_dims", [A, 1], {}),
    ("squeeze", [some(1, 3, 1)], {}),
    ("squeeze", [some(1, 3, 1)], {"axis": 0}),
    ("transpose", [CUBE], {"axes": (2, 0, 1)}),
    ("swapaxes", [CUBE, 0, 2], {}),
    ("moveaxis", [CUBE, 0, -1], {}),
    ("concatenate", [[A, B]], {"axis": 1}),
    ("concatenate", [[A, some(1, 3)]], {}),
    ("stack", [[A, B]], {"axis": -1}),
    ("split", [CUBE, 2], {"axis": -1}),
    ("split", [CUBE, [1, 2]], {"axis": 1}),
    ("unstack", [A], {"axis": 1}),
    ("repeat", [A, 2], {}),
    ("repeat", [A, 3], {"axis": 1}),
    ("tile", [A, (2, 1, 2)], {}),
    ("pad", [A, [[1, 0], [0, 2]]], {}),
    ("pad", [A, [[1, 1], [1, 1]]], {"constant_values": 5.0}),
    ("pad", [A, [[1, 1], [2, 0]]], {"mode": "reflect"}),
    ("pad", [A, [[1, 1], [2, 0]]], {"mode": "symmetric"}),
    ("flip", [CUBE], {"axis": 1}),
    ("roll", [A, 1], {"axis": 1}),
    ("roll", [A, 2], {}),
    ("take", [A, whole(3, 4)], {"axis": 1}),
    ("take", [CUBE, whole(2, 2, 2)], {"axis": 0}),
    ("take", [A, whole(6, 5)], {}),
    ("take_along_axis", [A, whole(3, 2, 5)], {"axis": 1}),
    ("slice", [CUBE, (0, 1, 2), (2, 2, 1)], {}),
    ("broadcast_to", [ROW, (2, 3)], {}),
    ("tril", [SQUARE], {"k": 1}),
    ("sort", [CUBE], {"axis": 1}),
    ("top_k", [A, 2], {}),
    ("cast", [A, "float32"], {}),
    ("one_hot", [whole(4, 5), 4], {"dtype": "float64"}),
    ("one_hot", [whole(4, 2, 3), 4], {"axis": 1, "dtype": "float64"}),
    ("eye", [3], {"dtype": "float64"}),
    ("eye", [2, 4], {"dtype": "float64"}),
    ("arange", [5], {"dtype": "int32"}),
    ("arange", [1, 2, 0.25], {"dtype": "float64"}),
    ("linspace", [0, 1], {"num": 5, "dtype": "float64"}),
    ("full", [(2, 2), 0.5], {"dtype": "float64"}),
    ("binary_crossentropy", [SURE.astype(float), some(2, 3)], {"from_logits": True}),
    ("binary_crossentropy", [SURE.astype(float), positive(2, 3) / 3], {}),
    ("categorical_crossentropy", [np.eye(3)[:2], some(2, 3)], {"from_logits": True}),
    ("categorical_crossentropy", [np.eye(3)[:2], positive(2, 3)], {}),
    ("sparse_categorical_crossentropy", [whole(3, 2), some(2, 3)], {"from_logits": True}),
    ("sparse_categorical_crossentropy", [whole(3, 2), positive(2, 3)], {}),
]


def weights(shape):
    """Lo que cuenta cada número que sale: con ellos se forma la cantidad que se deriva."""
    return np.cos(0.3 + 0.9 * np.arange(np.prod(shape, dtype=int))).reshape(shape)


def reals(arguments):
    """Los arreglos de reales que hay entre unos argumentos, también en las listas."""
    found = []
    for one in arguments:
        if isinstance(one, list) and one and isinstance(one[0], np.ndarray):
            found += reals(one)
        elif isinstance(one, (np.ndarray, np.float64)) and np.asarray(one).dtype.kind == "f":
            found.append(one)
    return found


def replaced(arguments, values):
    """Los mismos argumentos, con otros arreglos de reales, tomados en orden."""
    found = []
    for one in arguments:
        if isinstance(one, list) and one and isinstance(one[0], np.ndarray):
            found.append(replaced(one, values))
        else:
            found.append(next(values) if len(reals([one])) else one)
    return found
