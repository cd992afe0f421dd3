r"""Cuánto tarda un paso de las redes del capítulo 6; deja ``docs/resultados/attention_velocidad.json``.

Se ejecuta con ``python -m benchmarks.attention``; :mod:`benchmarks.harness` cuenta cómo se mide.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.harness import ROOT, main
from dlbook import check
from dlbook.numeric.matmul import matmul
from dlbook.numeric.parallel import get_threads

# Un paso desde que arranca el intérprete: importar, construir, compilar y entrenar un lote.
FIRST = """
import time; began = time.perf_counter()
import numpy as np
from chapters.attention.programs.gpt import gpt
from chapters.mlp.losses import SparseCategoricalCrossentropy
from chapters.mlp.optimizers import Adam
x = np.zeros((32, 64), int)
network = gpt(96, 64, 64, 4, 2, seed=0)
network.compile(Adam(), SparseCategoricalCrossentropy(from_logits=True))
network.fit(x, x, batch_size=32, verbose=0)
print(time.perf_counter() - began)
"""
# Cada red, con el lote con que se usa: el segundo, el de nanoGPT para un procesador.
BATCHES = {"gpt_64": 32, "gpt_128": 12}
PEERS = {
    "PyTorch": ["peers_torch.py"],
    "PyTorch, Adam fusionado": ["peers_torch.py", "fused"],
    "PyTorch, compilado": ["peers_torch.py", "fused", "compile"],
    "Keras con TensorFlow": ["peers_keras.py"],
    "Keras, sin XLA": ["peers_keras.py", "plain"],
}


def peak(threads, clock, size=256, times=200):
    """Mide el techo: las operaciones por segundo del producto del libro, con matrices que caben en la caché."""

    def work(_):
        a, b, out = (check.empty((size, size), "a", np.float32) for _ in range(3))
        a.fill(1)
        b.fill(1)
        spent = []
        for _ in range(10):
            began = clock()
            for _ in range(times):
                matmul(a, b, out)
            spent.append(clock() - began)
        return min(spent)

    with ThreadPoolExecutor(threads) as pool:
        return threads * 2 * size**3 * times / max(pool.map(work, range(threads)))


if __name__ == "__main__":
    cpu = "--cpu" in sys.argv
    main("attention", list(BATCHES), BATCHES, PEERS, FIRST)
    if "--dry" not in sys.argv:
        path = ROOT / "docs" / "resultados" / "attention_velocidad.json"
        results = json.loads(path.read_text(encoding="utf-8"))
        top = peak(1 if cpu else get_threads(), time.thread_time if cpu else time.perf_counter)
        results["peak_gflops"] = round(top / 1e9, 1)
        path.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
