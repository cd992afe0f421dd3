r"""Word2vec con don Quijote, al lado de gensim; deja los resultados en ``docs/resultados/quijote_word2vec.json``.

Se ejecuta con ``python -m benchmarks.quijote_word2vec --gensim PYTHON``, donde lo último es el intérprete de un entorno
con gensim, y tarda unos minutos. Cada semilla corre con los dos, por turnos, con los mismos argumentos.
"""

import argparse
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.rnn import Word2Vec
from dlbook.data import load_quijote
from dlbook.numeric.parallel import set_threads

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "quijote_word2vec.json"
SEEDS = range(3)
THREADS = (1, 2)
SETTINGS = {
    **{"vector_size": 100, "window": 5, "min_count": 5, "negative": 5},
    **{"sample": 1e-3, "alpha": 0.025, "min_alpha": 1e-4, "epochs": 10},
}
# Se escogieron por lo que significan, antes de entrenar nada; se quitaron las que no aparecen cinco veces.
FAMILIES = {
    "parentesco": "padre madre hijo hija hermano hermana marido sobrina primo parientes",
    "animales": "caballo jumento asno rucio yegua mula perro león rocín gato oveja",
    "armas": "lanza espada adarga escudo yelmo celada morrión lanzón daga",
    "comida": "pan vino queso carne cebolla bellotas olla manteles comer tocino",
    "cuerpo": "mano brazo cabeza pierna pies ojos boca rostro pecho barba narices",
    "cantidad": "dos tres cuatro cinco seis siete ocho diez doce veinte ciento",
    "tiempo": "día noche mañana tarde año mes hora semana días años",
    "nobleza": "rey reina duque duquesa conde marqués príncipe princesa emperador",
    "oficio": "cura barbero bachiller ventero escudero labrador pastor cabrero canónigo mercader",
    "lugar": "casa venta castillo aldea ciudad pueblo palacio camino monte sierra",
    "ánimo": "amor dolor pena alegría tristeza temor miedo contento enojo",
    "letras": "libro historia autor poeta versos soneto letras pluma papel comedia",
}
# Parejas que deberían diferir todas en lo mismo.
RELATIONS = {
    "género": (
        "rey-reina duque-duquesa príncipe-princesa hijo-hija hermano-hermana padre-madre señor-señora hombre-mujer "
        "pastor-pastora amo-ama labrador-labradora amigo-amiga"
    ),
    "número": (
        "caballero-caballeros escudero-escuderos castillo-castillos libro-libros gigante-gigantes día-días mano-manos "
        "doncella-doncellas dama-damas historia-historias ojo-ojos mujer-mujeres"
    ),
}
NEIGHBOURS = "rocinante sancho espada rey hija castillo gigantes comer noche tres libro amor"
DRAWN = 5
# Adjetivos que se dicen igual de ella y de él: si se inclinan, no es por la gramática.
ADJECTIVES = "valiente fuerte noble cobarde prudente gentil triste alegre humilde libre leal"
AXIS = "mujer-hombre señora-señor hija-hijo madre-padre doncella-caballero reina-rey ella-él"


def main():
    parser = argparse.ArgumentParser(description="Entrena word2vec con don Quijote.")
    parser.add_argument("--gensim", help="el intérprete de Python de un entorno con gensim", required=True)
    options = parser.parse_args()
    started = time.perf_counter()
    sentences = split(load_quijote())
    # La primera vez se compila, y eso no se mide.
    Word2Vec(4, epochs=1, seed=0).fit(sentences[:50])
    runs = {"dlbook": [], "gensim": []}
    models = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            for threads in THREADS:
                for name, train in (("dlbook", own), ("gensim", peer)):
                    words, vectors, run = train(sentences, seed, threads, options.gensim, Path(folder))
                    run |= {"seed": seed, "threads": threads, "families": families(words, vectors)}
                    run["analogies"] = analogies(words, vectors)
                    runs[name].append(run)
                    models[name, seed, threads] = words, vectors
                    print(name, {k: v for k, v in run.items() if k != "history"}, flush=True)
    version = runs["gensim"][0]["version"]
    for run in runs["gensim"]:
        del run["version"]
    info = header("benchmarks.quijote_word2vec --gensim PYTHON", SEEDS[0])
    info["versions"]["gensim"] = version
    last = THREADS[-1]
    words, vectors = models["dlbook", SEEDS[0], last]
    results = {
        **{**info, "settings": SETTINGS, "sentences": len(sentences), "tokens": sum(map(len, sentences))},
        **{"vocabulary": len(words), "families": FAMILIES, "relations": RELATIONS, "runs": runs},
        "neighbours": {word: near(words, vectors, word, 8) for word in NEIGHBOURS.split()},
        "gensim_neighbours": {word: near(*models["gensim", SEEDS[0], last], word, 8) for word in NEIGHBOURS.split()},
        # Cuántas de las diez vecinas comparten dos entrenamientos: con otra semilla, y con la otra biblioteca.
        "shared_neighbours": {
            "seeds": shared(models["dlbook", 0, last], models["dlbook", 1, last]),
            "gensim_seeds": shared(models["gensim", 0, last], models["gensim", 1, last]),
            "libraries": shared(models["dlbook", 0, last], models["gensim", 0, last]),
        },
        "map": flat(words, vectors),
        # De cada adjetivo, hacia qué lado de la línea de él a ella se inclina, en cada semilla.
        "leaning": [leaning(*models["dlbook", seed, last]) for seed in SEEDS],
    }
    store(RESULTS, results | {"seconds": round(time.perf_counter() - started, 1)})


def split(text):
    """Parte el texto en párrafos, y cada uno en palabras."""
    found = (re.findall(r"[^\W\d_]+", part.lower()) for part in re.split(r"\n\s*\n", text))
    return [words for words in found if words]


def own(sentences, seed, threads, *_):
    """Entrena el del libro."""
    set_threads(threads)
    started, used = time.perf_counter(), time.process_time()
    model = Word2Vec(**SETTINGS, seed=seed).fit(sentences)
    times = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used}
    history = [round(loss, 4) for loss in model.history["loss"]]
    return model.words, model.vectors, rounded(times) | {"history": history}


def peer(sentences, seed, threads, python, folder):
    """Entrena el de gensim, en su proceso; leer el archivo no se mide."""
    text, vectors = folder / "frases.txt", folder / "vectores.npy"
    text.write_text("\n".join(" ".join(words) for words in sentences), encoding="utf-8")
    settings = json.dumps(SETTINGS | {"seed": seed, "workers": threads})
    script = ROOT / "benchmarks" / "quijote_word2vec_gensim.py"
    done = subprocess.run([python, script, text, settings, vectors], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return found.pop("words"), np.load(vectors), rounded(found)


def rounded(found):
    """Redondea los segundos."""
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in found.items()}


def unit(vectors):
    """Lleva cada vector a longitud 1."""
    vectors = vectors.astype(np.float64)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def families(words, vectors):
    """De todas las ternas con dos palabras de una familia y una de otra: en cuántas se parecen más las dos primeras."""
    places = {word: i for i, word in enumerate(words)}
    listed = [(name, places[word]) for name, text in FAMILIES.items() for word in text.split()]
    names, at = np.array([name for name, _ in listed]), [place for _, place in listed]
    cosines = unit(vectors[at]) @ unit(vectors[at]).T
    right, total = 0, 0
    for i, name in enumerate(names):
        own_family = names == name
        other, own_family = cosines[i, ~own_family], own_family & (np.arange(len(names)) != i)
        right += (cosines[i, own_family, np.newaxis] > other).sum()
        total += own_family.sum() * len(other)
    return round(float(right / total), 4)


def analogies(words, vectors):
    """Cuántas analogías acierta, y cuántas acertaría quien contesta la más parecida a la tercera palabra."""
    vectors, places, found = unit(vectors), {word: i for i, word in enumerate(words)}, {}
    for name, text in RELATIONS.items():
        pairs = [tuple(places[word] for word in pair.split("-")) for pair in text.split()]
        right, lazy, total = 0, 0, 0
        for a, b in pairs:
            for c, d in pairs:
                if len({a, b, c, d}) == 4:
                    right += best(vectors, vectors[b] - vectors[a] + vectors[c], [a, b, c]) == d
                    lazy += best(vectors, vectors[c], [a, b, c]) == d
                    total += 1
        found[name] = {"right": int(right), "lazy": int(lazy), "total": total}
    return found


def best(vectors, target, without):
    """El lugar de la palabra que más apunta hacia allá."""
    cosines = vectors @ target
    cosines[without] = -np.inf
    return cosines.argmax()


def near(words, vectors, word, n):
    """Las palabras más parecidas a una, con sus cosenos."""
    vectors, place = unit(vectors), words.index(word)
    cosines = vectors @ vectors[place]
    cosines[place] = -np.inf
    return [(words[i], round(float(cosines[i]), 3)) for i in np.argsort(-cosines)[:n]]


def shared(first, second, n=10, frequent=1000):
    """Qué fracción de sus diez vecinas comparten, en promedio, las mil palabras más frecuentes."""
    sets = []
    for words, vectors in (first, second):
        vectors = unit(vectors)
        order = {word: i for i, word in enumerate(words)}
        chosen = [order[word] for word in first[0][:frequent]]
        cosines = vectors[chosen] @ vectors.T
        cosines[np.arange(frequent), chosen] = -np.inf
        sets.append([{words[i] for i in row} for row in np.argpartition(-cosines, n, axis=1)[:, :n]])
    return round(float(np.mean([len(a & b) / n for a, b in zip(*sets, strict=True)])), 3)


def leaning(words, vectors):
    """El coseno de cada adjetivo con la dirección que va de él a ella."""
    vectors, places = unit(vectors), {word: i for i, word in enumerate(words)}
    pairs = [pair.split("-") for pair in AXIS.split()]
    axis = np.sum([vectors[places[a]] - vectors[places[b]] for a, b in pairs], axis=0)
    axis /= np.linalg.norm(axis)
    return {word: round(float(vectors[places[word]] @ axis), 3) for word in ADJECTIVES.split()}


def flat(words, vectors):
    """Las primeras de cada familia, en el plano de sus dos componentes principales."""
    names = [(name, word) for name, text in FAMILIES.items() for word in text.split()[:DRAWN]]
    chosen = unit(vectors[[words.index(word) for _, word in names]])
    centered = chosen - chosen.mean(axis=0)
    u, s, _ = np.linalg.svd(centered, full_matrices=False)
    points = (u * s)[:, :2]
    kept = float((s[:2] ** 2).sum() / (s**2).sum())
    listed = [(word, name, *p) for (name, word), p in zip(names, points.round(3).tolist(), strict=True)]
    return {"variance": round(kept, 3), "points": listed}


if __name__ == "__main__":
    main()
