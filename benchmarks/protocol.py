r"""El trato entre ``benchmarks.mlp`` y los procesos que mide: una línea de JSON por pregunta y una por respuesta.

Cada biblioteca vive en su propio proceso, con su propio intérprete, y no usa nada de dlbook. Un bloque es una pregunta:
``{"model": "mlp", "batch": 64, "seconds": 0.3}``; la respuesta es cuánto tardó, en promedio, un paso de entrenamiento.
"""

import json
import sys
import time

import numpy as np

# Una red es cuántas observaciones se recorren, la forma de cada una, sus capas y con qué se comparan las salidas: con
# clases, con la propia entrada por el error cuadrático, o con sus píxeles por la entropía cruzada binaria. Con imágenes
# cada paso dura más y bastan menos. ``keep`` guarda lo que va pasando y ``join`` se lo pega, por los canales, a lo que
# pasa después: el último guardado, primero. Una GAN son dos redes, y se cuenta aparte.
MODELS = {
    "mlp": {"rows": 8192, "input": (784,), "layers": [("dense", 128, "relu"), ("dense", 10)], "target": "classes"},
    "autoencoder": {
        "rows": 8192,
        "input": (784,),
        "layers": [("dense", 128, "relu"), ("dense", 32, "relu"), ("dense", 128, "relu"), ("dense", 784)],
        "target": "input",
    },
    "lenet": {
        "rows": 2048,
        "input": (28, 28, 1),
        "layers": [
            *(("conv", 6, 5, "same"), ("pool",), ("conv", 16, 5, "valid"), ("pool",), ("flatten",)),
            *(("dense", 120, "relu"), ("dense", 84, "relu"), ("dense", 10)),
        ],
        "target": "classes",
    },
    "cnn": {
        "rows": 2048,
        "input": (28, 28, 1),
        "layers": [
            *(("conv", 32, 3, "same"), ("pool",), ("conv", 64, 3, "same"), ("pool",), ("flatten",)),
            *(("dense", 128, "relu"), ("dense", 10)),
        ],
        "target": "classes",
    },
    "cae": {
        "rows": 1024,
        "input": (28, 28, 1),
        "layers": [
            *(("conv", 16, 3, "same"), ("pool",), ("conv", 8, 3, "same"), ("pool",), ("conv", 8, 3, "same"), ("up",)),
            *(("conv", 16, 3, "same"), ("up",), ("conv", 1, 3, "same", "sigmoid")),
        ],
        "target": "pixels",
    },
    "cae_transpose": {
        "rows": 1024,
        "input": (28, 28, 1),
        "layers": [
            *(("conv", 16, 3, "same"), ("pool",), ("conv", 8, 3, "same"), ("pool",)),
            *(("transpose", 8, 3), ("transpose", 16, 3), ("conv", 1, 3, "same", "sigmoid")),
        ],
        "target": "pixels",
    },
    "unet": {
        "rows": 64,
        "input": (64, 64, 1),
        "layers": [
            *(("conv", 16, 3, "same"), ("conv", 16, 3, "same"), ("keep",), ("pool",)),
            *(("conv", 32, 3, "same"), ("conv", 32, 3, "same"), ("keep",), ("pool",)),
            *(("conv", 64, 3, "same"), ("conv", 64, 3, "same")),
            *(("transpose", 32, 2, None), ("join",), ("conv", 32, 3, "same"), ("conv", 32, 3, "same")),
            *(("transpose", 16, 2, None), ("join",), ("conv", 16, 3, "same"), ("conv", 16, 3, "same")),
            ("conv", 1, 1, "same", "sigmoid"),
        ],
        "target": "pixels",
    },
    "vae": {
        "rows": 4096,
        "input": (784,),
        "layers": [("dense", 400, "relu"), ("sample", 20), ("dense", 400, "relu"), ("dense", 784, "sigmoid")],
        "target": "pixels",
    },
    "dcgan": {
        "rows": 512,
        "input": (28, 28, 1),
        "noise": 100,
        "generator": [
            *(("dense", 7 * 7 * 64, "relu"), ("reshape", 7, 7, 64)),
            *(("transpose", 32, 5), ("transpose", 1, 5, "sigmoid")),
        ],
        "layers": [
            *(("conv", 32, 5, "same", "leaky_relu", 2), ("conv", 64, 5, "same", "leaky_relu", 2)),
            *(("flatten",), ("dense", 1)),
        ],
        "target": "pixels",
    },
    # Predecir la letra que sigue: 96 letras, 64 pasos. El número que le falta al nombre son las unidades.
    **{
        f"{kind}_{units}": {
            "rows": 1024,
            "input": (64,),
            "layers": [("embedding", 96, 32), (kind, 32, units), ("dense", 96)],
            "target": "letters",
        }
        for kind in ("rnn", "gru", "lstm")
        for units in (128, 256)
    },
    # Lo mismo con un GPT: la palabra y su lugar, bloques de atención causal y densas, una normalización y los puntajes.
    # De cada bloque se da el ancho y las cabezas; el segundo ajuste es el de nanoGPT para un procesador sin GPU.
    "gpt_64": {
        "rows": 256,
        "input": (64,),
        "layers": [("tokens", 96, 64, 64), *2 * [("block", 64, 4)], ("norm", 64), ("dense", 96)],
        "target": "letters",
    },
    "gpt_128": {
        "rows": 96,
        "input": (64,),
        "layers": [("tokens", 65, 64, 128), *4 * [("block", 128, 4)], ("norm", 128), ("dense", 65)],
        "target": "letters",
    },
}
RECURRENT = "rnn", "gru", "lstm"


def sizes(model):
    """Da el ancho de la entrada y de cada capa con pesos: neuronas o filtros."""
    layers = [*MODELS[model].get("generator", []), *MODELS[model]["layers"]]
    widths = [layer[1] for layer in layers if layer[0] in ("dense", "conv", "transpose", "sample")]
    if MODELS[model]["target"] == "letters":
        # Aquí la entrada no es tan ancha como larga: primero van las letras.
        width = {"tokens": 3, "block": 1}
        return [layers[0][1], *(layer[width.get(layer[0], -1)] for layer in layers if layer[0] != "norm")]
    return [int(np.prod(MODELS[model]["input"])), *widths]


def data(model, seed=0):
    """Da las mismas observaciones a todos: ruido del tamaño de MNIST, y clases o las propias observaciones."""
    rng = np.random.default_rng(seed)
    rows = MODELS[model]["rows"]
    if MODELS[model]["target"] == "letters":
        letters = MODELS[model]["layers"][0][1]
        return tuple(rng.integers(0, letters, (2, rows, *MODELS[model]["input"])))
    x = rng.normal(size=(rows, *MODELS[model]["input"])).astype(np.float32)
    if MODELS[model]["target"] == "pixels":
        # Los píxeles van de 0 a 1.
        x = np.clip(0.5 + x / 4, 0, 1)
    return x, rng.integers(0, 10, rows) if MODELS[model]["target"] == "classes" else x


def serve(make, versions):
    """Contesta bloques hasta que se cierre la entrada.

    ``make(model, batch)`` devuelve una función que recorre los datos las veces que se le pidan.
    """
    answers = sys.stdout
    # Lo que la biblioteca imprima no debe mezclarse con las respuestas.
    sys.stdout = sys.stderr
    print(json.dumps(versions), file=answers, flush=True)
    ready = {}
    for line in sys.stdin:
        question = json.loads(line)
        key = question["model"], question["batch"]
        if key not in ready:
            train = make(*key)
            train(1)
            ready[key] = train, elapsed(train, 1, time.perf_counter)
        train, one = ready[key]
        epochs = max(1, round(question["seconds"] / one))
        steps = epochs * MODELS[key[0]]["rows"] // question["batch"]
        clock = time.process_time if question.get("cpu") else time.perf_counter
        print(json.dumps({"seconds": elapsed(train, epochs, clock) / steps}), file=answers, flush=True)


def elapsed(train, epochs, clock):
    """Mide cuánto tarda un entrenamiento, con el reloj que se le dé."""
    began = clock()
    train(epochs)
    return clock() - began
