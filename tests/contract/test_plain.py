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
from chapters.cnn import (
    BatchNormalization,
    Branches,
    GridDetectionLoss,
    PartialConv2D,
    RadialBasis,
    RandomBrightness,
    RandomContrast,
    RandomRotation,
    RandomZoom,
    Residual,
    Resizing,
    ScaledTanh,
    SparseTopKCategoricalAccuracy,
    Subsampling2D,
    UpSampling1D,
    UpSampling2D,
    grid_encode,
)
from chapters.mlp import (
    L1L2,
    Activation,
    Add,
    CategoryEncoding,
    Concatenate,
    Dense,
    Dot,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GradientTape,
    Input,
    MeanAbsoluteError,
    MeanSquaredError,
    Model,
    Multiply,
    Normalization,
    RepeatVector,
    Rescaling,
    Sequential,
    Subtract,
    Value,
    activations,
    initializers,
    losses,
    metrics,
    neuron_loss,
    ops,
    optimizers,
    schedules,
)
from chapters.mlp.maxout import Maxout
from chapters.mlp.regularizers import OrthogonalRegularizer
from chapters.rnn import Embedding, Masking, SimpleRNN
from dlbook import gradcheck
from dlbook.callbacks import reduce_lr_on_plateau
from dlbook.sphinx.definitions import PLAIN, plain_name
from dlbook.sphinx.listing import GLANCE

MODULES = [
    gradcheck,
    reduce_lr_on_plateau,
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


def there_and_back(layer, x, dy, *weights):
    # Lo que sale, los gradientes de los pesos y el de cada entrada.
    if weights:
        layer.build(x.shape[1:])
        layer.set_weights(weights)
    y = layer.forward(x).copy()
    dx = layer.backward(dy)
    return (y, *layer.gradients, *(dx if isinstance(dx, list) else [dx]))


def measured(loss, y_true, y_pred):
    return loss(y_true, y_pred), loss.gradient(y_true, y_pred)


def used_as(cls, *names):
    # La firma de usar una clase: lo que recibe y, después, los argumentos con que se crea, en su orden.
    def signed(used):
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        every = [*names, *inspect.signature(cls).parameters]
        used.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in every])
        return used

    return signed


def up_sampling2d(x, dy, size):
    return there_and_back(UpSampling2D(size, interpolation="bilinear", dtype="float64"), x, dy)


def up_sampling1d(x, dy, size):
    return there_and_back(UpSampling1D(size, dtype="float64"), x, dy)


def random_contrast(x, dz, contrast):
    factor = 1 - contrast, contrast - 1
    layer = RandomContrast(factor, (-1e6, 1e6), dtype="float64")
    return layer(x).copy(), layer.backward(dz)


def resampled(x, height, width):
    return Resizing(height, width, dtype="float64")(x)


def random_brightness(x, factors, low, high):
    layer = RandomBrightness((-1, 1), (low, high), dtype="float64")
    layer.between = lambda *_: factors
    return layer(x, training=True)


def random_rotation(turns, h, w):
    layer = RandomRotation((-1, 1), dtype="float64")
    layer.between = lambda *_: turns
    return layer.draw(len(turns), h, w)


def random_zoom(x, height_factor, width_factor):
    ranges = (height_factor, height_factor), (width_factor, width_factor)
    return RandomZoom(*ranges, dtype="float64")(x)


def tied_autoencoder(x, w, b, c, dy):
    return there_and_back(TiedAutoencoder(w.shape[1], activation="tanh", dtype="float64"), x, dy, w, b, c)


def overlap_loss(y_true, y_pred, numbers):
    return measured(type("Own", (OverlapLoss,), {"numbers": numbers})(), y_true, y_pred)


def rescaling(x, scale, offset, dy):
    return there_and_back(Rescaling(scale, offset, dtype="float64"), x, dy)


def normalization(data, x, dy):
    layer = Normalization(dtype="float64")
    layer.adapt(data)
    return there_and_back(layer, x, dy)


def category_encoding(x, num_tokens, output_mode):
    return CategoryEncoding(num_tokens, output_mode).forward(x)


def divided(split):
    @functools.wraps(split)
    def used(**options):
        return tuple(array for part in split(**options) for array in part)

    return used


def value(loss, variable):
    loss.backward()
    return variable.gradient, loss.derivative(variable)


def gradient_tape(target, sources):
    tape = GradientTape()
    tape.mark = target.mark
    return tuple(tape.gradient(target, sources))


def matmul(x1, x2, dy):
    with GradientTape() as tape:
        y = ops.matmul(x1, x2)
    return (y.numpy(), *tape.gradient(y, [x1, x2], output_gradients=[dy]))


def graph(calls, x, w, dy):
    values, layer = [Input((len(w),))], Dense(len(w), use_bias=False)
    for _, _, sources in calls:
        given = [values[i] for i in sources]
        values.append(layer(*given) if len(given) == 1 else Add()(given))
    model = Model(values[0], values[-1], dtype="float64")
    model.set_weights([w])
    y, dx = model.forward(x), model.backward(dy)
    return y, layer.gradients[0], dx


def merged(kind):
    def used(x, dy):
        return there_and_back(kind(dtype="float64"), x, dy)

    return used


def concatenate(x, axis, dy):
    return there_and_back(Concatenate(axis, dtype="float64"), x, dy)


def dot(a, b, normalize, dy):
    return there_and_back(Dot(1, normalize, dtype="float64"), [a, b], dy)


def grid_detection_loss(y_true, y_pred, boxes, weights):
    return measured(GridDetectionLoss(boxes, *weights), y_true, y_pred)


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
    return there_and_back(ClassToken(dtype="float64"), x, dy, token)


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


def activated(cls):
    @used_as(cls, "z", "dy")
    def used(z, dy, **given):
        y, dz = np.empty_like(z), np.empty_like(z)
        function = cls(**given)
        function.forward(z, y)
        function.backward(z, y, dy, dz)
        return y, dz

    return used


def maxout(x, kernel, bias, dy):
    units = dy.shape[1]
    return there_and_back(Maxout(units, bias.size // units, dtype="float64"), x, dy, kernel, bias)


def variance_scaling(shape, scale, mode, distribution, seed):
    return initializers.VarianceScaling(scale, mode, distribution)(shape, "float64", seed)


def of_each(cls):
    # La pérdida de cada observación, y su gradiente.
    @used_as(cls, "y_true", "y_pred")
    def used(y_true, y_pred, **given):
        loss = cls(reduction="none", **given)
        return loss.call(y_true, y_pred), loss.gradient(y_true, y_pred)

    return used


def mean_loss(losses, sample_weight):
    return MeanAbsoluteError()(np.zeros_like(losses), losses, sample_weight)


def gaussian_noise(x, stddev, uniforms):
    layer = GaussianNoise(stddev, dtype="float64")
    layer.uniform = lambda buffer: uniforms
    return layer.forward(x, training=True)


def gaussian_dropout(x, rate, noise, dy):
    layer = GaussianDropout(rate, dtype="float64")
    layer.normal = lambda x: noise.copy()
    return layer.forward(x, training=True), layer.backward(dy)


def masking(x, mask_value, dy):
    layer = Masking(mask_value, dtype="float64")
    y = layer.forward(x)
    return layer.mask, y, layer.backward(dy)


def repeat_vector(x, n, dy):
    return there_and_back(RepeatVector(n, dtype="float64"), x, dy)


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
    return measured(SmoothedCrossentropy(smoothing), labels, logits)


def joined(translations, references, longest):
    texts = [" ".join(words) for words in translations]
    return attention.bleu(texts, [[" ".join(words) for words in several] for several in references], longest)


def penalty(cls):
    @used_as(cls, "w")
    def used(w, **given):
        return cls(**given)(w), cls(**given).gradient(w)

    return used


def metric(cls):
    @used_as(cls, "y_true", "y_pred")
    def used(y_true, y_pred, **given):
        return cls(**given)(y_true, y_pred)

    return used


def best_of(labels, scores, k):
    return SparseTopKCategoricalAccuracy(k)(labels, scores)


def dropout(x, rate, coins, dy):
    layer = Dropout(rate, dtype="float64")
    layer.uniform = lambda out: coins.copy()
    return layer.forward(x, training=True), layer.backward(dy)


def residual(x, main, shortcut, activation, dy):
    y, *_, dx = there_and_back(Residual(main, shortcut, activation.activation, dtype="float64"), x, dy)
    return y, dx


def branches(x, branches, dy):
    y, *_, dx = there_and_back(Branches(branches, dtype="float64"), x, dy)
    return y, dx


def partial_conv2d(x, table, kernel, bias, dy):
    return there_and_back(PartialConv2D(table, len(kernel), dtype="float64"), x, dy, kernel, bias)


def radial_basis(x, prototypes, dy):
    return there_and_back(RadialBasis(prototypes, dtype="float64"), x, dy)


def subsampling2d(x, k, a, b, dy):
    return there_and_back(Subsampling2D(k, dtype="float64"), x, dy, a, b)


def step_of(cls, *slots):
    # Un optimizador da un paso: mueve los pesos y lo que recuerda, que aquí se le da con los nombres de la fórmula.
    @used_as(cls, "theta", "gradient", *slots, "t")
    def used(theta, gradient, t=1, **given):
        state = [given.pop(name).copy() for name in slots]
        optimizer, theta = cls(**given), theta.copy()
        optimizer.iterations, optimizer.state = t - 1, dict(zip(optimizer._slots(), state, strict=True))
        optimizer.step(theta, gradient)
        return theta, *optimizer.state.values()

    return used


def averaged(theta, gradient, average, rule, learning_rate, weight_decay, ema_momentum):
    optimizer, theta = optimizers.SGD(learning_rate, 0.0, False, weight_decay, use_ema=True), theta.copy()
    optimizer.iterations, optimizer.state, optimizer.ema_momentum = 1, {"average": average.copy()}, ema_momentum
    optimizer.step(theta, gradient)
    return theta, optimizer.state["average"]


def plateau(losses, rate, factor, patience, min_lr):
    model = Sequential([Dense(1)])
    model.compile(optimizers.SGD(rate), "mse")
    watcher = reduce_lr_on_plateau.ReduceLROnPlateau("loss", factor, patience, min_delta=0.0, min_lr=min_lr)
    watcher.set_model(model)
    watcher.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        watcher.on_epoch_end(epoch, {"loss": loss})
        rates.append(model.optimizer.learning_rate)
    return rates


def schedule_of(cls):
    @used_as(cls, "step")
    def used(step, **given):
        return cls(**given)(step)

    return used


ACTIVATIONS = (
    *(activations.Step, activations.Sigmoid, activations.Tanh, activations.ReLU, activations.Softplus),
    *(activations.SiLU, activations.Mish, activations.SELU, activations.LogSigmoid, activations.LeakyReLU),
    *(activations.ELU, activations.GELU, activations.Softmax, activations.LogSoftmax, ScaledTanh),
)
LOSSES = (
    *(losses.MeanSquaredError, losses.MeanAbsoluteError, losses.BinaryCrossentropy, losses.CategoricalCrossentropy),
    *(losses.SparseCategoricalCrossentropy, losses.BinaryFocalCrossentropy, losses.CategoricalFocalCrossentropy),
)
METRICS = (
    *(metrics.Accuracy, metrics.BinaryAccuracy, metrics.CategoricalAccuracy, metrics.SparseCategoricalAccuracy),
    *(metrics.AUC, metrics.FBetaScore, metrics.R2Score),
)
# Con el nombre que tiene en la fórmula cada cosa que recuerdan.
OPTIMIZERS = {
    optimizers.Adadelta: "ad",
    optimizers.Adagrad: "a",
    optimizers.Adam: "mv",
    optimizers.Adamax: "mu",
    optimizers.Lion: "m",
    optimizers.Nadam: "mv",
    optimizers.RMSprop: "v",
    optimizers.SGD: "v",
}
# Una clase se compara usándola.
USED = {
    **{plain_name(cls.__name__): schedule_of(cls) for cls in schedules.CLASSES},
    **{plain_name(cls.__name__): activated(cls) for cls in ACTIVATIONS},
    **{plain_name(cls.__name__): of_each(cls) for cls in LOSSES},
    **{plain_name(cls.__name__): metric(cls) for cls in METRICS},
    **{plain_name(cls.__name__): penalty(cls) for cls in (L1L2, OrthogonalRegularizer)},
    **{plain_name(cls.__name__): merged(cls) for cls in (Add, Subtract, Multiply)},
    **{plain_name(cls.__name__): step_of(cls, *slots) for cls, slots in OPTIMIZERS.items()},
    "plain_io_u": metric(functools.partial(metrics.IoU, 4)),
    "plain_autoregression": autoregression,
    "plain_batch_normalization": batch_normalization,
    "plain_bleu": joined,
    "plain_branches": branches,
    "plain_category_encoding": category_encoding,
    "plain_class_token": class_token,
    "plain_concatenate": concatenate,
    "plain_dot": dot,
    "plain_dropout": dropout,
    "plain_gaussian_dropout": gaussian_dropout,
    "plain_gaussian_noise": gaussian_noise,
    "plain_masking": masking,
    "plain_gradient_tape": gradient_tape,
    "plain_graph": graph,
    "plain_grid_detection_loss": grid_detection_loss,
    "plain_loss": mean_loss,
    "plain_matmul": matmul,
    "plain_maxout": maxout,
    "plain_multi_head_attention": multi_head_attention,
    "plain_normalization": normalization,
    "plain_optimizer": averaged,
    "plain_overlap_loss": overlap_loss,
    "plain_partial_conv2d": partial_conv2d,
    "plain_position_embedding": position_embedding,
    "plain_radial_basis": radial_basis,
    "plain_random_brightness": random_brightness,
    "plain_random_contrast": random_contrast,
    "plain_random_rotation": random_rotation,
    "plain_random_zoom": random_zoom,
    "plain_reduce_lron_plateau": plateau,
    "plain_repeat_vector": repeat_vector,
    "plain_resampled": resampled,
    "plain_rescaling": rescaling,
    "plain_residual": residual,
    "plain_sampling": sampling,
    "plain_smoothed_crossentropy": smoothed,
    "plain_sparse_top_kcategorical_accuracy": best_of,
    "plain_subsampling2d": subsampling2d,
    "plain_tied_autoencoder": tied_autoencoder,
    "plain_timeseries_dataset_from_array": windows,
    "plain_token_and_position_embedding": token_and_position_embedding,
    "plain_transformer_block": transformer_block,
    "plain_up_sampling1d": up_sampling1d,
    "plain_up_sampling2d": up_sampling2d,
    "plain_value": value,
    "plain_variance_scaling": variance_scaling,
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
    "plain_train_validation_test_split": divided,
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


def tiled(r):
    h, w = r("rows", 6, 12), r("columns", 6, 12)
    return {"x": r.array("n", h, w, "c"), "kernel": r.array(3, 3, "c", "f")}


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


def built(r, activation=None):
    layer = Dense(r("m"), activation, seed=r("seed", 0, 99), dtype="float64")
    layer.build((r("d"),))
    return layer


def letters_model(letters, seed):
    hidden = SimpleRNN(3, return_sequences=True)
    layers = [Input((None,)), Embedding(letters, 2), hidden, Dense(letters)]
    return Sequential(layers, seed=seed, dtype="float64")


def layers(r):
    first = {"x": r.array("d"), "y": r.array("m"), "W1": r.array("d", "h"), "b1": r.array("h")}
    return first | {"W2": r.array("h", "m"), "b2": r.array("m")}


def bent(r):
    return {"z": 3 * r.array("n", "d"), "dy": r.array("n", "d")}


def answers(r, y_true):
    logits = bool(r("logits", 0, 1))
    scores = 3 * r.array("n", "d")
    return {"y_true": y_true, "y_pred": scores if logits else 1 / (1 + np.exp(-scores)), "from_logits": logits}


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


def expression(r):
    a, b, c = (Value(number) for number in r.array(3))
    u = a * b + c.tanh()
    return {"loss": (u * a - b) ** 2 + u.exp(), "variable": [a, b, c][r("k", 0, 2)]}


def recorded(r):
    x, w, b = r.array("n", "d"), r.array("d", "m"), r.array("m")
    with GradientTape() as tape:
        sources = [tape.watch(array) for array in (x, w, b)]
        target = ops.sum(ops.tanh(sources[0] @ sources[1] + sources[2]) * sources[2])
    return {"target": target, "sources": sources}


def forked(r):
    dense = lambda w, x: x @ w, lambda dy, w, x: (x.T @ dy, dy @ w.T)
    add = lambda w, a, b: a + b, lambda dy, w, a, b: (0.0, dy, dy)
    # La última reúne lo de las anteriores.
    sources = [[0], [1], [r("k", 0, 2)], [2, 3]]
    calls = [(*(dense if len(several) == 1 else add), several) for several in sources]
    return {"calls": calls, "x": r.array("n", "d"), "w": r.array("d", "d"), "dy": r.array("n", "d")}


def boxes(r, n):
    corners = np.sort(r.generator.random((n, 2, 2)), axis=1)
    return corners.reshape(n, 4)


def grid_loss(r):
    grid, several = r("s", 1, 4), r("boxes")
    there, kinds = [boxes(r, 2) for _ in range(r("n"))], [r.generator.integers(0, 3, 2) for _ in range(r("n"))]
    y_pred = r.generator.random((r("n"), grid, grid, 5 * several + 3))
    weights = {"weights": (5 * r.generator.random(), r.generator.random())}
    return {"y_true": grid_encode(there, kinds, grid, 3), "y_pred": y_pred, "boxes": several} | weights


def asked(r):
    shape = r("h"), r("w"), r("c")
    model = Sequential([Input(shape), Flatten(), Dense(3, "tanh"), Dense(2)], seed=r("seed"), dtype="float64")
    return {"model": model, "x": r.array("n", *shape), "classes": r.generator.integers(0, 2, r("n"))}


def moved(r, *slots):
    vectors = {name: r.array("p") for name in ("theta", "gradient")}
    return vectors | {name: r.array("p") ** 2 for name in slots} | {"learning_rate": r.generator.random()}


def averaging(r, *slots, numbered=True):
    betas = {"beta_1": 0.9 * r.generator.random(), "beta_2": 0.5 + 0.4 * r.generator.random()}
    given = moved(r, *slots) | betas | ({"t": r("t", 1, 9), "epsilon": 0.01} if numbered else {})
    return given


def scheduled(r):
    rate = r.generator.random()
    return {"step": r("step", 0, 30), "initial_learning_rate": rate, "decay_steps": r("d", 1, 20)}


def neuron(r):
    return {"theta": r.array(r("d") + 1), "x": r.array("n", "d"), "y": r.array("n")}


# Con qué argumentos se compara cada una.
ARGUMENTS = {
    # Capítulo 3, qué ven los filtros.
    "plain_saliency": asked,
    "plain_occlusion": lambda r: asked(r) | {"size": r("size", 0, 2) * 2 + 1, "fill_value": r.generator.random()},
    # Introducción.
    "plain_count_parameters": lambda r: {"sizes": [r("n"), r("m"), r("k")]},
    "plain_depth": lambda r: {"activations": ["linear", "relu", "tanh"][: r("k", 1, 3)]},
    "plain_hand_features": lambda r: {"images": r.generator.random((r("n"), r("h", 4, 9), r("w", 8, 12)))},
    "plain_nearest_mean": lambda r: {
        **{"x_train": r.array("n", "d"), "y_train": r.generator.integers(0, 3, r("n")), "x_test": r.array("m", "d")},
    },
    "plain_pca": lambda r: {"x": r.array(r("n", 2, 6), r("d", 1, 5)), "k": r("k", 1, min(r("n"), r("d")))},
    "plain_sawtooth": lambda r: {"x": r.generator.random(r("n")), "layers": r("k", 1, 8)},
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
    # Capítulo 1.
    "plain_mcculloch_pitts": lambda r: {
        "excitatory": r.generator.integers(0, 2, (r("n"), r("m"))),
        "inhibitory": r.generator.integers(0, 2, (r("n"), r("k", 1, 2))),
        "threshold": r("threshold", 0, 4),
    },
    "plain_weighted_sum": lambda r: {"x": r.array("n", "d"), "w": r.array("d"), "b": float(r.generator.normal())},
    "plain_dot_product": lambda r: {"x": r.array("d"), "y": r.array("d")},
    "plain_cosine_similarity": lambda r: {"x": r.array("d"), "y": r.array("d")},
    "plain_euclidean_distance": lambda r: {"x": r.array("d"), "y": r.array("d")},
    "plain_matrix_product": lambda r: {"a": r.array("m", "p"), "b": r.array("p", "n")},
    "plain_threshold_curve": lambda r: {
        "y": np.append(r.generator.integers(0, 2, r("n", 1, 9)), 1),
        "score": r.array(1 + r("n")).round(),
    },
    "plain_search_weights": lambda r: {
        "x": r.array("n", "d"),
        "y": r.generator.integers(0, 2, r("n")),
        "values": r.array("k"),
    },
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
    "plain_random_brightness": lambda r: {
        **{"x": images(r), "factors": r.generator.uniform(-1, 1, len(images(r)))},
        **{"low": -1.0, "high": 1.0},
    },
    "plain_random_rotation": lambda r: {"turns": r.array("n"), "h": r("h"), "w": r("w")},
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
    # Capítulo 3, Winograd.
    "plain_winograd_matrices": lambda r: {
        "points": r.generator.permutation([0, 1, -1, 2, -2, 0.5])[: r("k", 2, 6)],
        "taps": r("taps", 1, 3),
    },
    "plain_winograd_forward": lambda r: tiled(r) | {"bias": r.array("f")},
    "plain_winograd_backward": lambda r: (
        tiled(r) | {"dy": r.array(r("n"), r.known["rows"] - 2, r.known["columns"] - 2, "f")}
    ),
    "plain_conv2d_transpose_forward": lambda r: transposed(r) | {"bias": r.array("f")},
    "plain_conv2d_transpose_backward": lambda r: transposed(r) | {"dy": painted(r)},
    # Capítulo 2, métricas.
    "plain_auc": lambda r: {
        **{"y_true": np.arange(20) % 2, "y_pred": r.generator.random(20)},
        **{"num_thresholds": r("m", 2, 30), "curve": ["ROC", "PR"][r("curve", 0, 1)]},
    },
    "plain_accuracy": lambda r: dict(zip(("y_true", "y_pred"), r.generator.integers(0, 3, (2, 4)), strict=True)),
    "plain_binary_accuracy": lambda r: {
        **{"y_true": r.generator.integers(0, 2, (r("n"), r("m"))), "y_pred": r.array("n", "m")},
        **{"threshold": r.generator.normal()},
    },
    "plain_categorical_accuracy": lambda r: {"y_true": np.eye(4)[[0, 3, 1]], "y_pred": r.array(3, 4)},
    "plain_fbeta_score": lambda r: {
        **{"y_true": r.generator.integers(0, 2, (r("n"), r("m"))), "y_pred": r.generator.random((r("n"), r("m")))},
        **{"beta": 0.1 + r.generator.random(), "threshold": 0.1 + 0.8 * r.generator.random()},
    },
    "plain_io_u": lambda r: {
        **{name: r.generator.integers(0, 4, r("n")) for name in ("y_true", "y_pred")},
        "target_class_ids": [0, 2, 3],
    },
    "plain_r2score": lambda r: {"y_true": r.array(5, "m"), "y_pred": r.array(5, "m")},
    "plain_sparse_categorical_accuracy": lambda r: {
        **{"y_true": r.generator.integers(0, 4, r("n")), "y_pred": r.array("n", 4)},
    },
    # Capítulo 2, regularizar.
    "plain_dropout": lambda r: {
        **{"x": r.array("n", "d"), "rate": 0.9 * r.generator.random()},
        **{"coins": r.generator.random((r("n"), r("d"))), "dy": r.array("n", "d")},
    },
    "plain_l1l2": lambda r: {"w": r.array("n", "d"), "l1": r.generator.random(), "l2": r.generator.random()},
    "plain_orthogonal_regularizer": lambda r: {"w": r.array(1 + r("n"), "d"), "factor": r.generator.random()},
    # Capítulo 2, datos.
    "plain_one_hot": lambda r: {
        "values": list(r.generator.choice(["sol", "nube", "lluvia"], r("n"))),
        "categories": ["sol", "nube", "lluvia"],
    },
    "plain_min_max": lambda r: {"x": r.array("n", "d"), "reference": r.array(r("m", 2, 9), "d")},
    "plain_class_proportions": lambda r: {"y": r.generator.integers(0, 3, r("n"))},
    "plain_class_weights": lambda r: {"y": r.generator.integers(0, 3, r("n"))},
    "plain_train_validation_test_split": lambda r: {
        **{"x": r.array(r("n", 10, 20), "d"), "y": r.generator.integers(0, 3, r("n"))},
        **{"fractions": [0.5, 0.3, 0.2], "seed": r("seed", 0, 99)},
    },
    "plain_normalize": lambda r: {"x": r.array("n", "d"), "axis": r("axis", 0, 1), "order": r("order", 1, 3)},
    "plain_rescaling": lambda r: {
        **{"x": r.array("n", "d"), "scale": float(r.array(1)[0]), "offset": float(r.array(1)[0])},
        "dy": r.array("n", "d"),
    },
    "plain_normalization": lambda r: {
        **{"data": r.array(r("m", 5, 9), "d"), "x": r.array("n", "d"), "dy": r.array("n", "d")},
    },
    "plain_category_encoding": lambda r: {
        "x": r.generator.integers(0, 4, (r("n"), r("d"))),
        "num_tokens": 4,
        "output_mode": ["count", "multi_hot"][r("mode", 0, 1)],
    },
    # Capítulo 2, grafo y cinta.
    "plain_value": expression,
    "plain_gradient_tape": recorded,
    "plain_undo_broadcast": lambda r: {
        "gradient": r.array("n", "d", "m"),
        "x": r.array(*[("d", "m"), (1, "m")][r("k", 0, 1)]),
    },
    "plain_matmul": lambda r: {"x1": r.array("n", "d"), "x2": r.array("d", "m"), "dy": r.array("n", "m")},
    # Capítulo 2, ramas.
    "plain_graph": forked,
    "plain_add": lambda r: {"x": [r.array("n", "d") for _ in range(r("k", 2, 4))], "dy": r.array("n", "d")},
    "plain_subtract": lambda r: {"x": [r.array("n", "d") for _ in range(2)], "dy": r.array("n", "d")},
    "plain_multiply": lambda r: {"x": [r.array("n", "d") for _ in range(r("k", 2, 4))], "dy": r.array("n", "d")},
    "plain_concatenate": lambda r: {
        **{"x": [r.array("n", "a"), r.array("n", "b")], "axis": 1, "dy": r.array("n", r("a") + r("b"))},
    },
    "plain_dot": lambda r: {
        **{"a": r.array("n", "d"), "b": r.array("n", "d"), "normalize": bool(r("k", 0, 1)), "dy": r.array("n", 1)},
    },
    # Capítulo 3, detección.
    "plain_iou": lambda r: {"boxes": boxes(r, r("n")), "others": boxes(r, r("m"))},
    "plain_grid_encode": lambda r: {
        **{"boxes": [boxes(r, r(k)) for k in "nm"], "classes": [r.generator.integers(0, 3, r(k)) for k in "nm"]},
        **{"grid": r("s", 1, 5), "num_classes": 3},
    },
    "plain_grid_detection_loss": grid_loss,
    "plain_average_precision": lambda r: {
        "found": [(boxes(r, r(k, 1, 6)), r.generator.random(r(k))) for k in "nm"],
        "truth": [boxes(r, r(k)) for k in "ab"],
        "threshold": 0.3 * r.generator.random(),
    },
    # Capítulo 3, arquitecturas.
    "plain_branches": lambda r: {
        **{"x": r.array("n", "d"), "branches": [built(r, "relu"), built(r)], "dy": r.array("n", 2 * r("m"))},
    },
    "plain_partial_conv2d": lambda r: {
        **{"x": r.array("n", 5, 4, 3), "table": [(0,), (1, 2), (0, 1, 2)], "kernel": r.array(2, 2, 6)},
        **{"bias": r.array(3), "dy": r.array("n", 4, 3, 3)},
    },
    "plain_radial_basis": lambda r: {"x": r.array("n", "d"), "prototypes": r.array("k", "d"), "dy": r.array("n", "k")},
    "plain_scaled_tanh": lambda r: {
        **{"z": r.array("n", "d"), "dy": r.array("n", "d"), "scale": 1 + r.generator.random(), "slope": 0.7},
    },
    "plain_sparse_top_kcategorical_accuracy": lambda r: {
        **{"labels": r.generator.integers(0, r("c", 2, 6), r("n")), "scores": r.array("n", r("c"))},
        "k": r("k"),
    },
    "plain_subsampling2d": lambda r: {
        **{"x": r.array("n", r("h") * r("k"), r("w") * r("k"), "c"), "k": r("k"), "a": r.array("c"), "b": r.array("c")},
        "dy": r.array("n", "h", "w", "c"),
    },
    "plain_residual": lambda r: {
        **{"x": r.array("n", "d"), "main": built(r, "relu"), "shortcut": built(r)},
        **{"activation": Activation("tanh", dtype="float64"), "dy": r.array("n", "m")},
    },
    # Capítulo 2, activaciones.
    **dict.fromkeys(
        (
            *("plain_step", "plain_sigmoid", "plain_tanh", "plain_re_lu", "plain_softplus"),
            *("plain_si_lu", "plain_mish", "plain_selu", "plain_log_sigmoid"),
        ),
        bent,
    ),
    "plain_leaky_re_lu": lambda r: bent(r) | {"negative_slope": r.generator.random()},
    "plain_elu": lambda r: bent(r) | {"alpha": r.generator.random()},
    "plain_gelu": lambda r: bent(r) | {"approximate": bool(r("approximate", 0, 1))},
    "plain_softmax": lambda r: {"z": r.array("n", "k"), "dy": r.array("n", "k"), "axis": -1},
    "plain_log_softmax": lambda r: {"z": r.array("n", "t", "k"), "dy": r.array("n", "t", "k"), "axis": r("axis", 1, 2)},
    "plain_maxout": lambda r: {
        **{"x": r.array("n", "d"), "kernel": r.array("d", r("k") * r("m")), "bias": r.array(r("k") * r("m"))},
        "dy": r.array("n", "m"),
    },
    "plain_variance_scaling": lambda r: {
        **{"shape": (r("d"), r("m")), "scale": 0.1 + r.generator.random(), "seed": r("seed", 0, 99)},
        "mode": r.generator.choice(["fan_in", "fan_out", "fan_avg"]).item(),
        "distribution": r.generator.choice(["uniform", "truncated_normal", "untruncated_normal"]).item(),
    },
    # Capítulo 2, pérdidas.
    "plain_loss": lambda r: {"losses": np.abs(r.array("n")), "sample_weight": r.generator.random(r("n"))},
    "plain_mean_squared_error": lambda r: {"y_true": r.array("n", "d"), "y_pred": r.array("n", "d")},
    "plain_mean_absolute_error": lambda r: {"y_true": r.array("n", "d"), "y_pred": r.array("n", "d")},
    "plain_binary_crossentropy": lambda r: answers(r, r.generator.integers(0, 2, (r("n"), r("d"))).astype(float)),
    "plain_categorical_crossentropy": lambda r: answers(
        r, np.eye(r("d", 2, 5))[r.generator.integers(0, r("d"), r("n"))]
    ),
    "plain_sparse_categorical_crossentropy": lambda r: answers(r, r.generator.integers(0, r("d", 2, 5), r("n"))),
    "plain_binary_focal_crossentropy": lambda r: {
        **{"y_true": r.generator.integers(0, 2, (r("n"), r("d"))).astype(float)},
        **{"y_pred": 0.01 + 0.98 * r.generator.random((r("n"), r("d"))), "gamma": float(r("gamma", 0, 3))},
    },
    "plain_categorical_focal_crossentropy": lambda r: {
        **{"y_true": np.eye(r("d", 2, 5))[r.generator.integers(0, r("d"), r("n"))]},
        **{"y_pred": 0.01 + r.generator.random((r("n"), r("d"))), "alpha": r.generator.random()},
        "gamma": float(r("gamma", 0, 3)),
    },
    "plain_gaussian_dropout": lambda r: {
        **{"x": r.array("n", "d"), "rate": 0.1 + 0.8 * r.generator.random()},
        **{"noise": r.array("n", "d"), "dy": r.array("n", "d")},
    },
    "plain_gaussian_noise": lambda r: {
        **{"x": r.array("n", "d"), "stddev": r.generator.random()},
        "uniforms": r.generator.random((r("n"), 2, (r("d") + 1) // 2)),
    },
    "plain_repeat_vector": lambda r: {"x": r.array("n", "d"), "n": r("t"), "dy": r.array("n", "t", "d")},
    "plain_feedforward": lambda r: {
        **{"x": r.array("n", "d"), "weights": [r.array("d", "h"), r.array("h", "m")]},
        **{"biases": [r.array("h"), r.array("m")], "activations": [np.tanh, None]},
    },
    "plain_collapse": lambda r: {
        "weights": [r.array("d", "h"), r.array("h", "k"), r.array("k", "m")],
        "biases": [r.array("h"), r.array("k"), r.array("m")],
    },
    "plain_prelu_forward": lambda r: {"x": r.array("n", "d", "c"), "alpha": r.array(1, "c")},
    "plain_prelu_backward": lambda r: {
        **{"x": r.array("n", "d", "c"), "alpha": r.array(1, "c"), "dy": r.array("n", "d", "c")},
    },
    "plain_exp": lambda r: {"x": -20 * r.generator.random()},
    "plain_log": lambda r: {"x": 20 * r.generator.random()},
    "plain_log1p": lambda r: {"x": r.generator.random()},
    # Capítulo 3, imágenes que se mueven.
    "plain_affine_transform": lambda r: {
        **{"images": r.array("n", "h", "w", "c"), "transform": r.array(2, 3) * [1, 1, 3]},
        "fill_value": r.generator.normal(),
    },
    # Capítulo 2, descenso y optimizadores.
    "plain_neuron_loss": lambda r: neuron(r) | {"loss": MeanSquaredError()},
    "plain_gradient_descent": lambda r: {
        **{"f": lambda theta: (theta @ theta, 2 * theta), "theta": r.array("d"), "learning_rate": 0.2},
        **{"tolerance": 0.1 * r("tolerance", 0, 1), "max_steps": r("steps", 0, 20)},
    },
    "plain_stochastic_gradient_descent": lambda r: {
        **{"f": functools.partial(neuron_loss, loss=MeanSquaredError()), **neuron(r), "learning_rate": 0.01},
        **{"steps": r("steps", 0, 9), "seed": r("seed", 0, 99)},
    },
    "plain_minibatch_gradient_descent": lambda r: {
        **{"f": functools.partial(neuron_loss, loss=MeanSquaredError()), **neuron(r), "batch_size": r("b")},
        **{"learning_rate": 0.01, "epochs": r("epochs", 0, 3), "seed": r("seed", 0, 99)},
    },
    "plain_clip_by_value": lambda r: {"gradient": r.array("p"), "limit": r.generator.random()},
    "plain_clip_by_global_norm": lambda r: {"gradient": r.array("p"), "limit": 3 * r.generator.random()},
    "plain_optimizer": lambda r: {
        **moved(r, "average"),
        **{"rule": lambda theta, gradient, rate: theta - rate * gradient, "weight_decay": r.generator.random()},
        "ema_momentum": r.generator.random(),
    },
    "plain_sgd": lambda r: (
        moved(r, "v") | {"momentum": 0.1 + 0.8 * r.generator.random(), "nesterov": bool(r("nesterov", 0, 1))}
    ),
    "plain_adagrad": lambda r: moved(r, "a") | {"epsilon": 0.01},
    "plain_rmsprop": lambda r: moved(r, "v") | {"rho": r.generator.random(), "epsilon": 0.01},
    "plain_adadelta": lambda r: moved(r, "a", "d") | {"rho": r.generator.random(), "epsilon": 0.01},
    "plain_adam": lambda r: averaging(r, "m", "v"),
    "plain_adamax": lambda r: averaging(r, "m", "u"),
    "plain_nadam": lambda r: averaging(r, "m", "v"),
    "plain_lion": lambda r: averaging(r, "m", numbered=False),
    "plain_exponential_decay": lambda r: scheduled(r) | {"decay_rate": r.generator.random()},
    "plain_inverse_time_decay": lambda r: scheduled(r) | {"decay_rate": r.generator.random()},
    "plain_polynomial_decay": lambda r: scheduled(r) | {"end_learning_rate": 0.01, "power": r("power", 1, 3)},
    "plain_piecewise_constant_decay": lambda r: {
        "step": r("step", 0, 9),
        **{"boundaries": [2, 5, 7], "values": list(r.array(4) ** 2)},
    },
    "plain_cosine_decay": lambda r: {
        **scheduled(r),
        **{"alpha": r.generator.random(), "warmup_target": r.generator.random(), "warmup_steps": r("warmup", 0, 9)},
    },
    "plain_cosine_decay_restarts": lambda r: {
        **{"step": r("step", 0, 99), "initial_learning_rate": r.generator.random(), "first_decay_steps": r("d", 1, 9)},
        **{"t_mul": 1 + r("t", 0, 4) / 4, "m_mul": r.generator.random(), "alpha": r.generator.random()},
    },
    "plain_reduce_lron_plateau": lambda r: {
        **{"losses": r.generator.integers(0, 9, r("n", 1, 20)).tolist(), "rate": 0.1 + r.generator.random()},
        **{"factor": 0.5, "patience": r("patience"), "min_lr": 0.05 * r("m", 0, 1)},
    },
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
    # Capítulo 5, texto.
    "plain_learn_merges": lambda r: {
        "words": {"".join(r.generator.choice(list("abñ"), r("w", 1, 7))): r("n") for _ in range(5)},
        "tokens": r("tokens", 0, 9),
    },
    "plain_witten_bell": lambda r: {
        "counts": np.maximum(r.array("k").round(), 0),
        "shorter": share(r.array("k")),
    },
    # Capítulo 5, máscaras.
    "plain_masking": lambda r: {
        **{"x": r.generator.integers(0, 2, (r("n"), r("t"), r("d"))).astype(float), "mask_value": 0.0},
        "dy": r.array("n", "t", "d"),
    },
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
    own = {(n, value.__module__) for module in MODULES for n, value in vars(module).items() if n.startswith(PLAIN)}
    # Dos con el mismo nombre se taparían.
    assert sorted(ARGUMENTS) == sorted(FOUND) == sorted(n for n, _ in own)


def every(value):
    if isinstance(value, gradcheck.GradientReport):
        value = {p.name: (p.relative_error, p.ok) for p in value.parameters}
    if isinstance(value, dict):
        value = tuple(value.values())
    value = tuple(value) if isinstance(value, list) else value
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
