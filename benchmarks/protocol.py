r"""El trato entre :mod:`benchmarks.harness` y los procesos que mide: una línea de JSON por pregunta y por respuesta.

Cada biblioteca vive en su propio proceso, con su propio intérprete, y no usa nada de dlbook. Un bloque es una pregunta:
``{"model": "mlp", "task": "fit", "batch": 64, "seconds": 0.3}``; la respuesta es cuánto tardó, en promedio, un paso de
entrenamiento. Con ``"predict"`` o ``"evaluate"`` en lugar de ``"fit"`` no hay lote, y es lo que tardan las diez mil
imágenes. Si lo que se pide no es para esa biblioteca, se contesta que nada.
"""

import json
import math
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
        "rows": 1024,
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
            "rows": 512,
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
# Las imágenes que se predicen o se evalúan de una vez, y en trozos de qué tamaño lo prueba cada biblioteca.
MANY, CHUNKS = 10_000, (250, 1000, 5000)


def sizes(model):
    """Da el ancho de la entrada y de cada capa con pesos: neuronas o filtros."""
    layers = [*MODELS[model].get("generator", []), *MODELS[model]["layers"]]
    widths = [layer[1] for layer in layers if layer[0] in ("dense", "conv", "transpose", "sample")]
    if MODELS[model]["target"] == "letters":
        # Aquí la entrada no es tan ancha como larga: primero van las letras.
        width = {"tokens": 3, "block": 1}
        return [layers[0][1], *(layer[width.get(layer[0], -1)] for layer in layers if layer[0] != "norm")]
    return [int(np.prod(MODELS[model]["input"])), *widths]


def layer_products(shape, kind, *arguments):
    r"""Cuenta los productos de una capa con una observación y da la forma de lo que sale.

    Son los de ``work()`` en las capas del libro, sin lo que no es multiplicar por pesos o por otros estados. De la
    atención se cuentan todas las parejas, también las que la máscara deja fuera.
    """
    *places, width = shape
    if kind == "dense":
        return math.prod(shape) * arguments[0], (*places, arguments[0])
    if kind == "sample":
        return 2 * width * arguments[0], arguments[:1]
    if kind == "conv":
        filters, size, padding = arguments[:3]
        strides = arguments[4] if len(arguments) > 4 else 1
        sides = [-(-(side if padding == "same" else side - size + 1) // strides) for side in places]
        return math.prod(sides) * size**2 * width * filters, (*sides, filters)
    if kind == "transpose":
        filters, size = arguments[:2]
        return math.prod(shape) * size**2 * filters, (*(2 * side for side in places), filters)
    if kind in RECURRENT:
        gates, units = {"rnn": 1, "gru": 3, "lstm": 4}[kind], arguments[1]
        return places[0] * gates * (width + units) * units, (places[0], units)
    if kind == "block":
        # Consultas, claves, valores y salida; las dos densas; los puntajes y lo que se atiende.
        return places[0] * width * (12 * width + 2 * places[0]), shape
    if kind in ("embedding", "tokens"):
        return 0, (width, arguments[-1])
    if kind in ("pool", "up"):
        return 0, (*(side // 2 if kind == "pool" else 2 * side for side in places), width)
    return 0, {"flatten": (math.prod(shape),), "reshape": arguments}.get(kind, shape)


def network_products(shape, layers):
    """Cuenta los productos de una red con una observación: los de todas las capas, y los de la primera."""
    counts, kept = [], []
    for kind, *arguments in layers:
        if kind == "keep":
            kept.append(shape)
        elif kind == "join":
            shape = (*shape[:-1], shape[-1] + kept.pop()[-1])
        else:
            count, shape = layer_products(shape, kind, *arguments)
            counts.append(count)
    return sum(counts), counts[0]


def products(model, task="fit"):
    """Cuenta los productos que no se pueden evitar, por observación.

    Ir hacia delante los hace una vez; entrenar, tres, porque vuelven el gradiente de los pesos y el de la entrada. El
    de la entrada de la red no hace falta, y se descuenta de la primera capa.
    """
    whole, first = network_products(MODELS[model]["input"], MODELS[model]["layers"])
    if task != "fit":
        return whole
    if "generator" not in MODELS[model]:
        return 3 * whole - first
    # El discriminador aprende de una imagen de verdad y una falsa; después juzga la falsa otra vez y devuelve su
    # gradiente hasta la imagen, de la que aprende el generador.
    painted, noise = network_products((MODELS[model]["noise"],), MODELS[model]["generator"])
    return 2 * (3 * whole - first) + 2 * whole + 3 * painted - noise


def data(model, task="fit", seed=0):
    """Da las mismas observaciones a todos: ruido del tamaño de MNIST, y clases o las propias observaciones."""
    rng = np.random.default_rng(seed)
    rows = MODELS[model]["rows"] if task == "fit" else MANY
    if MODELS[model]["target"] == "letters":
        letters = MODELS[model]["layers"][0][1]
        return tuple(rng.integers(0, letters, (2, rows, *MODELS[model]["input"])))
    x = rng.normal(size=(rows, *MODELS[model]["input"])).astype(np.float32)
    if MODELS[model]["target"] == "pixels":
        # Los píxeles van de 0 a 1.
        x = np.clip(0.5 + x / 4, 0, 1)
    return x, rng.integers(0, 10, rows) if MODELS[model]["target"] == "classes" else x


def quickest(run, sizes=CHUNKS):
    """Prueba ``run(size)``, que recorre las imágenes en trozos, con cada tamaño; da la que lo repite con el mejor."""
    spent = {}
    for size in sizes:
        run(size)
        spent[size] = min(elapsed(run, size, time.perf_counter) for _ in range(2))
    best = min(spent, key=spent.get)
    return lambda times: [run(best) for _ in range(times)]


def serve(make, versions):
    """Contesta bloques hasta que se cierre la entrada.

    ``make(model, task, batch)`` devuelve una función que recorre los datos las veces que se le pidan, o ``None``.
    """
    answers = sys.stdout
    # Lo que la biblioteca imprima no debe mezclarse con las respuestas.
    sys.stdout = sys.stderr
    print(json.dumps(versions), file=answers, flush=True)
    known = run = one = None
    for line in sys.stdin:
        question = json.loads(line)
        asked = question["model"], question["task"], question["batch"]
        clock = time.process_time if question.get("cpu") else time.perf_counter
        if known != asked:
            # De lo anterior no queda nada: ni sus pesos ni sus búferes.
            known, run = asked, None
            run = make(*asked)
            if run:
                run(1)
                one = elapsed(run, 1, time.perf_counter)
        if not run:
            print(json.dumps({"seconds": None}), file=answers, flush=True)
            continue
        times = max(1, round(question["seconds"] / one))
        steps = times * (MODELS[asked[0]]["rows"] // asked[2] if asked[2] else 1)
        began = time.perf_counter()
        spent = elapsed(run, times, clock)
        # Lo que dura una vuelta se aprende de la más rápida: la primera pudo ir con la máquina ocupada.
        one = min(one, (time.perf_counter() - began) / times)
        print(json.dumps({"seconds": spent / steps}), file=answers, flush=True)


def elapsed(run, argument, clock):
    """Mide cuánto tarda una función, con el reloj que se le dé."""
    began = clock()
    run(argument)
    return clock() - began
