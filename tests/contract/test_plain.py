"""La versión que se lee y la que se ejecuta calculan lo mismo."""

import functools
import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chapters
from chapters import attention, rnn
from chapters.attention import ClassToken, MultiHeadAttention, SmoothedCrossentropy
from chapters.autoencoder import OverlapLoss, Sampling, TiedAutoencoder, vae
from chapters.cnn import BatchNormalization, RandomContrast, RandomZoom, Resizing, UpSampling1D, UpSampling2D
from chapters.mlp import Dense, Dropout, Input, Model, Sequential
from chapters.rnn import Embedding, SimpleRNN
from dlbook import gradcheck
from dlbook.sphinx.definitions import PLAIN, plain_name
from dlbook.sphinx.listing import GLANCE

MODULES = [
    gradcheck,
    *(
        importlib.import_module(name)
        for _, name, _ in pkgutil.walk_packages(chapters.__path__, "chapters.")
        if ".keras" not in name
    ),
]
# Cada función o clase con su versión que se lee.
FOUND = {
    plain_name(name): (vars(module)[plain_name(name)], value)
    for module in MODULES
    for name, value in vars(module).items()
    if plain_name(name) in vars(module) and value.__module__ == module.__name__
}


def batch_normalization(x, gamma, beta, moving, momentum, training):
    layer = BatchNormalization(momentum=momentum, dtype="float64")
    layer.build(x.shape[1:])
    layer.set_weights([gamma, beta, *moving])
    y = layer.forward(x, training)
    return y, np.array(layer.get_weights()[2:])


def up_sampling2d(x, dy, size):
    layer = UpSampling2D(size, interpolation="bilinear", dtype="float64")
    return layer(x).copy(), layer.backward(dy)


def up_sampling1d(x, dy, size):
    layer = UpSampling1D(size, dtype="float64")
    return layer(x).copy(), layer.backward(dy)


def random_contrast(x, dz, contrast):
    factor = 1 - contrast, contrast - 1
    layer = RandomContrast(factor, (-1e6, 1e6), dtype="float64")
    return layer(x).copy(), layer.backward(dz)


def resampled(x, height, width):
    return Resizing(height, width, dtype="float64")(x)


def random_zoom(x, height_factor, width_factor):
    ranges = (height_factor, height_factor), (width_factor, width_factor)
    return RandomZoom(*ranges, dtype="float64")(x)


def tied_autoencoder(x, w, b, c, dy):
    layer = TiedAutoencoder(w.shape[1], activation="tanh", dtype="float64")
    layer.build(x.shape[1:])
    layer.set_weights([w, b, c])
    y = layer.forward(x)
    dx = layer.backward(dy)
    dw, db, dc = layer.gradients
    return y, dw, db, dc, dx


def overlap_loss(y_true, y_pred, numbers):
    loss = type("Own", (OverlapLoss,), {"numbers": numbers})()
    return loss(y_true, y_pred), loss.gradient(y_true, y_pred)


def windows(data, targets, sequence_length, sequence_stride, sampling_rate):
    options = sequence_length, sequence_stride, sampling_rate
    batches = rnn.timeseries_dataset_from_array(data, targets, *options, batch_size=3)
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    return x, y


def autoregression(order, series, x):
    model = rnn.Autoregression(order).fit(series)
    return model.intercept, model.coefficients, model.predict(x)


def attentive(build):
    @functools.wraps(build)
    def used(**options):
        read = np.array([[1, 2, 0], [2, 1, 1]])
        return build(**options).predict([read, read])

    return used


def scorer(seed):
    table = np.random.default_rng(seed).normal(size=(4, 4))
    return lambda written: table[written[:, -1] % 4]


def translated(build):
    @functools.wraps(build)
    def used(**options):
        whole, encoder, _ = build(**options)
        read = np.array([[1, 2, 0], [2, 1, 1]])
        return (whole.predict([read, read]), *encoder.predict(read))

    return used


def searched(search):
    @functools.wraps(search)
    def used(**options):
        sequences, scores = search(**options)
        return (*sequences, scores)

    return used


def remembered(attend):
    @functools.wraps(attend)
    def used(keys, values, **options):
        keys, values = keys.copy(), values.copy()
        return attend(keys=keys, values=values, **options), keys, values

    return used


def answered(build):
    @functools.wraps(build)
    def used(**options):
        seeded = {"seed": 0} if build is attention.gpt else {}
        model = build(**options, **seeded)
        model = Model(*model, seed=0) if isinstance(model, tuple) else model
        return model.predict(np.array([[0, 1, 1], [1, 0, 1]]))

    return used


def class_token(x, token, dy):
    layer = ClassToken(dtype="float64")
    layer.build(x.shape[1:])
    layer.set_weights([token])
    y = layer.forward(x)
    dx = layer.backward(dy)
    return y, layer.gradients[0], dx


def reader(build):
    @functools.wraps(build)
    def used(**options):
        return tuple(model.predict([[1, 2, 0], [2, 1, 1]]) for model in build(**options))

    return used


def looker(build):
    @functools.wraps(build)
    def used(**options):
        shape = 2, *options["input_shape"]
        return build(**options).predict(np.arange(np.prod(shape)).reshape(shape) / 9)

    return used


def sampling(mean, log_var, noise, beta, dy):
    layer = Sampling(beta, dtype="float64")
    layer.normal = lambda x: noise
    z = layer.forward([mean, log_var], training=True)
    dmean, dlog_var = layer.backward(dy)
    return z, layer.added[0], dmean, dlog_var


def multi_head_attention(query, value, weights, mask):
    heads, key_dim = weights[1].shape
    width = weights[-1].size
    layer = MultiHeadAttention(heads, key_dim, weights[5].shape[1], output_shape=width, dtype="float64")
    layer.build([query.shape[1:], value.shape[1:]])
    layer.set_weights(weights)
    return layer.forward(query, value, attention_mask=mask)


def transformer_block(x, dy, sublayer, norm, normalize_first):
    block = attention.TransformerBlock(1, 1, normalize_first=normalize_first, dtype="float64")
    block.part_layer_norm, block.part_dropout = norm, Dropout(0, dtype="float64")
    y = block._through("part", x, sublayer.forward, False)
    return y, block._back("part", dy, sublayer.backward)


def position_embedding(table, dy):
    layer = attention.PositionEmbedding(len(table), dtype="float64")
    layer.build(dy.shape[1:])
    layer.position_embeddings = table
    y = layer.forward(dy)
    assert not layer.backward(dy).any()
    return y, layer.gradients[0]


def token_and_position_embedding(tokens, words, places):
    layer = attention.TokenAndPositionEmbedding(len(words), *places.shape, dtype="float64")
    layer.build(tokens.shape[1:])
    layer.set_weights([words, places])
    return layer.forward(tokens)


def smoothed(labels, logits, smoothing):
    loss = SmoothedCrossentropy(smoothing)
    return loss(labels, logits), loss.gradient(labels, logits)


def joined(translations, references, longest):
    texts = [" ".join(words) for words in translations]
    return attention.bleu(texts, [[" ".join(words) for words in several] for several in references], longest)


# Una clase se compara usándola.
USED = {
    "plain_autoregression": autoregression,
    "plain_batch_normalization": batch_normalization,
    "plain_up_sampling2d": up_sampling2d,
    "plain_up_sampling1d": up_sampling1d,
    "plain_random_contrast": random_contrast,
    "plain_resampled": resampled,
    "plain_random_zoom": random_zoom,
    "plain_bleu": joined,
    "plain_class_token": class_token,
    "plain_multi_head_attention": multi_head_attention,
    "plain_overlap_loss": overlap_loss,
    "plain_position_embedding": position_embedding,
    "plain_sampling": sampling,
    "plain_smoothed_crossentropy": smoothed,
    "plain_tied_autoencoder": tied_autoencoder,
    "plain_timeseries_dataset_from_array": windows,
    "plain_token_and_position_embedding": token_and_position_embedding,
    "plain_transformer_block": transformer_block,
}
FOUND |= {name: (FOUND[name][0], use) for name, use in USED.items()}
# Un modelo, con lo que contesta; y lo que usa uno, con uno.
ANSWERED = {
    "plain_bahdanau_translator": attentive,
    "plain_beam_search": searched,
    "plain_bert": reader,
    "plain_cached_attention": remembered,
    "plain_encoder_decoder": translated,
    "plain_gpt": answered,
    "plain_vit": looker,
}
FOUND |= {name: tuple(map(use, FOUND[name])) for name, use in ANSWERED.items()}


class Sizes:
    """Tamaños y números al azar; un tamaño que ya se pidió es el mismo."""

    def __init__(self, seed):
        self.generator, self.known = np.random.default_rng(seed), {}

    def __call__(self, name, low=1, high=4):
        return self.known.setdefault(name, int(self.generator.integers(low, high + 1)))

    def array(self, *names):
        return self.generator.normal(size=[name if isinstance(name, int) else self(name) for name in names])


def share(values):
    # Probabilidades que suman uno.
    return np.exp(values) / np.exp(values).sum()


def sentences(r, n):
    return [["abc"[k] for k in r.generator.integers(0, 3, r.generator.integers(1, 9))] for _ in range(n)]


def separated(r):
    x, w, b = r.array("n", "d"), r.array("d"), float(r.generator.normal())
    return {"x": x, "y": (x @ w + b > 0).astype(int), "w": w, "b": b}


def images(r):
    h, w = r("h", 4, 8), r("w", 4, 8)
    return r.array("n", h, w, "c")


def maps(r):
    rows, columns = ((r(size) - r(k)) // r("s") + 1 for size, k in (("h", "kh"), ("w", "kw")))
    return r.array("n", rows, columns, "f")


def convolution(r):
    return {"x": images(r), "kernel": r.array("kh", "kw", "c", "f"), "strides": r("s", 1, 3)}


def by_channel(r):
    arguments = convolution(r) | {"kernel": r.array("kh", "kw", "c", "r")}
    r.known["f"] = r("c") * r("r")
    return arguments


def pooled(r):
    return {"x": images(r), "pool_size": r("kh"), "strides": r("s", 1, 3)}


def pool_blame(r):
    rows, columns = ((r(size) - r("kh")) // r("s", 1, 3) + 1 for size in ("h", "w"))
    return r.array("n", rows, columns, "c")


def transposed(r):
    kernel = r.array("kh", "kw", "f", "c")
    return {"x": r.array("n", "h", "w", "c"), "kernel": kernel, "strides": r("s", 1, min(kernel.shape[:2]))}


def painted(r):
    rows, columns = ((r(size) - 1) * r("s") + r(k) for size, k in (("h", "kh"), ("w", "kw")))
    return r.array("n", rows, columns, "f")


def local_response(r):
    numbers = {"bias": 1 + r.generator.random(), "alpha": r.generator.random(), "beta": 0.25 * r("quarters")}
    return {"x": r.array("n", "h", "d"), "depth_radius": r("radius", 0, 5)} | numbers


def letters_model(letters, seed):
    hidden = SimpleRNN(3, return_sequences=True)
    layers = [Input((None,)), Embedding(letters, 2), hidden, Dense(letters)]
    return Sequential(layers, seed=seed, dtype="float64")


def layers(r):
    first = {"x": r.array("d"), "y": r.array("m"), "W1": r.array("d", "h"), "b1": r.array("h")}
    return first | {"W2": r.array("h", "m"), "b2": r.array("m")}


def recurrent(r):
    return {"x": r.array("n", "t", "d"), "kernel": r.array("d", "u"), "recurrent_kernel": r.array("u", "u")}


def vectors(r):
    w = r.array("m", "d")
    rules = {"functions": [np.sin, lambda u: w @ u], "jacobians": [lambda x: np.diag(np.cos(x)), lambda u: w]}
    return rules | {"x": r.array("d"), "dy": r.array("m")}


def gradients(r):
    w, x = r.array("d", "m"), r.array("n", "d")
    given = {"w": np.sin(x).T @ np.cos(np.sin(x) @ w), "x": r.array("n", "d")}
    return {"f": lambda: np.sin(np.sin(x) @ w).sum(), "parameters": {"w": w, "x": x}, "gradients": given}


def tiles(r):
    query, key, value = r.array("n", "t", "d"), r.array("n", "s", "d"), r.array("n", "s", "u")
    return {"query": query, "key": key, "value": value, "block": r("b", 1, 4), "causal": bool(r("c", 0, 1))}


def gated(r, blocks):
    columns = blocks * r("u")
    r.known[f"{blocks}u"] = columns
    return {"x": r.array("n", "t", "d"), "kernel": r.array("d", columns), "recurrent_kernel": r.array("u", columns)}


# Con qué argumentos se compara cada una.
ARGUMENTS = {
    "plain_perceptron_rule": lambda r: {
        "x": r.array("n", "d"),
        "y": r.generator.integers(0, 2, r("n")),
        "w": r.array("d"),
        "b": float(r.generator.normal()),
        "learning_rate": 0.1 + r.generator.random(),
    },
    "plain_chain_rule": lambda r: {
        "functions": [np.tanh, np.sin, np.exp][: r("length", 1, 3)],
        "derivatives": [lambda u: 1 - np.tanh(u) ** 2, np.cos, np.exp][: r("length")],
        "x": float(r.generator.normal()),
    },
    "plain_vector_chain_rule": vectors,
    "plain_neuron_chain_gradient": lambda r: {
        "x": float(r.generator.normal()),
        "y": float(r.generator.normal()),
        "w": r.array("length"),
    },
    "plain_one_layer_gradient": lambda r: {
        **{"x": r.array("d"), "y": r.array("m"), "W": r.array("d", "m"), "b": r.array("m")},
        "activations": list(r.generator.choice(["linear", "tanh"], r("m"))),
    },
    "plain_two_layer_gradient": layers,
    "plain_numeric_gradient": lambda r: {"f": lambda t: np.sin(t).prod(), "theta": r.array("n", "d")},
    "plain_check_gradients": gradients,
    "plain_mistake_bound": separated,
    "plain_dense_forward": lambda r: {"x": r.array("n", "d"), "w": r.array("d", "m"), "b": r.array("m")},
    "plain_dense_backward": lambda r: {"x": r.array("n", "d"), "w": r.array("d", "m"), "dy": r.array("n", "m")},
    "plain_batch_norm_forward": lambda r: {
        "x": r.array("n", "h", "w", "d"),
        "gamma": r.array("d"),
        "beta": r.array("d"),
    },
    "plain_batch_normalization": lambda r: {
        "x": r.array("n", "h", "w", "d"),
        "gamma": r.array("d"),
        "beta": r.array("d"),
        "moving": r.array(2, "d") ** 2,
        "momentum": r.generator.random(),
        "training": r("training") > 2,
    },
    "plain_batch_norm_backward": lambda r: {
        "x": r.array("n", "h", "w", "d"),
        "gamma": r.array("d"),
        "dy": r.array("n", "h", "w", "d"),
    },
    "plain_local_response_forward": local_response,
    "plain_local_response_backward": lambda r: local_response(r) | {"dy": r.array("n", "h", "d")},
    "plain_im2col": lambda r: {"x": images(r), "kernel_size": (r("kh"), r("kw")), "strides": r("s", 1, 3)},
    "plain_col2im": lambda r: {
        "input_shape": images(r).shape,
        "kernel_size": (r("kh"), r("kw")),
        "strides": r("s", 1, 3),
        "columns": r.array(maps(r).size // r("f"), r("kh") * r("kw") * r("c")),
    },
    # Capítulo 3, correlación.
    "plain_correlate2d": lambda r: {"image": r.array(r("h", 4, 8), r("w", 4, 8)), "kernel": r.array("kh", "kw")},
    # Capítulo 3, otras convoluciones.
    "plain_depthwise_conv2d_forward": lambda r: by_channel(r) | {"bias": r.array(r.known["f"])},
    "plain_depthwise_conv2d_backward": lambda r: by_channel(r) | {"dy": maps(r)},
    "plain_up_sampling1d": lambda r: {
        "x": r.array("n", "h", "c"),
        "dy": r.array("n", r("h") * r("size"), "c"),
        "size": r("size"),
    },
    "plain_up_sampling2d": lambda r: {
        "x": r.array("n", "h", "w", "c"),
        "dy": r.array("n", r("h") * r("size"), r("w") * r("size"), "c"),
        "size": r("size"),
    },
    # Capítulo 3, imágenes.
    "plain_rgb_to_hsv": lambda r: {"rgb": r.generator.integers(0, 4, (r("h"), r("w"), 3)) / 3},
    "plain_hsv_to_rgb": lambda r: {"hsv": r.generator.random((r("h"), r("w"), 3))},
    "plain_histogram": lambda r: {"image": r.generator.integers(0, 256, (r("h"), r("w")))},
    "plain_random_contrast": lambda r: {"x": images(r), "dz": images(r), "contrast": 1 + r.generator.random()},
    "plain_resampled": lambda r: {"x": images(r), "height": r("rows", 1, 9), "width": r("columns", 1, 9)},
    "plain_random_zoom": lambda r: {
        "x": images(r),
        "height_factor": r.generator.uniform(-0.9, 0.9),
        "width_factor": r.generator.uniform(-0.9, 0.9),
    },
    # Capítulo 3, agrupamiento.
    "plain_max_pooling_forward": pooled,
    "plain_average_pooling_forward": pooled,
    "plain_max_pooling_backward": lambda r: pooled(r) | {"dy": pool_blame(r)},
    "plain_average_pooling_backward": lambda r: {
        "input_shape": pooled(r).pop("x").shape,
        "dy": pool_blame(r),
        "pool_size": r("kh"),
        "strides": r("s", 1, 3),
    },
    "plain_conv2d_forward": lambda r: convolution(r) | {"bias": r.array("f")},
    "plain_conv2d_backward": lambda r: convolution(r) | {"dy": maps(r)},
    "plain_conv2d_transpose_forward": lambda r: transposed(r) | {"bias": r.array("f")},
    "plain_conv2d_transpose_backward": lambda r: transposed(r) | {"dy": painted(r)},
    # Capítulo 4, códigos.
    "plain_tied_autoencoder": lambda r: {
        "x": r.array("n", "d"),
        "w": r.array("d", "k"),
        "b": r.array("k"),
        "c": r.array("d"),
        "dy": r.array("n", "d"),
    },
    # Capítulo 4, imágenes.
    "plain_optimal_denoiser": lambda r: {"x": r.array("m", "d"), "data": r.array("n", "d"), "sigma": r("s")},
    "plain_ssim_map": lambda r: {
        **{"a": images(r), "b": images(r), "max_val": 2.0, "filter_size": r("k"), "filter_sigma": r("s")},
        **{"k1": 0.01, "k2": 0.03},
    },
    # Capítulo 4, U-Net.
    "plain_elastic_deformation": lambda r: {
        **{"images": images(r), "masks": images(r), "alpha": 2.0, "sigma": 3.0, "seed": r("seed", 0, 99)},
    },
    "plain_unet_shapes": lambda r: {"size": 188 + 16 * r("more", 0, 9)},
    "plain_overlap_loss": lambda r: {
        "y_true": r.generator.integers(0, 2, (r("n"), r("h"))).astype(float),
        "y_pred": r.generator.random((r("n"), r("h"))) + 0.05,
        "numbers": (1.0, *r.generator.random(2), 0.5),
    },
    # Capítulo 4, VAE.
    "plain_sampling": lambda r: {
        **{name: r.array("n", "d") for name in ("mean", "log_var", "noise")},
        **{"beta": r.generator.random(), "dy": r.array("n", "d")},
    },
    "plain_elbo": lambda r: {
        **dict(zip(("encoder", "decoder"), vae(r("m"), r("h"), r("d"), seed=r("seed"))[1:], strict=True)),
        **{"x": np.abs(np.sin(r.array("n", "m"))), "samples": r("s"), "seed": r("seed")},
    },
    # Capítulo 4, GAN.
    "plain_discriminator_loss": lambda r: {"real": r.array("n"), "fake": r.array("m")},
    "plain_gan_value": lambda r: {name: share(r.array("k")) for name in "pq"} | {"d": 1 / (1 + np.exp(r.array("k")))},
    "plain_generator_loss": lambda r: {"fake": r.array("m"), "saturating": bool(r("s", 0, 1))},
    "plain_optimal_discriminator": lambda r: {name: share(r.array("k")) for name in "pq"},
    # Capítulo 4, difusión.
    # Capítulo 5, texto.
    "plain_learn_merges": lambda r: {
        "words": {"".join(r.generator.choice(list("abñ"), r("w", 1, 7))): r("n") for _ in range(5)},
        "tokens": r("tokens", 0, 9),
    },
    "plain_witten_bell": lambda r: {
        "counts": np.maximum(r.array("k").round(), 0),
        "shorter": share(r.array("k")),
    },
    # Capítulo 5, palabras.
    # Capítulo 5, máscaras.
    "plain_embedding_backward": lambda r: {
        **{"tokens": r.generator.integers(0, 6, (r("n"), r("t"))), "table": np.empty((6, r("d")))},
        **{"dy": r.array("n", "t", "d")},
    },
    "plain_embedding_forward": lambda r: {
        **{"tokens": r.generator.integers(0, 6, (r("n"), r("t"))), "table": r.generator.random((6, r("d")))},
    },
    # Capítulo 5, recurrencia.
    "plain_jacobian_spectrum": lambda r: {"recurrent_kernel": r.array("u", "u"), "y": np.tanh(r.array("t", "u"))},
    "plain_simple_rnn_forward": lambda r: recurrent(r) | {"bias": r.array("u"), "initial_state": r.array("n", "u")},
    "plain_simple_rnn_backward": lambda r: {
        **recurrent(r),
        **{"initial_state": r.array("n", "u"), "y": np.tanh(r.array("n", "t", "u")), "dy": r.array("n", "t", "u")},
    },
    # Capítulo 5, compuertas.
    "plain_gru_forward": lambda r: gated(r, 3) | {"bias": r.array(2, "3u"), "initial_state": r.array("n", "u")},
    "plain_gru_backward": lambda r: {
        **gated(r, 3),
        **{"initial_state": r.array("n", "u"), "h": np.tanh(r.array("n", "t", "u"))},
        **{"gates": np.tanh(r.array("n", "t", "3u")), "inner": r.array("n", "t", "u"), "dy": r.array("n", "t", "u")},
    },
    "plain_lstm_forward": lambda r: gated(r, 4) | {"bias": r.array("4u"), "initial_state": list(r.array(2, "n", "u"))},
    "plain_lstm_backward": lambda r: {
        **gated(r, 4),
        **{"initial_state": list(r.array(2, "n", "u")), "h": np.tanh(r.array("n", "t", "u"))},
        **{"c": r.array("n", "t", "u"), "gates": np.tanh(r.array("n", "t", "4u")), "dy": r.array("n", "t", "u")},
        "dc": r.array("n", "u"),
    },
    # Capítulo 5, escribir.
    "plain_bits_per_character": lambda r: {
        **{"model": letters_model(r("k", 2, 5), r("seed")), "ids": r.generator.integers(0, r("k"), 2 + r("n"))},
    },
    "plain_sample_logits": lambda r: {
        **{"logits": r.array("n", "k"), "temperature": r.generator.random()},
        **{"top_k": r("top", 1, r("k")), "seed": r("seed")},
    },
    "plain_shifted_windows": lambda r: {
        **{"ids": r.generator.integers(0, 9, 40 + r("more", 0, 9)), "length": r("t"), "streams": r("s")},
    },
    "plain_temper": lambda r: {"logits": r.array("n", "k"), "temperature": r.generator.random()},
    "plain_top_k": lambda r: {"logits": r.array("n", "k"), "k": r("top", 1, r("k"))},
    # Capítulo 5, programas.
    "plain_autoregression": lambda r: {"order": 2, "series": r.array(30), "x": r.array("n", 2)},
    "plain_encoder_decoder": lambda r: {
        **{"source_tokens": 3, "target_tokens": r("t", 3, 6), "units": r("u")},
        **{"seed": r("s"), "dtype": "float64"},
    },
    "plain_greedy_decode": lambda r: {
        **dict(zip(("encoder", "decoder"), rnn.encoder_decoder(4, 5, r("u"), r("s"))[1:], strict=True)),
        **{"source": r.generator.integers(0, 4, (2, 3)), "start": 1, "end": 2, "max_length": r("m")},
    },
    "plain_mase": lambda r: {
        **{"y_true": r.array("n"), "y_pred": r.array("n"), "y_train": r.array(8), "period": r("p")},
    },
    "plain_timeseries_dataset_from_array": lambda r: {
        **{"data": r.array(20, "d"), "targets": r.array(r("n", 5, 20)), "sequence_length": r("t")},
        **{"sequence_stride": r("s"), "sampling_rate": r("r")},
    },
    # Capítulo 6, núcleo.
    "plain_multi_head_attention": lambda r: {
        **{"query": r.array("n", "t", "d"), "value": r.array("n", "s", "e")},
        "weights": [
            *(r.array("d", "h", "k"), r.array("h", "k"), r.array("e", "h", "k"), r.array("h", "k")),
            *(r.array("e", "h", "m"), r.array("h", "m"), r.array("h", "m", "d"), r.array("d")),
        ],
        "mask": r.generator.random((r("t"), r("s"))) < 0.7,
    },
    "plain_scaled_dot_product_attention": lambda r: {
        **{"query": r.array("n", "t", "d"), "key": r.array("n", "s", "d"), "value": r.array("n", "s", "m")},
        "mask": r.generator.random((r("t"), r("s"))) < 0.7,
    },
    "plain_scaled_dot_product_attention_backward": lambda r: {
        **{"query": r.array("n", "t", "d"), "key": r.array("n", "s", "d"), "value": r.array("n", "s", "m")},
        **{"weights": np.abs(r.array("n", "t", "s")), "dy": r.array("n", "t", "m")},
    },
    # Capítulo 6, bloques.
    "plain_layer_norm_forward": lambda r: {"x": r.array("n", "t", "d"), "gamma": r.array("d"), "beta": r.array("d")},
    "plain_layer_norm_backward": lambda r: {
        **{"x": r.array("n", "t", "d"), "gamma": r.array("d"), "dy": r.array("n", "t", "d"), "epsilon": 0.01},
    },
    "plain_transformer_block": lambda r: {
        **{
            "x": r.array("n", "t", "d"),
            "dy": r.array("n", "t", "d"),
            "sublayer": Dense(r("d"), "tanh", dtype="float64"),
        },
        **{"norm": attention.LayerNormalization(dtype="float64"), "normalize_first": bool(r.generator.integers(2))},
    },
    "plain_rms_norm_forward": lambda r: {"x": r.array("n", "t", "d"), "scale": r.array("d")},
    "plain_rms_norm_backward": lambda r: {
        **{"x": r.array("n", "t", "d"), "scale": r.array("d"), "root": 0.1 + np.abs(r.array("n", "t"))},
        "dy": r.array("n", "t", "d"),
    },
    # Capítulo 6, búsqueda.
    "plain_additive_scores": lambda r: {
        **{"query": r.array("n", "t", "d"), "key": r.array("n", "s", "d"), "scale": r.array("d")},
    },
    "plain_additive_scores_backward": lambda r: {
        **{"query": r.array("n", "t", "d"), "key": r.array("n", "s", "d"), "scale": r.array("d")},
        **{"dy": r.array("n", "t", "s")},
    },
    "plain_attend": lambda r: {
        **{"scores": r.array("n", "t", "s"), "value": r.array("n", "s", "d")},
        **{"mask": r.generator.random((r("n"), r("t"), r("s"))) < 0.7},
    },
    "plain_attend_backward": lambda r: {
        **{"weights": r.array("n", "t", "s"), "value": r.array("n", "s", "d"), "dy": r.array("n", "t", "d")},
    },
    "plain_cosine": lambda r: {"queries": r.array("t", "d"), "keys": r.array("n", "d")},
    "plain_bahdanau_translator": lambda r: {
        **{"source_tokens": 3, "target_tokens": r("t", 3, 6), "units": r("u")},
        **{"seed": r("s"), "dtype": "float64"},
    },
    "plain_nadaraya_watson": lambda r: {
        **{"x_train": r.array("n", "d"), "y_train": r.array("n", "m"), "x": r.array("t", "d"), "bandwidth": 0.7},
    },
    "plain_reread_decode": lambda r: {
        **{"model": attention.bahdanau_translator(4, 5, r("u"), r("s")), "source": r.generator.integers(0, 4, (2, 3))},
        **{"start": 1, "end": 2, "max_length": r("m")},
    },
    "plain_soft_lookup": lambda r: {
        **{"query": r.array("t", "d"), "keys": r.array("n", "d"), "values": r.array("n", "m")},
        **{"score": "cosine", "temperature": 0.5},
    },
    # Capítulo 6, posiciones.
    "plain_position_embedding": lambda r: {"table": r.array(r("t") + r("more"), "d"), "dy": r.array("n", "t", "d")},
    "plain_token_and_position_embedding": lambda r: {
        **{"tokens": r.generator.integers(0, r("v"), (3, r("t")))},
        **{"words": r.array("v", "d"), "places": r.array(r("t") + r("more"), "d")},
    },
    "plain_rotate": lambda r: {"x": r.array("n", "t", 2 * r("d")), "positions": r.array("t"), "scaling_factor": r("s")},
    "plain_rotate_backward": lambda r: {"positions": r.array("t"), "dy": r.array("n", "t", 2 * r("d"))},
    "plain_sine_positions": lambda r: {"positions": r.array("t"), "width": r("w"), "max_wavelength": r("l", 1, 9)},
    # Capítulo 6, GPT.
    "plain_beam_search": lambda r: {
        **{"step": scorer(r("seed")), "prompt": np.array([0]), "end": r("end", 0, 3), "width": r("width", 1, 6)},
        **{"max_length": r("long", 1, 5), "length_penalty": r("p", 0, 2) / 2},
    },
    "plain_cached_attention": lambda r: {
        **{name: r.array("h", "k") for name in ("query", "key", "value")},
        **{"keys": r.array(5, "h", "k"), "values": r.array(5, "h", "k"), "t": r("t", 0, 4)},
    },
    "plain_gpt": lambda r: {
        **{"vocabulary": r("v", 2, 5), "length": r("l", 3, 5), "width": 2 * r("h"), "heads": r("h"), "blocks": 1},
        **{"dropout": 0.5, "tied": bool(r("tied", 0, 1))},
    },
    "plain_nucleus": lambda r: {"logits": r.array("n", "k"), "p": 1 - r.generator.random()},
    "plain_split_heads": lambda r: {
        **{"qkv": r.array(4 * r("h"), 12 * r("h")), "qkv_bias": r.array(12 * r("h"))},
        **{"output": r.array(4 * r("h"), 4 * r("h")), "output_bias": r.array(4 * r("h")), "heads": r("h")},
    },
    # Capítulo 6, traducir.
    "plain_bleu": lambda r: {
        **{"translations": sentences(r, 3), "references": [sentences(r, 2) for _ in range(3)]},
        "longest": r("t"),
    },
    "plain_smoothed_crossentropy": lambda r: {
        **{"labels": r.generator.integers(0, r("k", 2, 6), r("n")), "logits": r.array("n", r("k"))},
        "smoothing": r.generator.random(),
    },
    "plain_translate": lambda r: {
        **dict(
            zip(
                ("encoder", "decoder"),
                attention.transformer_translator(5, 4, 2, 1, r("m"), seed=r("s"))[1:],
                strict=True,
            )
        ),
        **{"source": r.generator.integers(1, 5, (2, 3)), "start": 1, "end": 2, "max_length": r("t")},
    },
    # Capítulo 6, BERT y ViT.
    "plain_class_token": lambda r: {
        **{"x": r.array("n", "t", "d"), "token": r.array(1, 1, "d"), "dy": r.array("n", r("t") + 1, "d")},
    },
    "plain_bert": lambda r: {
        **{"vocabulary": r("v", 3, 6), "length": 5, "width": 4, "heads": 2, "blocks": r("b", 1, 2)},
        **{"dropout": 0.1, "seed": r("s"), "dtype": "float64"},
    },
    "plain_vit": lambda r: {
        **{"input_shape": (4, 2, r("c", 1, 3)), "classes": 3, "patch_size": 2, "width": 4, "heads": 2, "blocks": 1},
        **{"intermediate": r("m", 1, 9), "dropout": 0.1, "seed": r("s"), "dtype": "float64"},
    },
    "plain_mask_words": lambda r: {
        **{"ids": r.generator.integers(0, 9, (r("n"), r("t"))), "vocabulary": 9, "mask": 1, "first": 2},
        **{"rate": r.generator.random(), "seed": r("s")},
    },
    # Capítulo 6, costo.
    "plain_online_softmax": lambda r: {
        **{"scores": r.array("n", "s"), "value": r.array("s", "u"), "block": r("b", 1, 4)},
    },
    "plain_tiled_attention_forward": tiles,
    "plain_tiled_attention_backward": lambda r: {
        **tiles(r),
        **{"z": r.array("n", "t", "u"), "logsumexp": 3 + r.array("n", "t"), "dy": r.array("n", "t", "u")},
    },
}


def test_each_one_is_compared():
    assert set(ARGUMENTS) == set(FOUND) == {n for module in MODULES for n in vars(module) if n.startswith(PLAIN)}


def every(value):
    if isinstance(value, gradcheck.GradientReport):
        value = {p.name: (p.relative_error, p.ok) for p in value.parameters}
    if isinstance(value, dict):
        value = tuple(value.values())
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("name", FOUND)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_it_gives_the_same_as_what_runs(name, seed):
    plain, fast = FOUND[name]
    arguments = ARGUMENTS[name](Sizes(seed))
    expected, found = every(fast(**arguments)), every(plain(**arguments))
    assert len(expected) == len(found)
    for a, b in zip(expected, found, strict=True):
        assert np.shape(a) == np.shape(b)
        if np.asarray(a).dtype.kind == "U":
            assert a == b
        else:
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", FOUND)
def test_its_arguments_are_those_of_what_runs(name):
    plain, fast = (list(inspect.signature(f).parameters) for f in FOUND[name])
    assert plain == [name for name in fast if name in plain]


@pytest.mark.parametrize("name", FOUND)
def test_it_is_short_narrow_and_tagged(name):
    source = inspect.getsource(FOUND[name][0])
    lines = [line for line in source.splitlines() if line.strip() and '"""' not in line]
    assert 2 <= len(lines) <= GLANCE
    # La etiqueta se imprime en el margen.
    assert max(len(line.partition("  # [")[0]) for line in lines) <= 76
    assert "# [ec-" in source
