r"""Cuánto tarda un paso de entrenamiento, aquí y en otras bibliotecas.

Cada biblioteca corre en su propio proceso y se miden por turnos, un bloque corto cada una: si la máquina se ocupa en
otra cosa, les toca a todas. De cada una se toma la mediana de sus bloques. Si la máquina está tan ocupada que ni así,
``--cpu`` da a cada una un solo hilo y cuenta el tiempo de procesador en vez del de reloj.

Las rivales viven en un entorno aparte, ``.venv-peers`` o el que diga ``DLBOOK_PEERS``; la que no esté instalada, se
omite. A PyTorch los lotes se le dan ya cortados; a los demás, y a este libro, se les pide barajar.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from threadpoolctl import threadpool_info

from benchmarks.protocol import sizes
from dlbook.numeric.parallel import get_threads

ROOT = Path(__file__).resolve().parents[1]
OURS = "dlbook"
ONE_THREAD = dict.fromkeys(
    ("DLBOOK_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)


class Process:
    """Una biblioteca en su proceso."""

    def __init__(self, interpreter, arguments):
        script = Path(__file__).parent / arguments[0]
        self.process = subprocess.Popen(
            [interpreter, script, *arguments[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if "-v" in sys.argv else subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | (ONE_THREAD if "--cpu" in sys.argv else {}),
        )
        self.versions = self.answer()

    def tell(self, what):
        """Le manda una línea."""
        print(json.dumps(what), file=self.process.stdin, flush=True)

    def answer(self):
        """Espera la línea con que contesta."""
        return json.loads(self.process.stdout.readline())

    def block(self, model, batch, seconds, cpu=False):
        """Mide un bloque; devuelve milisegundos por paso."""
        self.tell({"model": model, "batch": batch, "seconds": seconds, "cpu": cpu})
        return 1000 * self.answer()["seconds"]

    def close(self):
        """Le dice que ya no habrá más preguntas."""
        self.process.stdin.close()
        self.process.wait(30)


def main(chapter, models, batches, peers, first):
    """Mide las redes de un capítulo y deja ``docs/resultados/CAPÍTULO_velocidad.json``.

    ``batches`` son los tamaños de lote, los mismos para todas o, en un diccionario, el de cada una; ``peers`` dice con
    qué programa se mide cada rival; ``first`` es el programa del primer paso.
    """
    parser = argparse.ArgumentParser(description="Mide un paso de entrenamiento aquí y en otras bibliotecas.")
    parser.add_argument("--blocks", type=int, default=15, help="bloques por biblioteca y tamaño de lote")
    parser.add_argument("--seconds", type=float, default=0.3, help="lo que dura cada bloque")
    parser.add_argument("--models", nargs="+", choices=models, default=models, help="qué redes")
    parser.add_argument("--batches", nargs="+", type=int, help="qué tamaños de lote, si no los de siempre")
    parser.add_argument("--dry", action="store_true", help="solo muestra los tiempos, sin guardarlos")
    parser.add_argument("--cpu", action="store_true", help="tiempo de procesador, con un hilo por biblioteca")
    parser.add_argument("-v", action="store_true", help="muestra lo que imprimen las bibliotecas")
    options = parser.parse_args()
    usual = {model: [batches[model]] if isinstance(batches, dict) else batches for model in models}
    interpreter = os.environ.get("DLBOOK_PEERS") or str(ROOT / ".venv-peers" / "bin" / "python")
    processes = {OURS: Process(sys.executable, ["peers_dlbook.py"])}
    for name, arguments in peers.items():
        with contextlib.suppress(OSError, json.JSONDecodeError):
            processes[name] = Process(interpreter, arguments)
    try:
        results = {
            "command": f"python -m benchmarks.{chapter}" + " --cpu" * options.cpu,
            "date": datetime.date.today().isoformat(),
            "seed": 0,
            "versions": {"Python": platform.python_version()} | {n: p.versions for n, p in processes.items()},
            "machine": f"{platform.machine()}, {os.cpu_count()} núcleos, carga {os.getloadavg()[0]:.1f}",
            "threads": 1 if options.cpu else get_threads(),
            "blas": sorted({i["architecture"] for i in threadpool_info() if i["user_api"] == "blas"}),
            "first_step_seconds": None if options.dry or options.cpu else first_step(first),
            "steps": [measure(processes, m, b, options) for m in options.models for b in options.batches or usual[m]],
        }
    finally:
        for process in processes.values():
            process.close()
    if options.dry:
        return
    path = ROOT / "docs" / "resultados" / f"{chapter}_velocidad.json"
    path.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(path)


def measure(processes, model, batch, options):
    """Mide por turnos un modelo con un tamaño de lote."""
    blocks = {name: [] for name in processes}
    for process in processes.values():
        process.block(model, batch, 0, options.cpu)
    turns = random.Random(0)
    for _ in range(options.blocks):
        # En otro orden cada vez: a quien va siempre detrás de la misma le toca siempre la caché como ella la dejó.
        for name in turns.sample(list(processes), len(processes)):
            blocks[name].append(processes[name].block(model, batch, options.seconds, options.cpu))
    found = {"model": model, "sizes": sizes(model), "batch": batch, "milliseconds": {}}
    for name, times in blocks.items():
        low, middle, high = statistics.quantiles(times, n=4)
        found["milliseconds"][name] = {"median": round(middle, 4), "quartiles": [round(low, 4), round(high, 4)]}
    peers = {name: v["median"] for name, v in found["milliseconds"].items() if name != OURS}
    if peers:
        best = min(peers, key=peers.get)
        found["best_peer"] = best
        found["times_faster"] = round(peers[best] / found["milliseconds"][OURS]["median"], 2)
    shown = ", ".join(f"{name} {v['median']:.3f}" for name, v in found["milliseconds"].items())
    print(f"{model:12} lote {batch:3}: {shown} ms; {found.get('times_faster', '—')} veces más rápido", flush=True)
    return found


def first_step(program):
    """Mide el primer paso de un proceso nuevo, con la caché de numba vacía y después con ella llena."""
    with tempfile.TemporaryDirectory() as folder:
        times = [
            float(
                subprocess.run(
                    [sys.executable, "-c", program],
                    env=os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": folder},
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(4)
        ]
    return {"empty_cache": round(times[0], 2), "warm_cache": round(statistics.median(times[1:]), 2)}
