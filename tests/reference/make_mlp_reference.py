r"""Escribe ``mlp.json``, los números de Keras con que se prueban activaciones, pérdidas y optimizadores.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_mlp_reference.py
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.reference import oracle

ACTIVATIONS = [
    ["linear", {}],
    ["sigmoid", {}],
    ["tanh", {}],
    ["relu", {}],
    ["leaky_relu", {}],
    ["leaky_relu", {"negative_slope": 0.1}],
    ["elu", {}],
    ["elu", {"alpha": 0.5}],
    ["softplus", {}],
    ["gelu", {}],
    ["gelu", {"approximate": True}],
    ["softmax", {}],
]
LOSSES = [
    ["MeanSquaredError", {}],
    ["MeanAbsoluteError", {}],
    ["BinaryCrossentropy", {}],
    ["BinaryCrossentropy", {"from_logits": True}],
    ["BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}],
    ["CategoricalCrossentropy", {}],
    ["CategoricalCrossentropy", {"from_logits": True}],
    ["CategoricalCrossentropy", {"label_smoothing": 0.2}],
    ["SparseCategoricalCrossentropy", {}],
    ["SparseCategoricalCrossentropy", {"from_logits": True}],
]
SCHEDULES = [
    ["ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}],
    ["ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True}],
    ["InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}],
    ["InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True}],
    ["PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 15}],
    ["PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 15, "end_learning_rate": 0.02, "power": 2.5}],
    ["PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 15, "cycle": True}],
    ["PiecewiseConstantDecay", {"boundaries": [5, 12, 30], "values": [0.1, 0.05, 0.01, 0.001]}],
    ["CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}],
    ["CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "alpha": 0.1}],
    ["CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 20, "warmup_target": 0.1, "warmup_steps": 6}],
]
OPTIMIZERS = [
    ["SGD", {}],
    ["SGD", {"learning_rate": 0.05, "momentum": 0.9}],
    ["SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}],
    ["SGD", {"learning_rate": 0.05, "weight_decay": 0.1, "clipvalue": 0.5}],
    ["SGD", {"learning_rate": SCHEDULES[0], "global_clipnorm": 1.0}],
    ["Adagrad", {}],
    ["Adagrad", {"learning_rate": 0.5, "initial_accumulator_value": 0.0, "epsilon": 1e-3}],
    ["Adadelta", {}],
    ["Adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6}],
    ["RMSprop", {}],
    ["RMSprop", {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.9}],
    ["RMSprop", {"learning_rate": 0.01, "centered": True}],
    ["RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True, "weight_decay": 0.01}],
    ["Adam", {}],
    ["Adam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}],
    ["Adam", {"learning_rate": SCHEDULES[10], "global_clipnorm": 1.0}],
    ["AdamW", {}],
    ["AdamW", {"learning_rate": 0.05, "weight_decay": 0.1, "clipvalue": 0.3}],
]
SHAPES = [[3, 4], [1, 2], [2, 3, 5]]
FANS = [[7], [784, 128], [5, 5, 3, 16], [3, 4, 5], [2, 3, 4, 5, 6]]


def probabilities(generator, shape):
    """Números positivos; cada renglón suma 1."""
    p = generator.random(shape) + 0.05
    return p / p.sum(axis=-1, keepdims=True)


def targets(name, generator, shape):
    """Lo correcto, del tipo que pide cada pérdida."""
    if name.startswith("Mean"):
        return generator.normal(size=shape)
    if name.startswith("Binary"):
        return generator.random(shape)
    if name.startswith("Sparse"):
        return generator.integers(0, shape[-1], shape[:-1])
    return probabilities(generator, shape)


def predictions(name, arguments, generator, shape):
    """Números cualesquiera o probabilidades, según la pérdida."""
    if name.startswith("Mean") or arguments.get("from_logits"):
        return generator.normal(size=shape) * 3
    return probabilities(generator, shape)


def records():
    """Todos los casos, con sus entradas y lo que da Keras."""
    generator = np.random.default_rng(20260921)
    found = {"keras": oracle.keras().__version__}
    z = np.concatenate([generator.normal(size=10) * 3, [-40.0, -8.0, 0.0, 8.0, 40.0]]).reshape(3, 5)
    dy = generator.normal(size=z.shape)
    found["inputs"] = {"z": z, "dy": dy}
    found["activations"] = []
    for name, arguments in ACTIVATIONS:
        y, dz = oracle.activation(name, arguments, z, dy)
        found["activations"].append({"name": name, "arguments": arguments, "y": y, "dz": dz})
    found["losses"] = []
    for name, arguments in LOSSES:
        for shape in SHAPES:
            y_true = targets(name, generator, shape)
            y_pred = predictions(name, arguments, generator, shape)
            for weight in (None, generator.random(shape[:-1])):
                value, gradient = oracle.loss(name, arguments, y_true, y_pred, weight)
                case = {"name": name, "arguments": arguments, "y_true": y_true, "y_pred": y_pred}
                found["losses"].append(case | {"sample_weight": weight, "value": value, "gradient": gradient})
    steps = list(range(50))
    found["schedules"] = [
        {"name": name, "arguments": arguments, "steps": steps, "rates": oracle.schedule(name, arguments, steps)}
        for name, arguments in SCHEDULES
    ]
    found["optimizers"] = []
    theta = generator.normal(size=3)
    gradients = generator.normal(size=(50, 3)) * [0.01, 1.0, 30.0]
    found["path"] = {"theta": theta, "gradients": gradients}
    for name, arguments in OPTIMIZERS:
        case = {"name": name, "arguments": arguments}
        for dtype in ("float64", "float32"):
            points = oracle.optimizer(name, arguments, theta.astype(dtype), gradients.astype(dtype))
            case[dtype] = points[[0, 1, 9, 49]]
        found["optimizers"].append(case)
    found["fans"] = [{"shape": shape, "fans": oracle.fans(shape)} for shape in FANS]
    return found


def text(found):
    """Un renglón por caso: así se ve qué cambió."""
    parts = []
    for key, value in found.items():
        cases = [
            json.dumps(case, default=lambda a: a.tolist()) for case in (value if isinstance(value, list) else [value])
        ]
        body = ",\n".join(cases)
        parts.append(f'"{key}": ' + (f"[\n{body}\n]" if isinstance(value, list) else body))
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    Path(__file__).with_name("mlp.json").write_text(text(records()), encoding="utf-8")
