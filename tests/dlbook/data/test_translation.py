"""Las parejas de frases: el reparto, el filtro y el archivo de verdad."""

import hashlib
import os
import zipfile
import zlib

import pytest

from dlbook.data import files, load_spanish_english, translation
from dlbook.data.files import Expected

needs_data = pytest.mark.skipif(
    not os.environ.get("DLBOOK_DATA"), reason="las parejas no están: pon en DLBOOK_DATA la carpeta que las tiene"
)
NAMES = [f"Number {k}." for k in range(60)]
TESTED = [name for name in NAMES if zlib.crc32(name.encode()) % translation.ONE_OF == 0]


@pytest.fixture
def archive(tmp_path, monkeypatch):
    lines = [f"{name}\tNúmero {name[7:-1]}." for name in NAMES]
    # Otra manera de decir una de la prueba, y una frase española que también está ahí.
    lines += [f"{TESTED[0]}\tEl {TESTED[0][7:-1]}.", f"The number.\tNúmero {TESTED[0][7:-1]}.", "A b c d\tUna be ce de"]
    folder = tmp_path / "traduccion"
    folder.mkdir()
    with zipfile.ZipFile(folder / "spa-eng.zip", "w") as file:
        file.writestr("spa-eng/spa.txt", "\n".join(lines) + "\n")
    content = (folder / "spa-eng.zip").read_bytes()
    own = {"spa-eng.zip": Expected(len(content), hashlib.sha256(content).hexdigest())}
    monkeypatch.setattr(translation, "SPANISH_ENGLISH", own)
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))


def test_no_sentence_is_in_both_parts(archive):
    train, test = load_spanish_english(download=False)
    assert {english for _, english in test} == set(TESTED)
    assert (f"El {TESTED[0][7:-1]}.", TESTED[0]) in test
    assert not {s for s, _ in train} & {s for s, _ in test}
    assert not {e for _, e in train} & {e for _, e in test}
    assert ("Una be ce de", "A b c d") in train
    assert len(train) + len(test) == len(NAMES) + 2


def test_long_ones_are_left_out(archive):
    train, _ = load_spanish_english(download=False, max_words=3)
    assert ("Una be ce de", "A b c d") not in train
    assert all(len(text.split()) <= 3 for pair in train for text in pair)


@pytest.mark.parametrize("wrong", [{"max_words": 0}, {"max_words": 2.5}, {"max_words": "8"}, {"download": 1.5}])
def test_nonsense_is_said(archive, wrong):
    with pytest.raises((TypeError, ValueError)):
        load_spanish_english(**{"download": False} | wrong)


def test_missing_without_network_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.delenv("DLBOOK_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="descarga a mano"):
        load_spanish_english(download=False)


@needs_data
def test_the_real_ones():
    train, test = load_spanish_english(download=False)
    assert (len(train), len(test)) == (88_575, 4_492)
    assert ("Ve.", "Go.") in train + test
    assert not {s for s, _ in train} & {s for s, _ in test}
    assert not {e for _, e in train} & {e for _, e in test}
