"""Archivos dañados al azar: o se cargan, o una frase en español, enseguida y sin pedir memoria que no hay."""

import os
import subprocess
import sys

import pytest

SCRIPT = r"""
import json, random, re, resource, struct, sys, time
import numpy as np
from chapters import cnn, mlp
from chapters.mlp import activations
from dlbook.saving import load

SECONDS, CASES = 1, 400
ENGLISH = re.compile(r"\b(the|must|not|expected|argument|arguments|invalid|cannot|missing|unexpected|with|of)\b")
NUMBERS = ["0", "-1", "1", "2", "3.5", "1e400", "true", "null", "[]", '"3"', "NaN", "127", "128", "65536"]
NUMBERS += [str(2**31 - 1), str(2**31), str(2**32), str(2**62), str(2**63), str(2**64), "9" * 40, "9" * 5000]


def dense():
    first = mlp.Dense(4, activation=activations.LeakyReLU(0.1), kernel_regularizer="l2")
    layers = [mlp.Input((3,)), first, mlp.Dropout(0.3)]
    model = mlp.Sequential([*layers, mlp.Maxout(3, 2), mlp.Sequential([mlp.Dense(2)], name="dentro")], seed=0)
    decay = mlp.PiecewiseConstantDecay([10, 20], [0.1, 0.2, 0.3])
    model.compile(mlp.Adam(decay), "mse", metrics=["mae"])
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return model


def images():
    layers = [mlp.Input((6, 6, 1)), cnn.ZeroPadding2D(1), cnn.Conv2D(2, 3, activation="relu"), cnn.BatchNormalization()]
    layers += [cnn.MaxPooling2D(2), cnn.UpSampling2D(2), cnn.DepthwiseConv2D(2), cnn.AveragePooling2D(2, 1, "same")]
    return mlp.Sequential([*layers, cnn.Conv2DTranspose(2, 2), mlp.Reshape((-1, 2)), mlp.Flatten(), mlp.Dense(2)])


def split(data):
    size = struct.unpack("<Q", data[:8])[0]
    return data[8 : 8 + size], data[8 + size :]


def join(head, body):
    return struct.pack("<Q", len(head)) + head + body


def bytes_flipped(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def truncated(data, rng):
    return data[: rng.randrange(len(data))]


def header_flipped(data, rng):
    head, body = split(data)
    return join(bytes_flipped(head, rng), body)


def number_changed(data, rng):
    # Un número cualquiera de la cabecera: tamaños, formas, lugares, semillas, tasas…
    head, body = split(data)
    spots = list(re.finditer(rb"-?\d+(\.\d+)?(e-?\d+)?", head))
    spot = rng.choice(spots)
    return join(head[: spot.start()] + rng.choice(NUMBERS).encode() + head[spot.end() :], body)


def architecture_changed(data, rng):
    # Lo mismo, pero solo en lo que dice qué red es: ahí cada número es un argumento.
    head, body = split(data)
    head = json.loads(head)
    part = rng.choice([name for name in ("architecture", "compile", "training") if name in head["__metadata__"]])
    text = head["__metadata__"][part]
    spot = rng.choice(list(re.finditer(r'-?\d+(\.\d+)?(e-?\d+)?|"[^"]*"|null|true|false', text)))
    other = rng.choice([*NUMBERS, '"x"', "{}", '"Dense"', '{"a": 1}', "[[1], [2, 3]]", '["relu"]', '""'])
    head["__metadata__"][part] = text[: spot.start()] + other + text[spot.end() :]
    return join(json.dumps(head).encode(), body)


def piece_moved(data, rng):
    head, body = split(data)
    a, b = sorted(rng.randrange(len(head)) for _ in range(2))
    c = rng.randrange(len(head))
    return join(head[:a] + head[b:] if rng.random() < 0.5 else head[:c] + head[a:b] + head[c:], body)


folder = sys.argv[1]
originals = []
for k, model in enumerate((dense(), images())):
    model.save(f"{folder}/{k}")
    with open(f"{folder}/{k}", "rb") as file:
        originals.append(file.read())
load(f"{folder}/1")

with open("/proc/self/statm") as file:
    base = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (base + 2**30, resource.RLIM_INFINITY))
kinds = [bytes_flipped, truncated, header_flipped, number_changed, piece_moved, *[architecture_changed] * 3]
wrong, loaded = [], 0
for seed in range(CASES):
    rng = random.Random(seed)
    kind, data = kinds[seed % len(kinds)], rng.choice(originals)
    with open(f"{folder}/dañado", "wb") as file:
        file.write(kind(data, rng))
    begin, said = time.process_time(), None
    try:
        load(f"{folder}/dañado")
        loaded += 1
    except (ValueError, OSError) as error:
        said = str(error)
        text = said.replace(folder, "")
        if not said.startswith(folder) or "no se puede reconstruir" in said or ENGLISH.search(text) or len(text) > 400:
            wrong.append((seed, kind.__name__, said[:300]))
    except BaseException as error:
        wrong.append((seed, kind.__name__, repr(error)[:300]))
    seconds = time.process_time() - begin
    if seconds > SECONDS:
        wrong.append((seed, kind.__name__, f"{seconds:.1f} s: {said}"[:300]))
for line in wrong:
    print(*line)
assert not wrong
assert 0 < loaded < CASES / 2
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="solo en Linux se sabe cuánto ocupa un proceso")
def test_damaged_files_end_in_a_sentence(tmp_path):
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
