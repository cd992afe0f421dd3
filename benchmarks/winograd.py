r"""Los tres productos de una capa de :math:`3\times3`, con Winograd y sin él; deja ``docs/resultados/winograd.json``.

Se ejecuta con ``python -m benchmarks.winograd``. Un hilo, ``float32``; cada par se mide por turnos, en tiempo de
procesador, y se guarda la mediana. También el error, relativo al mayor de los números, frente a ``float64``.
"""

import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.cnn.convolution.conv2d import Gather, Places, conv2d_backward, conv2d_forward
from chapters.cnn.convolution.im2col import find_windows
from chapters.cnn.convolution.winograd import Winograd

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "winograd.json"
SEED, TURNS = 0, 41
DTYPE = np.dtype("float32")
# Lado, canales, filtros y cuántas imágenes; todas con relleno.
LAYERS = [
    (14, 32, 64, 32),
    (14, 32, 64, 256),
    (7, 64, 64, 32),
    (32, 16, 16, 16),
    (32, 32, 32, 16),
    (32, 64, 64, 8),
    (16, 64, 64, 32),
    (16, 128, 128, 16),
    (8, 256, 256, 32),
]


def memory():
    """Lo que en una capa que se entrena es ``Layer.buffer``."""
    kept = {}

    def buffer(name, shape):
        if (name, shape) not in kept:
            kept[name, shape] = np.empty(shape, DTYPE)
        return kept[name, shape]

    return buffer


def measure(side, channels, filters, n):
    """Mide una capa."""
    rng = np.random.default_rng(SEED)
    x = np.maximum(rng.normal(size=(n, side, side, channels)), 0).astype(DTYPE)
    kernel = (rng.normal(size=(3, 3, channels, filters)) / np.sqrt(9 * channels)).astype(DTYPE)
    bias, dz = (rng.normal(size=shape).astype(DTYPE) for shape in (filters, (n, side, side, filters)))
    windows = find_windows(x.shape[1:], 3, padding="same")
    direct, gather = Places(windows, filters, DTYPE), Gather(windows, filters, DTYPE, (3, 3))
    winograd, mine, other = Winograd(windows, filters, DTYPE), memory(), memory()
    line = direct.with_slack(dz, other)
    dkernel, dx = (np.empty((2, *a.shape), DTYPE) for a in (kernel, x))
    pairs = {
        "forward": [
            lambda: direct.forward(x, kernel, bias, -np.inf, other),
            lambda: winograd.forward(x, kernel, bias, -np.inf, mine),
        ],
        "input": [
            lambda: gather.input(dz, kernel, dx[0], other) or dx[0],
            lambda: winograd.input(dz, kernel, dx[1], mine) or dx[1],
        ],
        "filters": [
            lambda: direct.weights(x, line, dkernel[0], other) or dkernel[0],
            lambda: winograd.weights(x, line, dkernel[1], mine) or dkernel[1],
        ],
    }
    wide = [a.astype(np.float64) for a in (x, kernel, bias, dz)]
    right_kernel, _, right_x = conv2d_backward(wide[0], wide[1], wide[3], padding="same")
    right = {"forward": conv2d_forward(*wide[:3], padding="same"), "input": right_x, "filters": right_kernel}
    found = {}
    for name, runs in pairs.items():
        errors = [float(np.abs(run() - right[name]).max() / np.abs(right[name]).max()) for run in runs]
        times = [[], []]
        for _ in range(TURNS):
            for own, run in zip(times, runs, strict=True):
                start = time.process_time()
                run()
                own.append(time.process_time() - start)
        before, after = map(statistics.median, times)
        found[name] = {
            **{"direct": round(1e6 * before, 1), "winograd": round(1e6 * after, 1), "times": round(before / after, 2)},
            "errors": [float(f"{error:.1e}") for error in errors],
        }
    return {"side": side, "channels": channels, "filters": filters, "images": n, "microseconds": found}


def main():
    results = header("benchmarks.winograd", SEED) | {"layers": []}
    for layer in LAYERS:
        results["layers"].append(measure(*layer))
        print(results["layers"][-1], flush=True)
    store(RESULTS, results)


if __name__ == "__main__":
    main()
