r"""Escribe ``text.json``: lo que dan Keras y ``tokenizers`` en los casos de ``text_cases.py``.

Se ejecuta a mano donde haya Keras 3 con TensorFlow, o ``tokenizers``; lo que no hay no lo toca::

    python tests/reference/make_text_reference.py
"""

import importlib.util
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.reference.text_cases import SHOUTED, TEXTS, TOKENIZERS, TRICKY, UNSEEN, VECTORIZATIONS, VOCABULARIES

PATH = Path(__file__).with_name("text.json")
CHAPTER = Path(__file__).resolve().parents[2] / "dlbook" / "data" / "quijote_primero.txt"
# Lo mismo que PIECES, con las letras y las cifras dichas como las entiende aquella biblioteca.
PIECES = r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def of_keras():
    """Los índices y las tablas de Keras."""
    from keras.src.layers import TextVectorization
    from keras.src.legacy.preprocessing.text import Tokenizer

    tokenizers, tables = [], []
    for options in TOKENIZERS:
        tokenizer = Tokenizer(**options)
        tokenizer.fit_on_texts(TEXTS)
        sequences = tokenizer.texts_to_sequences(TEXTS + UNSEEN)
        texts = tokenizer.sequences_to_texts(sequences)
        tokenizers.append([tokenizer.word_index, sequences, texts])
    for options in VECTORIZATIONS:
        if "ngrams" in options and isinstance(options["ngrams"], list):
            options = options | {"ngrams": tuple(options["ngrams"])}
        layer = TextVectorization(**options)
        layer.adapt(TEXTS)
        found = layer(TEXTS + UNSEEN).numpy()
        rows = [[float(f"{v:.7g}") for v in row] for row in found.tolist()]
        tables.append([layer.get_vocabulary(), found.dtype.name, rows])
    layer = TextVectorization()
    layer.adapt(SHOUTED)
    return {"tokenizers": tokenizers, "vectorizations": tables, "shouted": layer.get_vocabulary()}


def of_tokenizers():
    """Los pares y los índices de ``tokenizers``."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    text, learned = CHAPTER.read_text("utf-8"), []
    for size in VOCABULARIES:
        tokenizer = Tokenizer(models.BPE())
        split = pre_tokenizers.Split(Regex(PIECES), "isolated")
        level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, level])
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator([text, *TRICKY], trainer)
        merges = json.loads(tokenizer.to_str())["model"]["merges"]
        ids = [tokenizer.encode(one).ids for one in [text[:2000], *TRICKY]]
        learned.append([merges, ids])
    return {"byte_pairs": learned}


if __name__ == "__main__":
    content = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
    for library, function in (("keras", of_keras), ("tokenizers", of_tokenizers)):
        if importlib.util.find_spec(library):
            content |= function()
    lines = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in content.items()]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
