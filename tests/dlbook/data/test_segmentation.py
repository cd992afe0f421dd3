"""Las células dibujadas y la carpeta de ISBI 2012."""

import numpy as np
import pytest

from dlbook.data import cell_images, load_isbi2012
from dlbook.data.isbi2012 import SLICES

PIL = pytest.importorskip("PIL.Image")


def test_the_same_seed_draws_the_same_cells():
    first, again, other = (cell_images(3, size=32, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_the_mask_is_exact_when_there_is_neither_noise_nor_light():
    x, y = cell_images(20, size=48, light=0, noise=0, seed=0)
    np.testing.assert_allclose(x[y == 0], 0.45)
    assert not np.isclose(x[y == 1], 0.45).any()


def test_cells_are_as_large_as_asked():
    shares = [cell_images(30, size=48, cells=1, radius=r, seed=0)[1].mean() for r in ((0.05, 0.08), (0.2, 0.25))]
    assert 0 < shares[0] < 0.03 < shares[1]
    with pytest.raises(ValueError, match="del menor al mayor"):
        cell_images(1, radius=(0.3, 0.1))


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for place in ("image", "label"):
        (tmp_path / "train" / place).mkdir(parents=True)
        for k in range(SLICES):
            values = rng.integers(0, 2, (6, 8), np.uint8) * 255 if place == "label" else rng.integers(0, 256, (6, 8))
            PIL.fromarray(values.astype(np.uint8)).save(tmp_path / "train" / place / f"{k}.png")
    return tmp_path


def test_a_folder_is_read_in_order(folder):
    x, y = load_isbi2012(folder)
    assert (x.shape, x.dtype) == ((SLICES, 6, 8, 1), np.float32)
    assert (y.shape, y.dtype) == ((SLICES, 6, 8, 1), np.uint8)
    assert 0 <= x.min() < x.max() <= 1
    assert set(np.unique(y)) == {0, 1}
    with PIL.open(folder / "train" / "image" / "11.png") as image:
        np.testing.assert_allclose(x[11, ..., 0] * 255, np.array(image), rtol=1e-5)


def test_what_is_missing_or_odd_is_told(folder):
    with pytest.raises(FileNotFoundError, match="'train/image' y 'train/label'"):
        load_isbi2012(folder / "train")
    odd = folder / "train" / "label" / "3.png"
    PIL.fromarray(np.full((6, 8), 7, np.uint8)).save(odd)
    with pytest.raises(ValueError, match="respuestas de 0 y 255"):
        load_isbi2012(folder)
    PIL.fromarray(np.zeros((6, 9), np.uint8)).save(odd)
    with pytest.raises(ValueError, match="un mismo tamaño"):
        load_isbi2012(folder)
    PIL.fromarray(np.zeros((6, 8, 3), np.uint8)).save(odd)
    with pytest.raises(ValueError, match="en gris"):
        load_isbi2012(folder)
    odd.write_bytes(b"no es una imagen")
    with pytest.raises(ValueError, match=r"^3\.png: se esperaba una imagen, pero está dañada"):
        load_isbi2012(folder)
    odd.unlink()
    with pytest.raises(FileNotFoundError, match=r"se esperaba también 3\.png"):
        load_isbi2012(folder)
    with pytest.raises(TypeError, match="folder: se esperaba la ruta"):
        load_isbi2012(3)
