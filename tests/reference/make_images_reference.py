r"""Escribe ``images.json``: lo que miden ``skimage`` y TensorFlow en unas parejas de imágenes.

Se ejecuta a mano, donde haya TensorFlow y ``skimage``::

    python tests/reference/make_images_reference.py
"""

import json
import os
from pathlib import Path

import numpy as np

# Forma de la imagen, lo que vale el blanco y el lado de la ventana.
CASES = [((16, 16, 1), 1.0, 11), ((20, 13, 3), 255.0, 11), ((12, 12, 1), 1.0, 7), ((9, 14, 2), 1.0, 8)]
K1, K2, SIGMA = 0.02, 0.05, 1.0


def pair(seed, shape, largest):
    """Dos imágenes parecidas, con algo liso."""
    rng = np.random.default_rng(seed)
    a = rng.random(shape)
    a[:4, :4] = 0.25
    return a * largest, (0.8 * a + 0.2 * rng.random(shape)) * largest


def scikit(a, b, largest):
    """La ventana de ``skimage`` con sigma=1.5 es la de 11; no tiene otra con ese ancho."""
    from skimage.metrics import structural_similarity

    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "full": True}
    value, every = structural_similarity(a, b, data_range=largest, channel_axis=-1, **options)
    return {"ssim": float(value), "map": every[5:-5, 5:-5].tolist()}


def main():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import skimage
    import tensorflow as tf
    from skimage.metrics import peak_signal_noise_ratio

    cases = []
    for seed, (shape, largest, size) in enumerate(CASES):
        a, b = pair(seed, shape, largest)
        other = tf.image.ssim(a, b, largest, size, SIGMA, K1, K2)
        cases.append(
            {
                **{"a": a.tolist(), "b": b.tolist(), "max_val": largest, "filter_size": size},
                "psnr": {
                    "tensorflow": float(tf.image.psnr(a, b, largest)),
                    "skimage": float(peak_signal_noise_ratio(a, b, data_range=largest)),
                },
                "tensorflow": float(tf.image.ssim(a, b, largest, filter_size=size)),
                "tensorflow_map": tf.image.ssim(a, b, largest, filter_size=size, return_index_map=True)
                .numpy()
                .tolist(),
                "other": {"arguments": [SIGMA, K1, K2], "tensorflow": float(other)},
                **({"skimage": scikit(a, b, largest)} if size == 11 else {}),
            }
        )
    results = {"versions": {"tensorflow": tf.__version__, "scikit-image": skimage.__version__}, "cases": cases}
    path = Path(__file__).with_name("images.json")
    path.write_text(json.dumps(results) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
