r"""Cuánto tarda un paso de entrenamiento, aquí y en otras bibliotecas; y cuánto, de lo que nadie podría evitar.

Cada biblioteca corre en su propio proceso y se miden por turnos, un bloque corto cada una: si la máquina se ocupa en
otra cosa, les toca a todas. De cada una se toma la mediana de sus bloques; un bloque en que los núcleos se alejaron se
repite, sea de quien sea (:mod:`benchmarks.neighbors`). Si la máquina está tan ocupada que ni así,
``--cpu`` da a cada una un solo hilo y cuenta el tiempo de procesador en vez del de reloj.

Las rivales viven en un entorno aparte, ``.venv-peers`` o el que diga ``DLBOOK_PEERS``; la que no esté instalada, se
omite. Van como más rápido van: de cada una se prueban varias maneras con cada red y cada lote, y la que menos tarda es
la que se mide por turnos con este libro. A ellas se les dan los lotes ya cortados; a este libro se le pide barajar.

El límite es lo que tardarían solo los productos que no se pueden evitar, hechos a la velocidad de los más rápidos que
se midieron en la misma corrida.
"""

import argparse
import contextlib
import datetime
import functools
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from benchmarks.neighbors import Neighbors
from benchmarks.protocol import MANY, products, sizes
from benchmarks.record import machine
from dlbook import check
from dlbook.numeric.matmul import matmul
from dlbook.numeric.parallel import get_threads

ROOT = Path(__file__).resolve().parents[1]
OURS, ALONE = "dlbook", "un hilo"
ONE_THREAD = dict.fromkeys(
    ("DLBOOK_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NPROC"), "1"
) | {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
# De cada rival, su programa y las maneras de usarlo que se prueban.
PEERS = {
    "PyTorch": (
        "peers_torch.py",
        {
            "Adam fusionado": [],
            "Adam fusionado, canales al final": ["channels_last"],
            # Al compilar, PyTorch ya pone los canales al final donde conviene.
            "Adam fusionado, compilado": ["compile"],
        },
    ),
    "Keras con TensorFlow": ("peers_keras.py", {"sin XLA": [], "con XLA": ["xla"]}),
    "JAX": ("peers_jax.py", {"paso compilado": [], "época compilada": ["scan"]}),
}
# Productos pequeños como los de una red, de los que se busca el más rápido: filas, lo que se suma y columnas.
SHAPES = (64, 128, 128), (128, 128, 128), (128, 256, 256), (256, 256, 256), (256, 128, 512)


class Process:
    """Una biblioteca en su proceso."""

    def __init__(self, interpreter, arguments, environment=()):
        script = Path(__file__).parent / arguments[0]
        self.process = subprocess.Popen(
            [interpreter, script, *arguments[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if "-v" in sys.argv else subprocess.DEVNULL,
            text=True,
            env=os.environ
            | {"PYTHONPATH": str(ROOT)}
            | dict(environment)
            | (ONE_THREAD if "--cpu" in sys.argv else {}),
        )

    def tell(self, what):
        """Le manda una línea; si se cayó, se sabrá al esperar la respuesta."""
        with contextlib.suppress(OSError):
            print(json.dumps(what), file=self.process.stdin, flush=True)

    def answer(self):
        """Espera la línea con que contesta."""
        return json.loads(self.process.stdout.readline())

    def milliseconds(self):
        """Espera lo que tardó un bloque: infinito si eso no es para ella o si se cayó."""
        try:
            seconds = self.answer()["seconds"]
        except json.JSONDecodeError:
            print("se cayó", *self.process.args[1:], "(con -v se ve por qué)", file=sys.stderr)
            seconds = None
        return np.inf if seconds is None else 1000 * seconds

    def block(self, question):
        """Mide un bloque; devuelve milisegundos."""
        self.tell(question)
        return self.milliseconds()

    def close(self):
        """Le dice que ya no habrá más preguntas."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait(30)


def launch(interpreter, peers):
    """Arranca a este libro y a las rivales que estén instaladas; da los procesos y las versiones de cada biblioteca."""
    processes = {(OURS, ""): Process(sys.executable, ["peers_dlbook.py"])}
    if get_threads() > 1 and "--cpu" not in sys.argv:
        processes[OURS, ALONE] = Process(sys.executable, ["peers_dlbook.py"], {"DLBOOK_THREADS": "1"})
    for name, (script, ways) in peers.items():
        for way, arguments in ways.items():
            with contextlib.suppress(OSError):
                processes[name, way] = Process(interpreter, [script, *arguments])
    versions = {"Python": platform.python_version()}
    for key in list(processes):
        try:
            versions[key[0]] = processes[key].answer()
        except json.JSONDecodeError:
            processes.pop(key).close()
    return processes, versions


def peak(threads, clock=time.perf_counter, seconds=0.05):
    """Mide el techo: las operaciones por segundo del producto del libro, con la forma que le va mejor."""

    def work(shape):
        n, depth, m = shape
        a, b, out = (check.empty(size, "a", np.float32) for size in ((n, depth), (depth, m), (n, m)))
        a.fill(1)
        b.fill(1)
        operations = 2 * n * depth * m
        times = max(1, int(seconds * 1e11 / operations / 10))
        spent = []
        for _ in range(10):
            began = clock()
            for _ in range(times):
                matmul(a, b, out)
            spent.append(clock() - began)
        return operations * times / min(spent)

    with ThreadPoolExecutor(threads) as pool:
        return max(threads * min(pool.map(work, [shape] * threads)) for shape in SHAPES)


def main(chapter, batches, first, peers=PEERS, whole=()):
    """Mide las redes de un capítulo y deja ``docs/resultados/CAPÍTULO_velocidad.json``.

    ``batches`` da los tamaños de lote de cada red; ``first`` es el programa del primer paso; ``peers``, las rivales, y
    ``whole``, las redes con las que además se predice y se evalúa.
    """
    parser = argparse.ArgumentParser(description="Mide un paso de entrenamiento aquí y en otras bibliotecas.")
    parser.add_argument("--blocks", type=int, default=7, help="bloques por biblioteca y tamaño de lote")
    parser.add_argument("--seconds", type=float, default=0.2, help="lo que dura cada bloque")
    parser.add_argument("--models", nargs="+", choices=batches, default=list(batches), help="qué redes")
    parser.add_argument("--batches", nargs="+", type=int, help="qué tamaños de lote, si no los de siempre")
    parser.add_argument("--alone", action="store_true", help="sin rivales")
    parser.add_argument("--dry", action="store_true", help="solo muestra los tiempos, sin guardarlos")
    parser.add_argument("--cpu", action="store_true", help="tiempo de procesador, con un hilo por biblioteca")
    parser.add_argument("-v", action="store_true", help="muestra lo que imprimen las bibliotecas")
    options = parser.parse_args()
    began = time.perf_counter()
    threads = 1 if options.cpu else get_threads()
    interpreter = os.environ.get("DLBOOK_PEERS") or str(ROOT / ".venv-peers" / "bin" / "python")
    neighbors = Neighbors() if threads > 1 else None
    processes, versions = launch(interpreter, {} if options.alone else peers)
    asked = [(m, "fit", b) for m in options.models for b in options.batches or batches[m]]
    asked += [(m, task, None) for m in options.models if m in whole for task in ("predict", "evaluate")]
    found, top = [], 0
    try:
        for question in asked:
            # El techo se busca en toda la corrida: en un rato ocupado sale más bajo.
            top = max(top, peak(threads, time.thread_time if options.cpu else time.perf_counter))
            found.append(measure(processes, *question, options, neighbors))
    finally:
        for process in processes.values():
            process.close()
    for one in found:
        count = 2 * products(one["model"], one["task"]) * (one["batch"] or MANY)
        one["limit_milliseconds"] = round(1000 * count / top, 4)
        one["limit_share"] = round(one["limit_milliseconds"] / one["milliseconds"][OURS]["median"], 3)
    report(found, top, threads)
    if neighbors:
        print(f"de un núcleo a otro y de vuelta: {neighbors.least:.0f} ns", end="; ")
        print(f"bloques repetidos: {neighbors.repeated}; con los núcleos lejos: {neighbors.far}")
    print(f"{(time.perf_counter() - began) / 60:.1f} minutos")
    if options.dry:
        return
    results = {
        "command": f"python -m benchmarks.{chapter}" + " --cpu" * options.cpu,
        "date": datetime.date.today().isoformat(),
        "seed": 0,
        "versions": versions,
        "machine": f"{machine()}, carga {os.getloadavg()[0]:.1f}",
        "threads": threads,
        "blas": sorted({i["architecture"] for i in threadpool_info() if i["user_api"] == "blas"}),
        "peak_gflops": round(top / 1e9, 1),
        "neighbors": neighbors
        and {"nanoseconds": round(neighbors.least), "repeated": neighbors.repeated, "far": neighbors.far},
        "first_step_seconds": None if options.cpu else first_step(first),
        "steps": [one for one in found if one["task"] == "fit"],
        "whole": [one for one in found if one["task"] != "fit"],
    }
    path = ROOT / "docs" / "resultados" / f"{chapter}_velocidad.json"
    path.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(path)


def measure(processes, model, task, batch, options, neighbors):
    """Mide por turnos una red, con un tamaño de lote o con las diez mil imágenes."""
    question = {"model": model, "task": task, "batch": batch, "seconds": 0, "cpu": options.cpu}
    # Se preparan todas a la vez, porque compilar tarda y no se mide; después, una vuelta cada una, a solas. Para
    # predecir y evaluar se preparan a solas también: ahí es donde se elige el tamaño de los trozos.
    together = processes.values() if task == "fit" else ()
    for process in together:
        process.tell(question)
    for process in together:
        process.milliseconds()
    first = {key: process.block(question) for key, process in processes.items()}
    question["seconds"] = options.seconds

    def block(key):
        run = functools.partial(processes[key].block, question)
        return neighbors.measure(run) if neighbors else run()

    chosen = {}
    for name in dict.fromkeys(name for name, way in processes if name != OURS):
        # Una manera que va muchas veces más despacio no se prueba más.
        ways = {key: first[key] for key in processes if key[0] == name and np.isfinite(first[key])}
        ways = {key: spent for key, spent in ways.items() if spent < 3 * min(ways.values())}
        if len(ways) > 1:
            ways = {key: min(block(key) for _ in range(3)) for key in ways}
        if ways:
            chosen[name] = min(ways, key=ways.get)
    turns = {(OURS, way): processes[OURS, way] for name, way in processes if name == OURS}
    turns |= {key: processes[key] for key in chosen.values()}
    blocks, order = {key: [] for key in turns}, random.Random(0)
    for _ in range(options.blocks):
        # En otro orden cada vez: a quien va siempre detrás de la misma le toca siempre la caché como ella la dejó.
        for key in order.sample(list(turns), len(turns)):
            blocks[key].append(block(key))
    spent = {key: summary(times) for key, times in blocks.items()}
    alone = spent.pop((OURS, ALONE), None)
    found = {"model": model, "task": task, "sizes": sizes(model), "batch": batch}
    found["milliseconds"] = {name: times for (name, _), times in spent.items()}
    found["ways"] = {name: way for name, (_, way) in chosen.items()}
    ours = found["milliseconds"][OURS]["median"]
    if alone:
        found["one_thread"] = alone | {"times_slower": round(alone["median"] / ours, 2)}
    peers = {name: v["median"] for name, v in found["milliseconds"].items() if name != OURS}
    if peers:
        best = min(peers, key=peers.get)
        found["best_peer"] = best
        found["times_faster"] = round(peers[best] / ours, 2)
    shown = ", ".join(
        f"{name}{f' ({way})' if way else ''} {times['median']:.3f}" for (name, way), times in spent.items()
    )
    print(f"{model:12} {'lote ' + str(batch) if batch else task:8}: {shown} ms", flush=True)
    return found


def summary(times):
    """La mediana y los cuartiles de unos bloques."""
    low, middle, high = statistics.quantiles(times, n=4) if len(times) > 1 else 3 * times
    return {"median": round(middle, 4), "quartiles": [round(low, 4), round(high, 4)]}


def report(found, top, threads):
    """Imprime, de cada medida, cuánto gana, qué parte es inevitable y cuánto sirven los hilos."""
    print(f"techo: {top / 1e9:.0f} mil millones de operaciones por segundo, hilos: {threads}")
    print("                       ms  veces  del límite  un hilo")
    for one in found:
        faster, alone = one.get("times_faster", "—"), one.get("one_thread", {}).get("times_slower", "—")
        what, ours = f"{one['model']} {one['batch'] or one['task']}", one["milliseconds"][OURS]["median"]
        print(f"{what:17}{ours:9.3f}{faster:>7}{one['limit_share']:12.0%}{alone:>9}")


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
