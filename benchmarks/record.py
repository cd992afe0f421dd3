r"""Lo que todo resultado guardado dice de cómo se hizo, y cómo se guarda."""

import datetime
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from dlbook.numeric.parallel import get_threads


def machine():
    """Dice qué procesador es, con su nombre si el sistema lo da, y cuántos núcleos tiene."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    name = " ".join((names[0] if names else platform.processor()).replace("(R)", "").split())
    return ", ".join(filter(None, (name, platform.machine(), f"{os.cpu_count()} núcleos")))


def header(command, seed, packages=("numpy", "numba")):
    """Dice con qué orden, qué día, con qué semilla, qué versiones y qué máquina se hizo."""
    return {
        "command": f"python -m {command}",
        "date": datetime.date.today().isoformat(),
        "seed": seed,
        "versions": {name: version(name) for name in packages},
        "machine": f"Python {platform.python_version()}, {machine()}",
        "threads": get_threads(),
    }


def curves(history):
    """Redondea las curvas de un entrenamiento."""
    return {name: [round(value, 5) for value in values] for name, values in history.items()}


def as_hex(image):
    """Escribe una imagen de grises entre 0 y 1 con dos letras por píxel."""
    return np.rint(255 * image).astype(np.uint8).tobytes().hex()


def store(path, results):
    """Guarda los resultados y dice dónde."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(path)
