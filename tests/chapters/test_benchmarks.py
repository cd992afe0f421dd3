"""Las medidas de velocidad: los productos que se cuentan y una corrida seca, sin rivales."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import neighbors, protocol, record

ROOT = Path(__file__).resolve().parents[2]


def test_the_unavoidable_products_of_the_mlp_are_those_counted_by_hand():
    # Hacia delante, gradiente de los pesos y, menos en la primera capa, gradiente de la entrada.
    assert protocol.products("mlp") == 2 * 784 * 128 + 3 * 128 * 10
    assert protocol.products("mlp", "predict") == 784 * 128 + 128 * 10


def test_the_unavoidable_products_of_a_gpt_are_those_counted_by_hand():
    # Por letra y por bloque, doce cuadrados del ancho y dos por pareja y por número; al final, las letras.
    each = 4 * (12 * 128**2 + 2 * 64 * 128) + 128 * 65
    assert protocol.products("gpt_128") == 3 * 64 * each


def test_a_gan_paints_once_and_judges_three_images():
    painted = 100 * 3136 + 49 * 64 * 25 * 32 + 196 * 32 * 25
    first = 196 * 25 * 32
    judged = first + 49 * 25 * 32 * 64 + 3136
    assert protocol.products("dcgan") == 3 * painted - 100 * 3136 + 8 * judged - 2 * first


@pytest.mark.parametrize("model", [m for m, described in protocol.MODELS.items() if described["target"] != "letters"])
def test_the_products_are_those_of_the_layers_that_multiply(model, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import peers_dlbook

    network = peers_dlbook.network(protocol.MODELS[model]["input"], protocol.MODELS[model]["layers"])
    counted = [
        layer.work() for layer in network.layers if type(layer).__name__ in ("Dense", "Conv2D", "Conv2DTranspose")
    ]
    assert protocol.products(model, "predict") == sum(counted)


def test_the_machine_has_a_name():
    name = record.machine()
    assert f"{os.cpu_count()} núcleos" in name
    assert "  " not in name
    assert "(R)" not in name


def test_a_block_measured_with_the_cores_apart_is_repeated(monkeypatch):
    # Veinte medidas al empezar; después, antes y después de cada bloque.
    distances = iter([50.0] * 20 + [60.0, 320.0, 55.0, 58.0])
    monkeypatch.setattr(neighbors, "there_and_back", lambda: next(distances))
    watch, blocks = neighbors.Neighbors(), iter([9.0, 4.0])
    assert watch.measure(lambda: next(blocks)) == 4.0
    assert (watch.repeated, watch.far) == (1, 0)


def test_cores_that_never_come_near_are_counted(monkeypatch):
    distances = iter([50.0] * 20)
    monkeypatch.setattr(neighbors, "there_and_back", lambda: next(distances, 320.0))
    watch = neighbors.Neighbors(patience=0)
    assert watch.measure(lambda: 9.0) == 9.0
    assert (watch.repeated, watch.far) == (0, 1)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="hay un solo núcleo")
def test_a_number_goes_from_one_core_to_another_and_back():
    assert 0 < min(neighbors.there_and_back() for _ in range(5)) < math.inf


def test_a_dry_run_without_rivals_measures_and_saves_nothing():
    place = ROOT / "docs/resultados/mlp_velocidad.json"
    before = place.read_bytes()
    command = "-m benchmarks.mlp --models mlp --batches 2048 --blocks 1 --seconds 0 --alone --dry"
    run = subprocess.run(
        [sys.executable, *command.split()], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    rows = [line.split() for line in run.stdout.splitlines() if line.startswith("mlp ") and "%" in line]
    assert [row[1] for row in rows] == ["2048", "predict", "evaluate"]
    # Sin rivales no hay a quién ganarle; la parte del límite es mayor que cero y, salvo por el ruido, no pasa de uno.
    assert all(row[3] == "—" and 0 <= int(row[4].rstrip("%")) < 150 for row in rows)
    assert place.read_bytes() == before
