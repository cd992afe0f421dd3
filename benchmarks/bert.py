r"""Un BERT pequeño con frases en español, reutilizado para las intenciones; deja ``docs/resultados/bert.json``.

Se ejecuta con ``python -m benchmarks.bert``. Primero adivina palabras tapadas en las frases en español de las parejas
de traducción, que son de Tatoeba (CC BY 2.0), y después se afina con las intenciones del capítulo 5. Tarda unos diez
minutos.
"""

import time
from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.attention import bert, mask_words
from chapters.cnn import GlobalAveragePooling1D
from chapters.mlp import (
    Adam,
    AdamW,
    CosineDecay,
    Dense,
    Dropout,
    Input,
    Model,
    Sequential,
    SparseCategoricalCrossentropy,
    pad_sequences,
)
from chapters.rnn import SPANISH_FILTERS, Tokenizer
from dlbook.callbacks import LambdaCallback
from dlbook.data import INTENT_NAMES, PyDataset, load_intents, load_spanish_english

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "bert.json"
# Los tres primeros índices: el relleno, el hueco y la palabra que no está.
MASK, UNKNOWN, FIRST = 1, 2, 3
SIZES = {"vocabulary": 5000, "length": 16, "width": 64, "heads": 4, "blocks": 2}
RATE, BATCH, SEED = 0.3, 64, 0
PARTS, BATCHES, LEARNING_RATE, WARMUP, DECAY = 12, 400, 2e-3, 300, 0.01
# Al acabar estas partes se mira cómo van las filas de la tabla.
LOOKS = (0, 3, 6, 9, 12)
# La tasa se escoge con frases de aprender apartadas: las últimas de cada intención.
SEEDS, COUNTS, STEPS, DROPOUT, REUSE_RATES, LEARN = range(5), (4, 8, 24), 150, 0.1, (3e-4, 1e-3, 3e-3, 1e-2), 18
# De lo preentrenado se aprovecha todo, solo la tabla de palabras, o nada.
WAYS = ("todo", "palabras", "nada")
HOLES = [
    "¿qué ___ es?",
    "me duele la ___",
    "buenas ___ a todos",
    "¿a qué hora ___ el tren?",
    "mi hermana ___ al médico ayer",
    "tengo mucha ___",
    "el perro está ___ la mesa",
    "no sé ___ decirte",
]
WINES = [
    ("un vaso de vino, por favor", "vino"),
    ("no bebo vino con la cena", "vino"),
    ("tom vino a verme ayer", "vino"),
    ("mi padre no vino a la fiesta", "vino"),
]


class Words:
    """De frases a índices y de regreso, con un lugar para el hueco."""

    def __init__(self, texts):
        self.tokenizer = Tokenizer(SIZES["vocabulary"] - 1, filters=SPANISH_FILTERS, oov_token="?")
        self.tokenizer.fit_on_texts(texts)

    def ids(self, texts):
        """Los índices de cada frase."""
        return [[k + 1 for k in line][: SIZES["length"]] for line in self.tokenizer.texts_to_sequences(texts)]

    def word(self, k):
        """La palabra de un índice."""
        return self.tokenizer.index_word[int(k) - 1]


class Masked(PyDataset):
    """Lotes de frases de largos parecidos, tapadas otra vez en cada parte."""

    def __init__(self, lines, batches, part=0, fixed=False):
        super().__init__()
        self.lines = sorted(lines, key=len)
        self.batches, self.part, self.fixed = batches, part, fixed
        self.on_epoch_end(0)

    def on_epoch_end(self, more=1):
        """Escoge otros lotes."""
        self.part += 0 if self.fixed else more
        rng = np.random.default_rng([SEED, self.part])
        starts = np.arange(0, len(self.lines), BATCH)
        self.starts = rng.permutation(starts)[: self.batches]

    def __len__(self):
        """Cuántos lotes."""
        return len(self.starts)

    def __getitem__(self, k):
        """Tapa las palabras de un lote."""
        lines = self.lines[self.starts[k] : self.starts[k] + BATCH]
        ids = pad_sequences(lines, padding="post")
        return mask_words(ids, SIZES["vocabulary"], MASK, FIRST, RATE, seed=1000 * self.part + k)


def main():
    started = time.perf_counter()
    train, test = load_spanish_english(max_words=14)
    train, test = (sorted({spanish for spanish, _ in part}) for part in (train, test))
    words = Words(train)
    whole, encoder, history, looks = pretrained(words.ids(train), words.ids(test))
    print(round(time.perf_counter() - started, 1), flush=True)
    results = {
        **header("benchmarks.bert", SEED),
        **SIZES,
        **{"mask_rate": RATE, "batch_size": BATCH, "learning_rate": LEARNING_RATE},
        **{"parts": PARTS, "batches": BATCHES, "sentences": len(train), "test_sentences": len(test)},
        "parameters": whole.count_params(),
        "encoder_parameters": encoder.count_params(),
        "history": history,
        "guesses": guesses(whole, words.ids(train), words.ids(test)),
        "holes": [filled(whole, words, text) for text in HOLES],
        "wines": wines(encoder, words),
        "intents": intents(looks, words),
    }
    results["seconds"] = round(time.perf_counter() - started, 1)
    store(RESULTS, results)


def pretrained(train, test):
    """Entrena al que adivina, y guarda los pesos del codificador en varios momentos."""
    # Con tan pocas vueltas a los datos no hay qué memorizar: sin dropout.
    whole, encoder = bert(**SIZES, dropout=0.0, seed=SEED)
    schedule = CosineDecay(0.0, PARTS * BATCHES - WARMUP, warmup_target=LEARNING_RATE, warmup_steps=WARMUP)
    loss = SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    whole.compile(AdamW(schedule, weight_decay=DECAY), loss)
    history, looks, clock = [], [[np.array(w) for w in encoder.get_weights()]], time.perf_counter()

    def note(epoch, logs):
        nonlocal clock
        numbers = {name: round(float(logs[name]), 4) for name in ("loss", "val_loss")}
        history.append({**numbers, "seconds": round(time.perf_counter() - clock, 1)})
        if epoch + 1 in LOOKS:
            looks.append([np.array(w) for w in encoder.get_weights()])
        clock = time.perf_counter()
        print(epoch, history[-1], flush=True)

    whole.fit(
        Masked(train, BATCHES),
        epochs=PARTS,
        validation_data=Masked(test, 20, fixed=True),
        callbacks=[LambdaCallback(on_epoch_end=note)],
        verbose=0,
    )
    return whole, encoder, history, looks


def guesses(whole, train, test):
    """Cuántas palabras tapadas acierta, en frases nuevas, y contestando siempre la más frecuente."""
    counts = np.bincount(np.concatenate(train), minlength=SIZES["vocabulary"])
    counts[:FIRST] = 0
    share = (counts + 1) / (counts + 1).sum()
    right, frequent, losses, unigram = [], [], [], []
    data = Masked(test, 40, fixed=True)
    for k in range(len(data)):
        x, y = data[k]
        asked = (x == MASK) & (y >= FIRST)
        logits = whole.predict(x, verbose=0)[asked].astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        losses += list(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), y[asked]])
        right += list(logits.argmax(axis=1) == y[asked])
        frequent += list(counts.argmax() == y[asked])
        unigram += list(-np.log(share[y[asked]]))
    found = {"right": right, "most_frequent": frequent, "loss": losses, "frequency_loss": unigram}
    return {name: round(float(np.mean(values)), 4) for name, values in found.items()} | {"asked": len(right)}


def filled(whole, words, text):
    """Las cinco palabras más probables de un hueco."""
    before, after = text.split("___")
    left, right = words.ids([before, after])
    logits = whole.predict(np.array([[*left, MASK, *right]]), verbose=0)[0, len(left)].astype(np.float64)
    p = np.exp(logits - logits.max())
    p /= p.sum()
    best = p.argsort()[::-1][:5]
    return {"text": text, "best": [[words.word(k), round(float(p[k]), 3)] for k in best]}


def wines(encoder, words):
    """El parecido de los vectores de la misma palabra en varias frases."""
    vectors = []
    for text, word in WINES:
        (ids,) = words.ids([text])
        place = [words.word(k) for k in ids].index(word)
        vectors.append(encoder.predict(np.array([ids]), verbose=0)[0, place])
    vectors = np.array(vectors, float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return {"texts": [text for text, _ in WINES], "cosines": (vectors @ vectors.T).round(3).tolist()}


def intents(looks, words):
    """Aciertos con las intenciones, según qué se reutiliza y cuántas frases de cada una hubo."""
    weights = looks[-1]
    (x_train, y_train), (x_test, y_test) = load_intents()
    place = np.array([np.sum(y_train[:k] == y) for k, y in enumerate(y_train)])
    given, asked = (pad_sequences(words.ids(x), padding="post") for x in (x_train, x_test))
    unknown = [round(float(np.mean([UNKNOWN in line for line in ids])), 4) for ids in (given, asked)]
    unknown += [round(float(np.mean(ids[ids > 0] == UNKNOWN)), 4) for ids in (given, asked)]

    def right(way, rate, few, seed, x=asked, y=y_test):
        encoder = bert(**SIZES, dropout=DROPOUT, seed=seed)[1]
        kept = {"todo": weights, "palabras": weights[:1], "nada": []}[way]
        encoder.set_weights(kept + encoder.get_weights()[len(kept) :])
        mean = GlobalAveragePooling1D()(encoder.outputs[0])
        model = Model(encoder.inputs[0], Dense(len(INTENT_NAMES))(Dropout(DROPOUT)(mean)), seed=seed)
        model.compile(Adam(rate), SparseCategoricalCrossentropy(from_logits=True))
        rng, rows = np.random.default_rng(seed), np.flatnonzero(few)
        for _ in range(STEPS):
            chosen = rng.choice(rows, 32, replace=False)
            model.train_on_batch(given[chosen], y_train[chosen])
        return round(float((model.predict(x, verbose=0).argmax(axis=1) == y).mean()), 4)

    rates, tried, accuracy = {}, {}, {}
    held = place >= LEARN
    for way in WAYS:
        tried[way] = [
            round(float(np.mean([right(way, rate, ~held, seed, given[held], y_train[held]) for seed in SEEDS[:2]])), 4)
            for rate in REUSE_RATES
        ]
        rates[way] = REUSE_RATES[int(np.argmax(tried[way]))]
        accuracy[way] = [[right(way, rates[way], place < count, seed) for seed in SEEDS] for count in COUNTS]
        print(way, tried[way], accuracy[way], flush=True)
    accuracy["bolsa"] = [[bag(x_train, y_train, x_test, y_test, place < n, seed) for seed in SEEDS] for n in COUNTS]
    return {
        **{"counts": COUNTS, "steps": STEPS, "dropout": DROPOUT},
        **{"rates_tried": REUSE_RATES, "validation": tried, "rates": rates, "accuracy": accuracy},
        "unknown": dict(zip(("train_lines", "test_lines", "train", "test"), unknown, strict=True)),
        "looks": LOOKS,
        "likeness": [likeness(start[0]) for start in looks],
        "neighbours": [neighbours(start, given, y_train, asked, y_test) for start in looks],
        "neighbours_random": [
            neighbours(bert(**SIZES, seed=seed)[1].get_weights(), given, y_train, asked, y_test) for seed in SEEDS
        ],
    }


def likeness(table):
    """El coseno medio entre las filas de dos palabras, de las mil más frecuentes y de las mil menos."""
    found = []
    for rows in (table[FIRST : FIRST + 1000], table[-1000:]):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        n = len(unit)
        found.append(round(float(((unit @ unit.T).sum(dtype=float) - n) / (n * (n - 1))), 4))
    return found


def neighbours(weights, given, y_train, asked, y_test):
    """Sin entrenar nada más, cuánto acierta la frase más parecida, según por cuántos bloques pasó cada una."""
    found = []
    for blocks in range(SIZES["blocks"] + 1):
        means = []
        for ids in (given, asked):
            # Cero bloques: el promedio de las filas de la tabla, y nada más.
            vectors = weights[0][ids]
            if blocks:
                encoder = bert(**{**SIZES, "blocks": blocks})[1]
                encoder.set_weights(weights[: len(encoder.get_weights())])
                vectors = encoder.predict(ids, verbose=0)
            seen = (ids > 0)[..., np.newaxis]
            means.append((vectors * seen).sum(axis=1, dtype=float) / seen.sum(axis=1))
        old, new = (part - means[0].mean(axis=0) for part in means)
        old, new = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (old, new))
        found.append(round(float((y_train[(new @ old.T).argmax(axis=1)] == y_test).mean()), 4))
    return found


def bag(x_train, y_train, x_test, y_test, few, seed):
    """La bolsa de palabras del capítulo 5, con su propio vocabulario."""
    tokenizer = Tokenizer(filters=SPANISH_FILTERS, oov_token="?")
    tokenizer.fit_on_texts([x_train[k] for k in np.flatnonzero(few)])
    size = len(tokenizer.word_index) + 1

    def table(texts):
        rows = np.zeros((len(texts), size), "float32")
        for row, tokens in zip(rows, tokenizer.texts_to_sequences(texts), strict=True):
            row[tokens] = 1
        return rows

    model = Sequential([Input((size,)), Dense(len(INTENT_NAMES), "softmax")], seed=seed)
    model.compile(Adam(1e-2), "sparse_categorical_crossentropy")
    model.fit(table([x_train[k] for k in np.flatnonzero(few)]), y_train[few], 32, 60, verbose=0)
    return round(float((model.predict(table(x_test), verbose=0).argmax(axis=1) == y_test).mean()), 4)


if __name__ == "__main__":
    main()
