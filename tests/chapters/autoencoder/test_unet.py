"""La U-Net, sus pérdidas y la deformación elástica."""

import subprocess
import sys

import numpy as np
import pytest

from chapters.autoencoder import (
    Dice,
    IoULoss,
    OverlapLoss,
    Tversky,
    elastic_deformation,
    elastic_field,
    unet,
    unet_shapes,
)
from chapters.mlp import load_model, losses, shapes_only
from dlbook.gradcheck import check_gradients


@pytest.mark.parametrize("size", [188, 204, 572, 700])
def test_the_shapes_are_those_of_the_layers(size):
    with shapes_only():
        net = unet((size, size, 1), (1, 2, 3, 4, 5), padding="valid")
    assert net.output_shape == (unet_shapes(size)["output"],) * 2 + (1,)


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_any_other_size_is_refused_and_told_one_that_works(levels, padding):
    working = []
    for size in range(1, 150):
        try:
            shapes = unet_shapes(size, levels, padding)
        except ValueError as error:
            assert unet_shapes(int(str(error).split("como ")[1].split()[0]), levels, padding)
        else:
            working.append(size)
            assert shapes["output"] > 0
            assert all(
                skip % 2 == 0 and up + 2 * crop == skip
                for skip, up, crop in zip(shapes["skips"], shapes["ups"], shapes["crops"], strict=True)
            )
    assert set(np.diff(working)) == {2**levels}


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("skips", [True, False])
def test_the_whole_network_is_differentiated(padding, skips):
    rng = np.random.default_rng(3)
    side = 20 if padding == "valid" else 4
    options = {"padding": padding, "skips": skips, "classes": 2}
    net = unet((side, side, 1), (2, 2), dtype="float64", seed=1, **options)
    x = rng.normal(size=(1, side, side, 1))
    dy = rng.normal(size=net.forward(x).shape)
    dx = net.backward(dy)
    weights = {str(k): w for k, w in enumerate(net.trainable_weights)}
    slopes = {str(k): g.copy() for k, g in enumerate(net.gradients)}
    report = check_gradients(lambda: (net.forward(x) * dy).sum(), {**weights, "x": x}, {**slopes, "x": dx})
    assert report.ok, report


def test_it_can_be_told_how_to_answer():
    assert unet((8, 8, 3), (2, 3), classes=4, seed=0).predict(np.ones((1, 8, 8, 3)), verbose=0).sum() == pytest.approx(
        64, rel=1e-5
    )
    logits = unet((8, 8, 1), (2, 3), classifier_activation=None, dropout=0.5, seed=0)
    assert logits.predict(np.ones((1, 8, 8, 1)), verbose=0).shape == (1, 8, 8, 1)
    with pytest.raises(ValueError, match="al menos dos pisos"):
        unet((8, 8, 1), (2,))
    with pytest.raises(ValueError, match="alto, ancho, canales"):
        unet((8, 8))
    with pytest.raises(ValueError, match=r"^input_shape\[1\]: se esperaba un lado .* pero llegó 9$"):
        unet((8, 9, 1), (2, 3))
    with pytest.raises(ValueError, match="a lo sumo 13, pero llegaron 14"):
        unet((8, 8, 1), [1] * 14)


def test_one_mask_per_image_is_the_mean_of_the_images():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, (3, 4, 5, 2)).astype(float), rng.random((3, 4, 5, 2))
    each = [Dice()(y[k : k + 1], p[k : k + 1]) for k in range(3)]
    by_image = Dice(axis=(1, 2, 3))
    assert by_image(y, p) == pytest.approx(np.mean(each))
    np.testing.assert_allclose(by_image.call(y, p), each)
    # Y una por clase, que no son los últimos ejes.
    by_class = IoULoss(axis=(1, 2), reduction="sum")
    each = [[IoULoss()(y[k, ..., c][None], p[k, ..., c][None]) for c in range(2)] for k in range(3)]
    assert by_class(y, p) == pytest.approx(np.sum(each))
    np.testing.assert_allclose(by_class.call(y, p), each)
    report = check_gradients(lambda: by_class(y, p), {"p": p}, {"p": by_class.gradient(y, p)})
    assert report.ok, report


def test_without_reducing_one_mask_is_one_number():
    y, p = [[1.0, 0.0]], [[0.5, 0.5]]
    assert np.shape(Dice(reduction="none")(y, p)) == ()
    assert Dice(reduction="sum")(y * 2, p * 2) == pytest.approx(Dice()(y, p))


def test_a_weight_per_pixel_is_refused():
    with pytest.raises(ValueError, match="un peso por máscara"):
        Dice(axis=(1, 2))(np.ones((2, 3, 4)), np.ones((2, 3, 4)), np.ones((2, 3)))


def test_tversky_is_dice_and_jaccard_at_its_corners():
    rng = np.random.default_rng(1)
    y, p = rng.integers(0, 2, (2, 30)).astype(float), rng.random((2, 30))
    np.testing.assert_allclose(Tversky().gradient(y, p), Dice().gradient(y, p), rtol=1e-6)
    np.testing.assert_allclose(Tversky(1, 1).gradient(y, p), IoULoss().gradient(y, p), rtol=1e-6)


def test_empty_masks_do_not_divide_by_zero():
    zeros = np.zeros((2, 6))
    for loss in (Dice(), IoULoss(), Tversky()):
        assert loss(zeros, zeros) == 1
        assert np.isfinite(loss.gradient(zeros, zeros)).all()


@pytest.mark.parametrize("loss", [Dice(), IoULoss(axis=-1), Tversky()])
def test_a_mask_from_0_to_255_is_refused(loss):
    with pytest.raises(ValueError, match=r"^y_true: se esperaba un número entre 0 y 1, pero hay un 255 en la posición"):
        loss([[0.0, 255.0]], [[0.1, 0.9]])


def test_a_loss_without_its_numbers_says_so():
    with pytest.raises(NotImplementedError, match="Mine: falta decir sus cuatro números"):
        type("Mine", (OverlapLoss,), {})()([[0.0, 1.0]], [[0.1, 0.9]])


def test_tversky_does_not_overflow_within_its_range():
    y, p = np.array([[1, 0, 1]], "float32"), np.array([[0.5, 0.2, 0.1]], "float32")
    assert np.isfinite(Tversky(1e6, 1e6).gradient(y, p)).all()
    with pytest.raises(ValueError, match="alpha: se esperaba un número de al menos 0 y de a lo sumo"):
        Tversky(1e300)


def test_importing_the_losses_does_not_import_this_chapter():
    code = "import sys, chapters.mlp as m; m.losses.get('mse'); print('chapters.autoencoder' in sys.modules, end=' ')"
    code += "; print(type(m.losses.get('dice')).__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False chapters.autoencoder.unet.overlap\n"


@pytest.mark.parametrize("loss", ["dice", Tversky(0.7, 0.3, axis=(1, 2, 3)), IoULoss()])
def test_a_compiled_network_is_saved_with_its_loss(loss, tmp_path):
    net = unet((8, 8, 1), (1, 2), seed=0)
    net.compile("adam", loss)
    net.save(tmp_path / "net.keras")
    assert repr(load_model(tmp_path / "net.keras").loss) == repr(losses.get(loss))


@pytest.mark.parametrize(("name", "cls"), [("dice", Dice), ("Tversky", Tversky), ("iou_loss", IoULoss)])
def test_a_loss_of_this_chapter_is_found_by_its_name(name, cls):
    assert type(losses.get(name)) is cls


def test_a_network_trains_with_dice_and_with_it_split_among_threads():
    rng = np.random.default_rng(0)
    x = rng.random((8, 8, 8, 1)).astype("float32")
    y = (x > 0.5).astype("float32")
    for loss in ("dice", Dice(axis=(1, 2, 3))):
        net = unet((8, 8, 1), (2, 3), seed=0)
        net.compile("adam", loss)
        history = net.fit(x, y, batch_size=4, epochs=3, verbose=0).history["loss"]
        assert np.isfinite(history).all()
        assert history[-1] < history[0]


def test_a_field_is_as_long_as_asked_and_smooth():
    field = elastic_field((40, 50), alpha=5, sigma=8, seed=0)
    assert np.sqrt((field**2).sum(axis=0).mean()) == pytest.approx(5)
    assert np.abs(np.diff(field, axis=1)).max() < 1.5
    rough = elastic_field((40, 50), alpha=5, sigma=1, seed=0)
    assert np.abs(np.diff(rough, axis=1)).max() > 3


def test_a_mask_moves_with_its_image():
    rng = np.random.default_rng(0)
    masks = (rng.random((3, 8, 8, 1)) > 0.5).astype(np.uint8).repeat(8, 1).repeat(8, 2)
    images, painted = elastic_deformation(masks.astype(float), masks, alpha=2, sigma=6, seed=1)
    assert painted.dtype == np.uint8
    assert set(np.unique(painted)) == {0, 1}
    assert ((images > 0.5) != painted).mean() < 0.02
    assert (painted != masks).mean() > 0.02
    # Cada imagen, con su campo.
    one = elastic_deformation(np.repeat(images[:1], 2, axis=0), seed=2)
    assert not np.array_equal(one[0], one[1])


def test_a_field_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="shape: harían falta"):
        elastic_field((10**9, 10**9))
