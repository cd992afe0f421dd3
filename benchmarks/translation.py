r"""Un traductor de frases cortas, aquí y en PyTorch; deja ``docs/resultados/traduccion.json``.

Se ejecuta con ``python -m benchmarks.translation PYTORCH SACREBLEU``, dos intérpretes: uno con PyTorch, donde se
entrena el mismo modelo con los mismos lotes y los mismos pasos (``benchmarks/translation_torch.py``), y otro con
sacrebleu, que mide el BLEU de los dos. Se puede hacer por partes, ``ours`` y ``torch``; lo demás del archivo se queda
como estaba.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.attention import SmoothedCrossentropy, transformer_translator, translate
from chapters.attention.programs.beam_search import beam_search
from chapters.mlp import Adam
from chapters.mlp.schedules import CosineDecay
from chapters.rnn import BytePairEncoding
from dlbook.data import PyDataset, load_spanish_english
from dlbook.numeric.parallel import set_threads

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "traduccion.json"
# Antes de las fichas del vocabulario: relleno, inicio y fin.
START, END, FIRST = 1, 2, 3
VOCABULARY, LENGTH, MAX_WORDS = 2048, 16, 6
SIZES = {"width": 128, "heads": 4, "blocks": 2, "intermediate": 256}
BATCH, STEPS, PEAK, WARMUP, SEED, THREADS = 32, 3000, 3e-3, 300, 0, 1
SMOOTHING, BETA_2, EPSILON, CLIP = 0.1, 0.98, 1e-9, 1.0
# Cuántas frases se traducen también con el haz, de qué ancho, y con qué exponentes del largo.
BEAMED, BEAM, PENALTIES = 600, 4, (0.0, 1.0)
DRAWN = (
    "¿Por qué no te gusta la leche?",
    "Mi hermano tiene un perro negro.",
)
SHOWN = 40


def main():
    torch, sacrebleu, *parts = sys.argv[1:]
    pieces, pairs, references = prepare()
    examples = [(encode(pieces, es), [START, *encode(pieces, en)]) for es, en in pairs]
    source, target = table([a for a, _ in examples]), table([b for _, b in examples])
    order = batches(source, target, STEPS)
    test = table([encode(pieces, text) for text in references])
    if {es for es, _ in pairs} & set(DRAWN):
        raise ValueError("DRAWN: se esperaban frases que no estén entre las de aprender")
    settings = {"vocabulary": len(pieces.vocabulary) + FIRST, "max_words": MAX_WORDS, **SIZES}
    settings |= {"batch": BATCH, "steps": STEPS, "peak": PEAK, "warmup": WARMUP, "label_smoothing": SMOOTHING}
    settings |= {"beta_2": BETA_2, "epsilon": EPSILON, "clip": CLIP, "pairs": len(pairs), "sentences": len(references)}
    settings |= {"beamed": BEAMED, "beam_width": BEAM}
    set_threads(THREADS)
    for part in parts or ["ours", "torch"]:
        if part == "ours":
            found = ours(pieces, source, target, order, test, references, sacrebleu)
        else:
            found = in_torch(torch, pieces, source, target, order, test)
            found |= {"bleu": bleu(sacrebleu, found.pop("texts"), list(references.values()))}
        old = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        same = all(old.get(name) == value for name, value in settings.items())
        old = {key: old[key] for key in ("ours", "torch") if same and key in old}
        print(part, {k: v for k, v in found.items() if k not in ("loss", "samples", "attention")}, flush=True)
        store(RESULTS, {**header("benchmarks.translation PYTORCH SACREBLEU", SEED), **settings} | old | {part: found})


def prepare():
    """Da las fichas, las parejas para entrenar y, de cada frase de la prueba, todas sus traducciones."""
    train, test = load_spanish_english(max_words=MAX_WORDS)
    pieces = BytePairEncoding(VOCABULARY)
    pieces.train([text for pair in train for text in pair])
    train = [pair for pair in train if max(len(encode(pieces, text)) for text in pair) < LENGTH]
    references = defaultdict(list)
    for spanish, english in test:
        references[spanish].append(english)
    return pieces, train, dict(references)


def encode(pieces, text):
    """Las fichas de un texto, con el fin."""
    return [*(FIRST + i for i in pieces.encode(text)), END]


def decode(pieces, tokens):
    """El texto de unas fichas, hasta el fin."""
    tokens = [int(t) for t in tokens]
    tokens = tokens[: tokens.index(END)] if END in tokens else tokens
    return pieces.decode([t - FIRST for t in tokens if t >= FIRST])


def table(rows):
    """Las listas, en una tabla con ceros detrás."""
    found = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for row, one in zip(found, rows, strict=True):
        row[: len(one)] = one
    return found


def batches(source, target, steps):
    """Las filas de cada lote: frases de largo parecido, para que haya poco relleno."""
    rng, done = np.random.default_rng(SEED), []
    sizes = (source != 0).sum(axis=1) + (target != 0).sum(axis=1)
    while len(done) < steps:
        order = rng.permutation(len(sizes))
        for chunk in np.split(order, range(BATCH * 100, len(order), BATCH * 100)):
            chunk = chunk[np.argsort(sizes[chunk], kind="stable")]
            one = [chunk[k : k + BATCH] for k in range(0, len(chunk) - BATCH + 1, BATCH)]
            done += [one[k] for k in rng.permutation(len(one))]
    return np.array(done[:steps])


class Batches(PyDataset):
    """Los lotes, cada uno tan ancho como su frase más larga."""

    def __init__(self, source, target, order):
        super().__init__()
        self.source, self.target, self.order = source, target, order

    def __len__(self):
        """Cuántos hay."""
        return len(self.order)

    def __getitem__(self, k):
        """El lote ``k``: lo que se lee y lo que se escribe, y lo que había que escribir."""
        x, y = (trimmed(rows[self.order[k]]) for rows in (self.source, self.target))
        return [x, np.ascontiguousarray(y[:, :-1])], np.ascontiguousarray(y[:, 1:])


def trimmed(rows):
    """Las filas, sin las columnas que son puro relleno."""
    return np.ascontiguousarray(rows[:, : (rows != 0).sum(axis=1).max()])


def rate():
    """La tasa de cada paso: sube en línea recta y baja con un coseno."""
    return CosineDecay(0.0, STEPS - WARMUP, warmup_target=PEAK, warmup_steps=WARMUP)


def network(tokens):
    """Los tres modelos, el primero listo para entrenar."""
    whole, encoder, decoder = transformer_translator(tokens, **SIZES, seed=SEED)
    optimizer = Adam(rate(), beta_2=BETA_2, epsilon=EPSILON, global_clipnorm=CLIP)
    whole.compile(optimizer, SmoothedCrossentropy(SMOOTHING, ignore_class=0))
    return whole, encoder, decoder


def ours(pieces, source, target, order, test, references, sacrebleu):
    """Entrena aquí y traduce la prueba, con la búsqueda voraz y con el haz."""
    whole, encoder, decoder = network(len(pieces.vocabulary) + FIRST)
    data, losses = Batches(source, target, order), []
    # La primera vez se compila: eso no es entrenar.
    whole.loss_and_gradient(*data[0])
    start, cpu = time.perf_counter(), time.process_time()
    for k in range(len(data)):
        losses.append(round(float(whole.train_on_batch(*data[k])), 4))
        if (k + 1) % (STEPS // 10) == 0:
            print(k + 1, losses[-1], round(time.perf_counter() - start), flush=True)
    found = {"loss": losses, "seconds": round(time.perf_counter() - start, 1)}
    found |= {"cpu_seconds": round(time.process_time() - cpu, 1), "weights": whole.count_params()}
    texts = []
    for k in range(0, len(test), 256):
        texts += [
            decode(pieces, row) for row in translate(encoder, decoder, trimmed(test[k : k + 256]), START, END, LENGTH)
        ]
    found["bleu"] = bleu(sacrebleu, texts, list(references.values()))
    rows, names = np.random.default_rng(SEED).permutation(len(test))[:BEAMED], list(references)
    some = [references[names[k]] for k in rows]
    found["greedy"] = bleu(sacrebleu, [texts[k] for k in rows], some)
    beamed = [[with_beam(pieces, encoder, decoder, test[k], alpha) for k in rows] for alpha in PENALTIES]
    found["beam"] = [{"alpha": a, **bleu(sacrebleu, b, some)} for a, b in zip(PENALTIES, beamed, strict=True)]
    found["samples"] = [[names[k], texts[k], references[names[k]], beamed[-1][i]] for i, k in enumerate(rows[:SHOWN])]
    # De las que se enseñan, aparte: la página hace la misma cuenta a mano.
    found["shown"] = bleu(sacrebleu, *zip(*[(one[1], one[2]) for one in found["samples"]], strict=True))
    found["attention"] = [look(pieces, encoder, decoder, text) for text in DRAWN]
    return found


def with_beam(pieces, encoder, decoder, row, alpha):
    """Traduce una frase con el haz."""
    source = trimmed(row[np.newaxis])
    memory, read = encoder(source), source != 0

    def step(written):
        copies = np.repeat(memory, len(written), axis=0)
        return decoder([written, copies], mask=[written != 0, np.repeat(read, len(written), axis=0)])[:, -1]

    return decode(pieces, beam_search(step, [START], END, BEAM, LENGTH, alpha)[0][0])


def look(pieces, encoder, decoder, text):
    """Traduce una frase y dice a qué mira la atención cruzada de cada bloque, cabeza por cabeza."""
    source = np.array([encode(pieces, text)])
    memory = encoder(source)
    written = translate(encoder, decoder, source, START, END, LENGTH)
    written = np.c_[[[START]], written]
    decoder([written, memory], mask=[written != 0, source != 0])
    maps = []
    for layer in decoder.layers:
        if hasattr(layer, "cross_attention_layer"):
            query, value, _ = layer.cross_attention_layer.x
            _, a = layer.cross_attention_layer.forward(query, value, return_attention_scores=True)
            maps.append(a[0].round(3).tolist())
    read = [*pieces.tokens(text), "fin"]
    wrote = [pieces.decode([t - FIRST]) for t in written[0, 1:].tolist()] + ["fin"]
    return {"read": read, "wrote": wrote, "maps": maps}


def in_torch(python, pieces, source, target, order, test):
    """Entrena lo mismo en PyTorch, en otro proceso y desde los mismos pesos, y traduce la prueba."""
    length = max(test.shape[1], LENGTH) + 1
    numbers = {"tokens": len(pieces.vocabulary) + FIRST, **SIZES, "length": length, "threads": THREADS}
    numbers |= {"beta_2": BETA_2, "epsilon": EPSILON, "smoothing": SMOOTHING, "clip": CLIP}
    numbers |= {"longest": LENGTH, "report": STEPS // 10, "start": START, "end": END}
    rates = [rate()(k) for k in range(STEPS)]
    starts = network(numbers["tokens"])[0].get_weights()
    with tempfile.TemporaryDirectory() as folder:
        arrays = {"source": source, "target": target, "batches": order, "test": test, "rates": rates}
        arrays |= {f"start_{k:03}": w for k, w in enumerate(starts)}
        np.savez(f"{folder}/data.npz", **arrays, **numbers)
        command = [python, ROOT / "benchmarks" / "translation_torch.py", f"{folder}/data.npz"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found | {"texts": [decode(pieces, tokens) for tokens in found.pop("written")]}


MEASURE = """
import json, sys
from sacrebleu import __version__
from sacrebleu.metrics import BLEU
texts, references = json.load(sys.stdin)
most = max(map(len, references))
streams = [[r[k] if k < len(r) else None for r in references] for k in range(most)]
metric = BLEU()
found = metric.corpus_score(texts, streams)
# Entre qué valores queda al sortear otra vez las frases: la mitad del intervalo del 95 %.
sampled = metric.corpus_score(texts, streams, n_bootstrap=1000)
noise = json.loads(sampled.format(signature=str(metric.get_signature()), is_json=True))["confidence_var"]
about = {"score": round(found.score, 2), "precisions": [round(p, 2) for p in found.precisions]}
about |= {"noise": noise}
about |= {"counts": found.counts, "totals": found.totals, "brevity": round(found.bp, 4)}
about |= {"written": found.sys_len, "reference": found.ref_len, "signature": str(metric.get_signature())}
print(json.dumps(about))
"""


def bleu(python, texts, references):
    """El BLEU de unas traducciones, como lo mide sacrebleu."""
    given = json.dumps([texts, references])
    command = [python, "-c", MEASURE]
    return json.loads(subprocess.run(command, check=True, input=given, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    main()
