"""Un ejemplar, o varios, de cada clase que existe: de aquí salen las pruebas del contrato.

Quien escribe una capa, una pérdida, un optimizador… la apunta en la tabla de su especie, con los argumentos que
importan; desde entonces la prueban todos los archivos de esta carpeta. Si no está en Keras, se dice además por qué. Los
números de Keras están en ``tests/reference/contract.json`` y los escribe ``make_contract_reference.py``.
"""

import inspect
import re
from dataclasses import dataclass, field

import numpy as np
import pytest

import chapters  # noqa: F401  (el paquete dice que trae clases)
from dlbook import registry
from dlbook.training import walk
from tests.contract.fed import Fed

registry.import_everything()


@dataclass(frozen=True)
class Case:
    """Una clase, los argumentos con que se crea y, si es una capa, la forma de una observación."""

    kind: str
    name: str
    shape: tuple | None = None
    arguments: dict = field(default_factory=dict)
    # Cuántas entradas, si la capa recibe varias, todas de esa forma.
    parts: int = 1

    @property
    def cls(self):
        return registry.classes(self.kind)[self.name]

    def make(self, **options):
        """Crea un ejemplar; los casos que haya entre los argumentos se crean también."""
        return self.cls(**{name: made(value) for name, value in (self.arguments | options).items()})

    def fed(self, **options):
        """Una capa de una entrada: si la suya recibe varias, otra que se las da."""
        if self.parts == 1:
            return self.make(**options)
        own = {name: value for name, value in options.items() if name in self.arguments}
        rest = {name: value for name, value in options.items() if name not in own}
        return Fed(self.make(**own), self.parts, **rest)

    @property
    def received(self):
        """La forma de lo que recibe, o la lista, si son varias cosas."""
        return self.shape if self.parts == 1 else [self.shape] * self.parts

    def __repr__(self):
        shape = f"{self.parts} × {self.shape}" if self.parts > 1 else str(self.shape)
        arguments = [*([shape] if self.shape else []), *(f"{k}={v!r}" for k, v in self.arguments.items())]
        # Sin la dirección de una función, que en cada proceso es otra.
        return re.sub(" at 0x[0-9a-f]+", "", f"{self.name}({', '.join(arguments)})")


def made(value):
    if isinstance(value, Case):
        return value.make()
    return type(value)(map(made, value)) if isinstance(value, (list, tuple)) else value


def layer(name, shape=None, **arguments):
    return Case("layer", name, shape, arguments)


def merging(name, shape, parts=2, **arguments):
    return Case("layer", name, shape, arguments, parts)


def of(kind, name, **arguments):
    return Case(kind, name, None, arguments)


DENSE = layer("Dense", units=3, activation="tanh")
NARROW = layer("Dense", units=1)
NORMALIZED = [
    layer("Conv2D", filters=2, kernel_size=2, padding="same", use_bias=False),
    layer("BatchNormalization", momentum=0.9),
    layer("Activation", activation="tanh"),
]

LAYERS = [
    layer("Activation", (5,), activation="softmax"),
    layer("Activation", (2, 3), activation="elu"),
    layer("Activation", (4,), activation="linear"),
    merging("Add", (4,), parts=3),
    merging("Add", (2, 3)),
    merging("Average", (2, 3), parts=3),
    layer("AveragePooling1D", (5, 2), pool_size=2),
    layer("AveragePooling1D", (7, 2), pool_size=3, strides=2, padding="same"),
    layer("AveragePooling2D", (5, 4, 2), pool_size=2),
    layer("AveragePooling2D", (4, 5, 2), pool_size=(3, 2), strides=(2, 3), padding="same"),
    layer("BatchNormalization", (3,)),
    layer(
        "BatchNormalization", (2, 3), momentum=0.7, epsilon=0.01, gamma_regularizer="l2", gamma_constraint="max_norm"
    ),
    layer("BatchNormalization", (3, 2, 4), axis=1, scale=False),
    layer("BatchNormalization", (2, 2, 3), center=False, moving_mean_initializer="ones"),
    layer(
        "Branches", (4,), branches=[DENSE, [layer("Dense", units=3), NARROW], layer("Activation", activation="tanh")]
    ),
    layer(
        "Branches",
        (3, 3, 2),
        branches=[
            layer("Conv2D", filters=2, kernel_size=1),
            [layer("Branches", branches=[layer("Conv2D", filters=1, kernel_size=(1, 3), padding="same"), NORMALIZED])],
        ],
    ),
    merging("Concatenate", (2, 3), parts=3),
    merging("Concatenate", (2, 3), axis=1),
    layer("CenterCrop", (5, 6, 2), height=3, width=2),
    layer("CenterCrop", (3, 5, 2), height=4, width=4),
    layer("Conv1D", (7, 2), filters=2, kernel_size=3, activation="tanh"),
    layer("Conv1D", (6, 1), filters=2, kernel_size=2, padding="causal", dilation_rate=2, use_bias=False),
    layer("Conv1D", (6, 2), filters=2, kernel_size=3, padding="causal", strides=2),
    layer("Conv1D", (4, 2), filters=4, kernel_size=2, padding="same", groups=2),
    layer("Conv1DTranspose", (4, 2), filters=3, kernel_size=3, strides=2, activation="tanh"),
    layer("Conv1DTranspose", (3, 2), filters=2, kernel_size=2, strides=3, padding="same", output_padding=1),
    layer("Conv1DTranspose", (4, 1), filters=2, kernel_size=3, use_bias=False),
    layer("Conv2D", (5, 6, 3), filters=4, kernel_size=3, activation="relu"),
    layer("Conv2D", (5, 6, 2), filters=4, kernel_size=(3, 2), padding="same", kernel_regularizer="l2"),
    layer("Conv2D", (8, 7, 2), filters=3, kernel_size=(3, 4), strides=2, padding="same", activation="tanh"),
    layer("Conv2D", (7, 7, 1), filters=9, kernel_size=(2, 5), strides=3),
    layer("Conv2D", (7, 6, 2), filters=2, kernel_size=(3, 2), dilation_rate=2, padding="same"),
    layer("Conv2D", (7, 6, 2), filters=3, kernel_size=3, dilation_rate=(3, 2), use_bias=False),
    layer("Conv2D", (5, 4, 4), filters=6, kernel_size=3, padding="same", groups=2),
    layer("Conv2D", (3, 3, 2), filters=3, kernel_size=5, padding="same"),
    layer("Conv2DTranspose", (2, 2, 2), filters=2, kernel_size=3, kernel_constraint="min_max_norm"),
    layer("Conv2DTranspose", (2, 3, 2), filters=1, kernel_size=3, strides=2, padding="same", activation="tanh"),
    layer("Conv2DTranspose", (2, 2, 2), filters=1, kernel_size=2, strides=3, output_padding=(0, 2), use_bias=False),
    layer(
        "Conv2DTranspose", (2, 2, 2), filters=1, kernel_size=(4, 3), strides=(3, 2), padding="same", output_padding=1
    ),
    layer("Cropping1D", (5, 2)),
    layer("Cropping1D", (6, 2), cropping=(3, 0)),
    layer("Cropping2D", (3, 4, 2)),
    layer("Cropping2D", (5, 4, 2), cropping=((1, 2), (0, 1))),
    layer("Dense", (3,), units=4, activation="tanh"),
    layer("Dense", (7,), units=5, activation="softplus", use_bias=False),
    layer("Dense", (2, 4), units=3, activation="softmax"),
    layer("Dense", (21,), units=37, activation="gelu"),
    layer("Dense", (4,), units=2, kernel_initializer="he_normal", kernel_regularizer="l1", bias_regularizer="l2"),
    layer("DepthwiseConv1D", (5, 2), kernel_size=3, padding="same", depth_multiplier=2, activation="tanh"),
    layer("DepthwiseConv1D", (7, 3), kernel_size=2, dilation_rate=3, use_bias=False),
    layer("DepthwiseConv1D", (7, 2), kernel_size=3, strides=2),
    layer("DepthwiseConv2D", (4, 3, 2), kernel_size=3, padding="same", activation="tanh"),
    layer("DepthwiseConv2D", (4, 5, 2), kernel_size=2, strides=2, depth_multiplier=3),
    layer("DepthwiseConv2D", (5, 6, 2), kernel_size=3, dilation_rate=2, use_bias=False),
    merging("Dot", (4,), axes=1),
    merging("Dot", (2, 3), axes=(2, 2)),
    merging("Dot", (2, 3), axes=1, normalize=True),
    layer("Dropout", (6,), rate=0.4),
    layer("Dropout", (2, 3), rate=0.0),
    layer("Dropout", (3, 2), rate=0.4, noise_shape=(None, 1, 2)),
    layer("Dense", (2, 4), units=3, kernel_constraint="unit_norm", bias_constraint="non_neg"),
    layer("ELU", (2, 3)),
    layer("ELU", (5,), alpha=0.5),
    layer("Flatten", (2, 3)),
    layer("Flatten", (4,)),
    layer("GaussianDropout", (2, 3), rate=0.3),
    layer("GaussianNoise", (5,), stddev=0.2),
    layer("GaussianNoise", (2, 3), stddev=0.0),
    layer("GlobalAveragePooling1D", (4, 3)),
    layer("GlobalAveragePooling1D", (4, 2), keepdims=True),
    layer("GlobalAveragePooling2D", (3, 2, 3)),
    layer("GlobalAveragePooling2D", (3, 4, 2), keepdims=True),
    layer("GlobalMaxPooling1D", (4, 3)),
    layer("GlobalMaxPooling1D", (4, 2), keepdims=True),
    layer("GlobalMaxPooling2D", (3, 2, 3)),
    layer("GlobalMaxPooling2D", (3, 4, 2), keepdims=True),
    layer("Identity", (2, 3)),
    layer("LeakyReLU", (6,)),
    layer("LeakyReLU", (2, 3), negative_slope=0.1),
    layer("LocalResponseNormalization", (6,), depth_radius=1, bias=1.0, alpha=0.5),
    layer("LocalResponseNormalization", (3, 2, 5), alpha=0.1, beta=0.5),
    layer("MaxPooling1D", (5, 2)),
    layer("MaxPooling1D", (6, 2), pool_size=3, strides=2, padding="same"),
    layer("MaxPooling2D", (4, 6, 2)),
    layer("MaxPooling2D", (5, 3, 2)),
    layer("MaxPooling2D", (5, 4, 2), pool_size=3, strides=2, padding="same"),
    layer("MaxPooling2D", (4, 4, 2), pool_size=(2, 3), strides=1),
    merging("Maximum", (2, 3), parts=3),
    layer("Maxout", (4,), units=3),
    layer("Maxout", (2, 3), units=2, pieces=3, kernel_regularizer="l2"),
    layer("MinPooling2D", (4, 3, 2), pool_size=(2, 1)),
    layer("MinPooling2D", (5, 4, 2), pool_size=3, strides=2, padding="same"),
    merging("Minimum", (4,)),
    merging("Multiply", (2, 3), parts=3),
    layer("PReLU", (6,)),
    layer("PReLU", (4,), alpha_initializer="ones", alpha_regularizer="l2", alpha_constraint="non_neg"),
    layer("PReLU", (3, 4, 2), shared_axes=[1, 2]),
    layer("Normalization", (3,)),
    layer("Normalization", (2, 3), axis=(1, 2), invert=True),
    layer("Normalization", (4, 2), axis=None),
    layer("Normalization", (2, 3), mean=[1.0, -1.0, 0.5], variance=[4.0, 0.25, 1.0]),
    layer("Normalization", (2, 3), axis=1, mean=2.0, variance=9.0, invert=True),
    layer("PartialConv2D", (5, 5, 3), table=[(0, 2), (1,), (0, 1, 2)], kernel_size=3),
    layer("Permute", (3, 4), dims=(2, 1)),
    layer("Permute", (2, 3, 4), dims=(3, 1, 2)),
    layer("Permute", (2, 3, 4), dims=(2, 1, 3)),
    layer("RadialBasis", (3,), prototypes=[[1.0, -1.0, 0.5], [0.0, 2.0, 1.0]]),
    layer("RandomBrightness", (3, 4, 2), factor=0.3, value_range=(-5, 5)),
    layer("RandomBrightness", (3, 4, 2), factor=(0.002, 0.002)),
    layer("RandomContrast", (3, 4, 2), factor=0.4, value_range=(-5, 5)),
    layer("RandomContrast", (3, 4, 2), factor=(-0.2, 0.2), value_range=(-1, 2)),
    layer("RandomCrop", (4, 5, 2), height=3, width=2),
    layer("RandomCrop", (3, 5, 2), height=4, width=4),
    layer("RandomFlip", (3, 4, 2)),
    layer("RandomFlip", (3, 4, 2), mode="horizontal"),
    layer("RandomRotation", (5, 4, 2), factor=0.1),
    layer("RandomRotation", (5, 4, 2), factor=(0.07, 0.07), fill_mode="nearest"),
    layer("RandomTranslation", (5, 6, 2), height_factor=0.3, width_factor=(-0.2, 0.4)),
    layer(
        "RandomTranslation",
        (5, 4, 2),
        height_factor=(0.2, 0.2),
        width_factor=(-0.3, -0.3),
        fill_mode="constant",
        fill_value=0.25,
    ),
    layer("RepeatVector", (3,), n=4),
    layer("ReLU", (6,)),
    layer("ReLU", (2, 5), max_value=1.5, negative_slope=0.1, threshold=0.25),
    layer("RandomZoom", (5, 4, 2), height_factor=0.3),
    layer("RandomZoom", (5, 4, 2), height_factor=(0.2, 0.2), width_factor=(-0.3, -0.3), fill_mode="constant"),
    layer("Rescaling", (3, 2), scale=0.5),
    layer("Rescaling", (4, 3), scale=[2.0, -1.0, 0.5], offset=1.0),
    layer("Reshape", (2, 6), target_shape=(3, -1)),
    layer("Reshape", (6,), target_shape=(1, 2, 3)),
    layer("Resizing", (5, 3, 2), height=3, width=7),
    layer("Resizing", (3, 6, 2), height=5, width=4, interpolation="nearest"),
    layer("Resizing", (3, 7, 2), height=4, width=3, crop_to_aspect_ratio=True),
    layer("Residual", (3,), main=[layer("Dense", units=5, activation="tanh"), DENSE], activation="tanh"),
    layer("Residual", (4,), main=DENSE, shortcut=[layer("Dense", units=3)], activation="tanh"),
    layer("Residual", (4, 3, 2), main=NORMALIZED, shortcut=layer("Conv2D", filters=2, kernel_size=1)),
    layer("SeparableConv1D", (6, 2), filters=3, kernel_size=3, padding="same", activation="tanh"),
    layer("SeparableConv1D", (7, 2), filters=2, kernel_size=2, strides=2, depth_multiplier=2, use_bias=False),
    layer(
        "SeparableConv2D",
        (4, 5, 2),
        filters=3,
        kernel_size=3,
        padding="same",
        activation="tanh",
        pointwise_constraint="non_neg",
    ),
    layer("SeparableConv2D", (5, 6, 2), filters=2, kernel_size=(2, 3), strides=2, depth_multiplier=3),
    layer("SeparableConv2D", (5, 6, 3), filters=2, kernel_size=2, dilation_rate=2, pointwise_regularizer="l2"),
    layer("Sequential", (2, 3), layers=[layer("Flatten"), DENSE, NARROW]),
    layer("Sequential", (3,), layers=[layer("Sequential", layers=[DENSE]), layer("Dropout", rate=0.3), NARROW]),
    layer("SpatialDropout1D", (4, 3), rate=0.4),
    layer("SpatialDropout2D", (2, 3, 4), rate=0.4),
    layer("Softmax", (4,)),
    layer("Softmax", (3, 4), axis=1),
    layer("Softmax", (3, 2, 4), axis=-2),
    layer("Subsampling2D", (5, 4, 3)),
    layer("Subsampling2D", (6, 4, 2), pool_size=3),
    merging("Subtract", (2, 3)),
    layer("UpSampling1D", (3, 2)),
    layer("UpSampling1D", (2, 2), size=3),
    layer("UpSampling2D", (2, 2, 2), size=(2, 3)),
    layer("UpSampling2D", (2, 3, 2), size=(3, 2), interpolation="bilinear"),
    layer("ZeroPadding1D", (3, 2)),
    layer("ZeroPadding1D", (3, 2), padding=(2, 1)),
    layer("ZeroPadding2D", (2, 3, 2)),
    layer("ZeroPadding2D", (2, 3, 2), padding=((1, 0), (0, 2))),
    # Capítulo 4, códigos.
    layer("KLSparsity", (4,)),
    layer("KLSparsity", (3, 2), rho=0.2, weight=0.5),
    layer("TiedAutoencoder", (5,), units=3),
    layer("TiedAutoencoder", (4,), units=2, activation="tanh", output_activation="sigmoid"),
    # Capítulo 4, imágenes.
    # Capítulo 4, U-Net.
    # Capítulo 4, VAE.
    merging("Sampling", (4,)),
    merging("Sampling", (2, 3), beta=0.3),
    # Capítulo 4, GAN.
    # Capítulo 4, difusión.
    # Capítulo 5, texto.
    # Capítulo 5, palabras.
    # Capítulo 5, máscaras.
    layer("Masking", (4, 3)),
    layer("Masking", (4, 2), mask_value=-1.5),
    # Capítulo 5, recurrencia.
    layer("SimpleRNN", (4, 3), units=5),
    layer("SimpleRNN", (5, 2), units=3, return_sequences=True, go_backwards=True),
    layer("SimpleRNN", (3, 2), units=2, activation="relu", use_bias=False, kernel_regularizer="l2"),
    layer("SimpleRNN", (3, 4), units=4, activation="elu", return_sequences=True, recurrent_regularizer="l1"),
    layer("SimpleRNN", (4, 2), units=3, activation="sigmoid", recurrent_constraint="unit_norm"),
    layer("SimpleRNN", (4, 2), units=3, activation="linear", bias_regularizer="l2", return_sequences=True),
    layer("SimpleRNN", (3, 3), units=4, dropout=0.3, recurrent_dropout=0.2, return_sequences=True),
    # Capítulo 5, compuertas.
    layer("Bidirectional", (4, 2), layer=layer("LSTM", units=3)),
    layer("Bidirectional", (3, 2), layer=layer("GRU", units=2, return_sequences=True), merge_mode="mul"),
    layer("Bidirectional", (3, 2), layer=layer("SimpleRNN", units=3, return_sequences=True), merge_mode="ave"),
    layer(
        "Bidirectional",
        (4, 2),
        layer=layer("LSTM", units=2, return_sequences=True),
        backward_layer=layer("GRU", units=3, return_sequences=True, go_backwards=True),
    ),
    layer("Bidirectional", (3, 2), layer=layer("GRU", units=2), merge_mode="sum"),
    layer("GRU", (4, 3), units=5),
    layer("GRU", (5, 2), units=3, return_sequences=True, reset_after=False),
    layer("GRU", (3, 2), units=4, use_bias=False, go_backwards=True, kernel_regularizer="l2"),
    layer("GRU", (3, 3), units=2, activation="elu", recurrent_activation="hard_sigmoid", return_sequences=True),
    layer("GRU", (3, 2), units=3, activation="linear", reset_after=False, recurrent_regularizer="l1"),
    layer("GRU", (3, 3), units=4, dropout=0.3, recurrent_dropout=0.2, return_sequences=True),
    layer("GRU", (4, 2), units=3, dropout=0.2, recurrent_dropout=0.4, reset_after=False),
    layer("LSTM", (4, 3), units=5),
    layer("LSTM", (5, 2), units=3, return_sequences=True, go_backwards=True),
    layer("LSTM", (3, 2), units=4, use_bias=False, kernel_regularizer="l2", recurrent_constraint="unit_norm"),
    layer("LSTM", (3, 4), units=2, activation="softsign", recurrent_activation="hard_sigmoid", return_sequences=True),
    layer("LSTM", (3, 2), units=3, activation="linear", unit_forget_bias=False, bias_regularizer="l2"),
    layer("LSTM", (3, 3), units=4, dropout=0.3, recurrent_dropout=0.2, return_sequences=True),
    layer("TimeDistributed", (3, 2), layer=DENSE),
    layer("TimeDistributed", (2, 4, 3, 2), layer=layer("Conv2D", filters=2, kernel_size=2, activation="relu")),
    layer("TimeDistributed", (3, 4, 2), layer=layer("LSTM", units=2)),
    layer("TimeDistributed", (3, 4), layer=layer("Dropout", rate=0.4)),
    # Capítulo 5, escribir.
    # Capítulo 5, programas.
    # Capítulo 6, núcleo.
    merging("MultiHeadAttention", (5, 6), num_heads=2, key_dim=3),
    merging("MultiHeadAttention", (4, 3), parts=3, num_heads=3, key_dim=2, value_dim=4, output_shape=5),
    merging("MultiHeadAttention", (3, 4), num_heads=1, key_dim=4, use_bias=False, kernel_regularizer="l2"),
    merging("MultiHeadAttention", (3, 4), num_heads=2, key_dim=2, bias_regularizer="l1", kernel_constraint="max_norm"),
    merging("MultiHeadAttention", (4, 4), num_heads=2, key_dim=3, dropout=0.3),
    # Capítulo 6, bloques.
    layer("LayerNormalization", (3,)),
    layer("LayerNormalization", (2, 3), epsilon=0.01, gamma_regularizer="l2", gamma_constraint="max_norm"),
    layer("LayerNormalization", (3, 2, 4), axis=1, scale=False),
    layer("LayerNormalization", (2, 3, 2), axis=[1, 3], center=False, gamma_initializer="glorot_uniform"),
    layer("LayerNormalization", (2, 3), axis=[1, 2], beta_regularizer="l1"),
    layer("RMSNormalization", (3,)),
    layer("RMSNormalization", (2, 3), epsilon=0.01),
    layer("RMSNormalization", (3, 2, 2), axis=[2, 3]),
    layer("TransformerDecoder", (3, 4), intermediate_dim=5, num_heads=2, activation="gelu"),
    layer("TransformerDecoder", (4, 6), intermediate_dim=3, num_heads=2, activation="tanh", normalize_first=True),
    layer("TransformerDecoder", (3, 4), intermediate_dim=5, num_heads=2, activation="gelu", dropout=0.3),
    layer("TransformerEncoder", (3, 4), intermediate_dim=5, num_heads=2, activation="gelu"),
    layer("TransformerEncoder", (4, 6), intermediate_dim=3, num_heads=3, activation="tanh", normalize_first=True),
    layer("TransformerEncoder", (3, 5), intermediate_dim=4, num_heads=2, activation="silu", dropout=0.2),
    # Capítulo 6, búsqueda.
    merging("AdditiveAttention", (4, 3)),
    merging("AdditiveAttention", (4, 3), parts=3, use_scale=False, dropout=0.3),
    merging("Attention", (4, 3)),
    merging("Attention", (4, 3), parts=3, use_scale=True, dropout=0.3),
    merging("Attention", (4, 3), parts=3, use_scale=True, score_mode="concat"),
    merging("Attention", (2, 5), score_mode="concat"),
    # Capítulo 6, posiciones.
    layer("PositionEmbedding", (4, 3), sequence_length=12),
    layer("PositionEmbedding", (2, 3, 2), sequence_length=9, initializer="normal"),
    layer("RotaryEmbedding", (4, 6)),
    layer("RotaryEmbedding", (2, 3, 4), max_wavelength=50, scaling_factor=2.0, sequence_axis=2),
    layer("RotaryEmbedding", (4, 2, 3), sequence_axis=-1, feature_axis=1),
    layer("SinePositionEncoding", (4, 3)),
    layer("SinePositionEncoding", (2, 3, 4), max_wavelength=20),
    # Capítulo 6, GPT.
    # Capítulo 6, traducir.
    # Capítulo 6, BERT y ViT.
    layer("ClassToken", (3, 4)),
    layer("ClassToken", (1, 2), initializer="normal"),
    layer("Patches", (4, 6, 2), patch_size=2),
    layer("Patches", (3, 3, 1), patch_size=3),
    # Capítulo 6, costo.
]

# Las que reciben enteros: no hay gradiente de la entrada que comprobar. Las prueba test_integer_layers.py.
INTEGER_LAYERS = [
    layer("CategoryEncoding", (3,), num_tokens=5),
    layer("CategoryEncoding", (4,), num_tokens=3, output_mode="count"),
    layer("CategoryEncoding", (1,), num_tokens=4, output_mode="one_hot"),
    layer("CategoryEncoding", (2,), num_tokens=4, output_mode="one_hot"),
    # Capítulo 5, texto.
    # Capítulo 5, palabras.
    # Capítulo 5, máscaras.
    layer("Embedding", (5,), input_dim=6, output_dim=3),
    layer("Embedding", (4,), input_dim=5, output_dim=2, embeddings_regularizer="l2", embeddings_constraint="max_norm"),
    layer("Embedding", (3,), input_dim=4, output_dim=1, mask_zero=True),
    # Capítulo 5, recurrencia.
    # Capítulo 5, compuertas.
    # Capítulo 5, escribir.
    # Capítulo 5, programas.
    # Capítulo 6, núcleo.
    # Capítulo 6, bloques.
    # Capítulo 6, búsqueda.
    # Capítulo 6, posiciones.
    layer("TokenAndPositionEmbedding", (4,), vocabulary_size=5, sequence_length=9, embedding_dim=3),
    layer("TokenAndPositionEmbedding", (2,), vocabulary_size=4, sequence_length=4, embedding_dim=2, mask_zero=True),
    # Capítulo 6, GPT.
    # Capítulo 6, traducir.
    layer("ReversibleEmbedding", (5,), input_dim=6, output_dim=3),
    layer("ReversibleEmbedding", (4,), input_dim=5, output_dim=2, tie_weights=False, embeddings_regularizer="l2"),
    layer("ReversibleEmbedding", (3,), input_dim=4, output_dim=2, mask_zero=True, logit_soft_cap=2.0),
    # Capítulo 6, BERT y ViT.
    # Capítulo 6, costo.
]

ACTIVATIONS = [
    of("activation", "CELU"),
    of("activation", "CELU", alpha=0.5),
    of("activation", "ELU"),
    of("activation", "ELU", alpha=0.5),
    of("activation", "Exponential"),
    of("activation", "GELU"),
    of("activation", "GELU", approximate=True),
    of("activation", "HardShrink"),
    of("activation", "HardShrink", threshold=2.0),
    of("activation", "HardSiLU"),
    of("activation", "HardSigmoid"),
    of("activation", "HardTanh"),
    of("activation", "LeakyReLU"),
    of("activation", "LeakyReLU", negative_slope=0.1),
    of("activation", "Linear"),
    of("activation", "LogSigmoid"),
    of("activation", "LogSoftmax"),
    of("activation", "Mish"),
    of("activation", "ReLU"),
    of("activation", "ReLU", max_value=6.0),
    of("activation", "ReLU", negative_slope=0.1, max_value=2.0, threshold=0.5),
    of("activation", "SELU"),
    of("activation", "ScaledTanh"),
    of("activation", "ScaledTanh", scale=2.0, slope=0.5),
    of("activation", "SiLU"),
    of("activation", "Sigmoid"),
    of("activation", "SoftShrink"),
    of("activation", "SoftShrink", threshold=2.0),
    of("activation", "Softmax"),
    of("activation", "Softplus"),
    of("activation", "Softsign"),
    of("activation", "SparsePlus"),
    of("activation", "SparseSigmoid"),
    of("activation", "Squareplus"),
    of("activation", "Squareplus", b=0.5),
    of("activation", "Step"),
    of("activation", "Tanh"),
    of("activation", "TanhShrink"),
]
# Dónde hacen pico o saltan, además del cero: ahí no hay pendiente que medir.
KINKS = {
    "HardShrink": [-2, -0.5, 0.5, 2],
    "HardSiLU": [-3, 3],
    "HardSigmoid": [-3, 3],
    "HardTanh": [-1, 1],
    "ReLU": [0.5, 2, 6],
    "SoftShrink": [-2, -0.5, 0.5, 2],
    "SparseSigmoid": [-1, 1],
}

LOSSES = [
    of("loss", "BinaryCrossentropy"),
    of("loss", "BinaryCrossentropy", from_logits=True),
    of("loss", "BinaryCrossentropy", from_logits=True, label_smoothing=0.1),
    of("loss", "BinaryFocalCrossentropy"),
    of("loss", "BinaryFocalCrossentropy", apply_class_balancing=True, gamma=0.5, label_smoothing=0.1),
    of("loss", "BinaryFocalCrossentropy", apply_class_balancing=True, alpha=0.3, gamma=1.5, from_logits=True),
    of("loss", "CategoricalCrossentropy"),
    of("loss", "CategoricalCrossentropy", from_logits=True),
    of("loss", "CategoricalCrossentropy", label_smoothing=0.2),
    of("loss", "CategoricalFocalCrossentropy"),
    of("loss", "CategoricalFocalCrossentropy", alpha=0.5, gamma=1.5, from_logits=True),
    of("loss", "CategoricalFocalCrossentropy", gamma=0.0, label_smoothing=0.2),
    of("loss", "CategoricalHinge"),
    of("loss", "CosineSimilarity"),
    of("loss", "GridDetectionLoss"),
    of("loss", "GridDetectionLoss", boxes=1, box_weight=2.0, empty_weight=0.1),
    of("loss", "Hinge"),
    of("loss", "Huber"),
    of("loss", "Huber", delta=0.3, reduction="sum"),
    of("loss", "KLDivergence"),
    of("loss", "LogCosh"),
    of("loss", "MeanAbsoluteError"),
    of("loss", "MeanAbsoluteError", reduction="mean_with_sample_weight"),
    of("loss", "MeanAbsolutePercentageError"),
    of("loss", "MeanSquaredError"),
    of("loss", "MeanSquaredError", reduction="sum"),
    of("loss", "MeanSquaredLogarithmicError"),
    of("loss", "Poisson"),
    of("loss", "Poisson", reduction="mean"),
    of("loss", "SparseCategoricalCrossentropy"),
    of("loss", "SparseCategoricalCrossentropy", from_logits=True),
    of("loss", "SparseCategoricalCrossentropy", from_logits=True, ignore_class=0),
    of("loss", "SparseCategoricalCrossentropy", ignore_class=1, reduction="sum"),
    of("loss", "SparseCategoricalCrossentropy", ignore_class=0, reduction="mean_with_sample_weight"),
    of("loss", "SquaredHinge"),
    # Capítulo 6, traducir.
    of("loss", "SmoothedCrossentropy"),
    of("loss", "SmoothedCrossentropy", label_smoothing=0.3, ignore_class=0),
    # Capítulo 4, códigos.
    # Capítulo 4, imágenes.
    # Capítulo 4, U-Net.
    of("loss", "Dice"),
    of("loss", "Dice", axis=(-1,)),
    of("loss", "IoULoss"),
    of("loss", "IoULoss", axis=(-1,)),
    of("loss", "Tversky", alpha=0.7, beta=0.3),
    of("loss", "Tversky", alpha=0.2, axis=(-1,)),
    # Capítulo 4, VAE.
    # Capítulo 4, GAN.
    # Capítulo 4, difusión.
]


def probabilities(rng, shape):
    p = rng.random(shape) + 0.05
    return p / p.sum(axis=-1, keepdims=True)


def objects_in_cells(rng, shape):
    # Unas celdas con objeto y otras sin él; sus tres clases, al final.
    truth = rng.random((*shape[:3], 8))
    truth[..., 0] = truth[..., 0] < 0.5
    return truth * truth[..., :1]


def normal(rng, shape):
    return rng.normal(size=shape)


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], shape)


def one_hot(rng, shape):
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]


def zeros_and_ones(rng, shape):
    return rng.integers(0, 2, shape).astype(float)


def labels(rng, shape):
    return rng.integers(0, shape[-1], shape[:-1])


# Lo correcto que pide cada pérdida y cada métrica, para una salida de esa forma.
TARGETS = {
    "AUC": zeros_and_ones,
    "Accuracy": lambda rng, shape: rng.integers(0, 3, shape).astype(float),
    "BinaryAccuracy": zeros_and_ones,
    "BinaryCrossentropy": lambda rng, shape: rng.random(shape),
    "BinaryFocalCrossentropy": lambda rng, shape: rng.random(shape),
    "BinaryIoU": zeros_and_ones,
    "CategoricalAccuracy": probabilities,
    "CategoricalCrossentropy": probabilities,
    "CategoricalFocalCrossentropy": probabilities,
    "CategoricalHinge": one_hot,
    "CosineSimilarity": normal,
    "Dice": zeros_and_ones,
    "F1Score": zeros_and_ones,
    "FBetaScore": zeros_and_ones,
    "FalseNegatives": zeros_and_ones,
    "FalsePositives": zeros_and_ones,
    "GridDetectionLoss": objects_in_cells,
    "Hinge": signs,
    "Huber": normal,
    "IoU": lambda rng, shape: rng.integers(0, 4, shape).astype(float),
    "IoULoss": zeros_and_ones,
    "KLDivergence": probabilities,
    "LogCosh": normal,
    "LogCoshError": normal,
    "Mean": normal,
    "MeanAbsoluteError": normal,
    "MeanAbsolutePercentageError": normal,
    "MeanIoU": labels,
    "MeanSquaredError": normal,
    "MeanSquaredLogarithmicError": lambda rng, shape: rng.random(shape),
    "Poisson": lambda rng, shape: rng.poisson(3, shape).astype(float),
    "Precision": zeros_and_ones,
    "R2Score": normal,
    "Recall": zeros_and_ones,
    "RootMeanSquaredError": normal,
    "SmoothedCrossentropy": labels,
    "SparseCategoricalAccuracy": labels,
    "SparseCategoricalCrossentropy": labels,
    "SparseTopKCategoricalAccuracy": labels,
    "SquaredHinge": signs,
    "Sum": normal,
    "TopKCategoricalAccuracy": one_hot,
    "TrueNegatives": zeros_and_ones,
    "TruePositives": zeros_and_ones,
    "Tversky": zeros_and_ones,
}
# Las que miran probabilidades, o un logaritmo, sin que lo diga ``from_logits``.
POSITIVE = [
    *(
        "BinaryIoU",
        "Dice",
        "F1Score",
        "FBetaScore",
        "FalseNegatives",
        "FalsePositives",
        "IoULoss",
        "KLDivergence",
        "MeanIoU",
    ),
    *("MeanSquaredLogarithmicError", "Poisson", "Precision", "Recall", "TrueNegatives", "TruePositives", "Tversky"),
]
# Las que miran clases ya decididas.
DECIDED = ["Accuracy", "IoU"]
# Las salidas con que se prueban: observaciones, a veces un eje más, y números al final.
SHAPES = [(1, 2), (5, 3), (2, 3, 4)]


def shapes(case):
    """Las formas de la salida con que se prueba una pérdida o una métrica."""
    if case.name == "GridDetectionLoss":
        return [(3, 2, 2, 5 * case.make().boxes + 3)]
    if case.name == "R2Score":
        return [(5, 3), (4, 2)]
    # Unas miran un vector por observación.
    flat = case.name in ("F1Score", "FBetaScore") or case.arguments.get("multi_label")
    # Las etiquetas de una métrica van una por observación.
    return SHAPES[:2] if flat or (case.kind == "metric" and case.name.startswith("Sparse")) else SHAPES


def example(case, shape, seed=0, dtype="float64"):
    """Lo correcto, lo predicho y el peso de cada observación."""
    rng = np.random.default_rng(seed)
    y_true = TARGETS[case.name](rng, shape)
    needs = case.name in POSITIVE or getattr(case.make(), "from_logits", True) is False
    y_pred = probabilities(rng, shape) if needs else 2 * rng.normal(size=shape)
    if case.name in DECIDED:
        y_pred = TARGETS[case.name](rng, shape)
    return y_true if y_true.dtype.kind == "i" else y_true.astype(dtype), y_pred.astype(dtype), rng.random(shape[0])


METRICS = [
    of("metric", "AUC"),
    of("metric", "AUC", num_thresholds=50, curve="PR"),
    of("metric", "AUC", num_thresholds=20, curve="PR", summation_method="majoring", from_logits=True),
    of("metric", "AUC", curve="PRGAIN", summation_method="minoring", thresholds=[0.3, 0.7, 0.2]),
    of("metric", "AUC", multi_label=True, num_thresholds=30),
    of("metric", "Accuracy"),
    of("metric", "BinaryAccuracy"),
    of("metric", "BinaryAccuracy", threshold=0.1),
    of("metric", "BinaryCrossentropy"),
    of("metric", "BinaryCrossentropy", from_logits=True, label_smoothing=0.1),
    of("metric", "BinaryIoU"),
    of("metric", "BinaryIoU", target_class_ids=[1], threshold=0.3),
    of("metric", "CategoricalAccuracy"),
    of("metric", "CategoricalCrossentropy"),
    of("metric", "CategoricalCrossentropy", from_logits=True, label_smoothing=0.1),
    of("metric", "CategoricalHinge"),
    of("metric", "CosineSimilarity"),
    of("metric", "F1Score"),
    of("metric", "F1Score", average="macro", threshold=0.4),
    of("metric", "FBetaScore", beta=2.0, average="weighted", threshold=0.3),
    of("metric", "FBetaScore", beta=0.5, average="micro"),
    of("metric", "FalseNegatives"),
    of("metric", "FalsePositives", thresholds=[0.6, 0.2]),
    of("metric", "Hinge"),
    of("metric", "IoU", num_classes=4, target_class_ids=[0, 2]),
    of("metric", "KLDivergence"),
    of("metric", "LogCoshError"),
    of("metric", "Mean"),
    of("metric", "MeanAbsoluteError"),
    of("metric", "MeanAbsolutePercentageError"),
    of("metric", "MeanIoU", num_classes=4, sparse_y_pred=False, ignore_class=1),
    of("metric", "MeanSquaredError"),
    of("metric", "MeanSquaredLogarithmicError"),
    of("metric", "Poisson"),
    of("metric", "Precision"),
    of("metric", "Precision", thresholds=[0.25, 0.5, 0.1], class_id=1),
    of("metric", "Precision", top_k=2),
    of("metric", "R2Score"),
    of("metric", "R2Score", class_aggregation=None, num_regressors=2),
    of("metric", "R2Score", class_aggregation="variance_weighted_average"),
    of("metric", "Recall"),
    of("metric", "Recall", thresholds=[0.0, 0.25, 0.5, 0.75, 1.0]),
    of("metric", "Recall", thresholds=0.2, top_k=1, class_id=0),
    of("metric", "RootMeanSquaredError"),
    of("metric", "SparseCategoricalAccuracy"),
    of("metric", "SparseCategoricalCrossentropy"),
    of("metric", "SparseCategoricalCrossentropy", from_logits=True, ignore_class=1),
    of("metric", "SparseTopKCategoricalAccuracy", k=2),
    of("metric", "SquaredHinge"),
    of("metric", "Sum"),
    of("metric", "TopKCategoricalAccuracy", k=2),
    of("metric", "TrueNegatives", thresholds=[0.3]),
    of("metric", "TruePositives"),
]
# No comparan lo predicho con lo correcto: miran unos números.
ALONE = ["Mean", "Sum"]

SCHEDULES = [
    of("schedule", "CosineDecay", initial_learning_rate=0.1, decay_steps=20),
    of("schedule", "CosineDecay", initial_learning_rate=0.1, decay_steps=20, alpha=0.1),
    of("schedule", "CosineDecay", initial_learning_rate=0.01, decay_steps=20, warmup_target=0.1, warmup_steps=6),
    of("schedule", "CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=7),
    of("schedule", "CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=8, t_mul=1.0, m_mul=0.5),
    of("schedule", "CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=6, t_mul=1.3, alpha=0.1),
    of("schedule", "ExponentialDecay", initial_learning_rate=0.1, decay_steps=7, decay_rate=0.6),
    of("schedule", "ExponentialDecay", initial_learning_rate=0.1, decay_steps=7, decay_rate=0.6, staircase=True),
    of("schedule", "InverseTimeDecay", initial_learning_rate=0.1, decay_steps=7, decay_rate=0.6),
    of("schedule", "InverseTimeDecay", initial_learning_rate=0.1, decay_steps=7, decay_rate=0.6, staircase=True),
    of("schedule", "PiecewiseConstantDecay", boundaries=[5, 12, 30], values=[0.1, 0.05, 0.01, 0.001]),
    of("schedule", "PolynomialDecay", initial_learning_rate=0.1, decay_steps=15),
    of("schedule", "PolynomialDecay", initial_learning_rate=0.1, decay_steps=15, end_learning_rate=0.02, power=2.5),
    of("schedule", "PolynomialDecay", initial_learning_rate=0.1, decay_steps=15, cycle=True),
    # Capítulo 6, traducir.
    of("schedule", "TransformerSchedule", width=16, warmup_steps=5),
    of("schedule", "TransformerSchedule", width=16, warmup_steps=3.5, scale=0.1),
]

OPTIMIZERS = [
    of("optimizer", "Adadelta"),
    of("optimizer", "Adadelta", learning_rate=1.0, rho=0.9, epsilon=1e-6),
    of("optimizer", "Adagrad"),
    of("optimizer", "Adagrad", learning_rate=0.5, initial_accumulator_value=0.0, epsilon=1e-3),
    of("optimizer", "Adam"),
    of("optimizer", "Adam", learning_rate=0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    of("optimizer", "Adam", learning_rate=SCHEDULES[2], global_clipnorm=1.0),
    of("optimizer", "Adam", learning_rate=0.05, amsgrad=True, clipnorm=1.0),
    of("optimizer", "Adam", learning_rate=0.05, use_ema=True),
    of("optimizer", "AdamW"),
    of("optimizer", "AdamW", learning_rate=0.05, weight_decay=0.1, clipvalue=0.3),
    of("optimizer", "AdamW", learning_rate=0.05, amsgrad=True),
    of("optimizer", "Adamax"),
    of("optimizer", "Adamax", learning_rate=0.05, beta_1=0.8, beta_2=0.9, weight_decay=0.1),
    of("optimizer", "Lion"),
    of("optimizer", "Lion", learning_rate=0.01, beta_1=0.8, beta_2=0.5, weight_decay=0.1),
    of("optimizer", "Nadam"),
    of("optimizer", "Nadam", learning_rate=0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3, clipvalue=0.5),
    of("optimizer", "RMSprop"),
    of("optimizer", "RMSprop", learning_rate=0.01, rho=0.8, momentum=0.9),
    of("optimizer", "RMSprop", learning_rate=0.01, centered=True),
    of("optimizer", "RMSprop", learning_rate=0.01, momentum=0.5, centered=True, weight_decay=0.01),
    of("optimizer", "SGD"),
    of("optimizer", "SGD", learning_rate=0.05, momentum=0.9),
    of("optimizer", "SGD", learning_rate=0.05, momentum=0.9, nesterov=True),
    of("optimizer", "SGD", learning_rate=0.05, weight_decay=0.1, clipvalue=0.5),
    of("optimizer", "SGD", learning_rate=SCHEDULES[6], global_clipnorm=1.0),
    of("optimizer", "SGD", learning_rate=0.05, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3),
    of("optimizer", "SGD", learning_rate=0.05, momentum=0.9, gradient_accumulation_steps=3),
]

INITIALIZERS = [
    of("initializer", "Constant", value=2.5),
    of("initializer", "GlorotNormal"),
    of("initializer", "GlorotUniform"),
    of("initializer", "HeNormal"),
    of("initializer", "HeUniform"),
    of("initializer", "Identity", gain=0.5),
    of("initializer", "LecunNormal"),
    of("initializer", "LecunUniform"),
    of("initializer", "Ones"),
    of("initializer", "Orthogonal"),
    of("initializer", "Orthogonal", gain=2.0),
    of("initializer", "RandomNormal", mean=1.0, stddev=0.3),
    of("initializer", "RandomUniform", minval=-1.0, maxval=3.0),
    of("initializer", "TruncatedNormal", mean=-1.0, stddev=0.5),
    of("initializer", "VarianceScaling", scale=2.0, mode="fan_avg", distribution="uniform"),
    of("initializer", "VarianceScaling", mode="fan_out", distribution="untruncated_normal"),
    of("initializer", "VarianceScaling"),
    of("initializer", "Zeros"),
]
# La media y la varianza que promete cada uno, con n entradas y m salidas.
TRUNCATED = 0.7737413035499232
MOMENTS = {
    "Constant": lambda f, n, m: (f.value, 0),
    "GlorotNormal": lambda f, n, m: (0, 2 / (n + m)),
    "GlorotUniform": lambda f, n, m: (0, 2 / (n + m)),
    "HeNormal": lambda f, n, m: (0, 2 / n),
    "HeUniform": lambda f, n, m: (0, 2 / n),
    "Identity": lambda f, n, m: (f.gain / max(n, m), f.gain**2 / max(n, m) * (1 - 1 / max(n, m))),
    "LecunNormal": lambda f, n, m: (0, 1 / n),
    "LecunUniform": lambda f, n, m: (0, 1 / n),
    "Ones": lambda f, n, m: (1, 0),
    "Orthogonal": lambda f, n, m: (0, f.gain**2 / max(n, m)),
    "RandomNormal": lambda f, n, m: (f.mean, f.stddev**2),
    "RandomUniform": lambda f, n, m: ((f.minval + f.maxval) / 2, (f.maxval - f.minval) ** 2 / 12),
    "TruncatedNormal": lambda f, n, m: (f.mean, TRUNCATED * f.stddev**2),
    "VarianceScaling": lambda f, n, m: (0, f.scale / {"fan_in": n, "fan_out": m, "fan_avg": (n + m) / 2}[f.mode]),
    "Zeros": lambda f, n, m: (0, 0),
}

REGULARIZERS = [
    of("regularizer", "L1"),
    of("regularizer", "L1", l1=0.3),
    of("regularizer", "L1L2"),
    of("regularizer", "L1L2", l1=0.1, l2=0.4),
    of("regularizer", "L2"),
    of("regularizer", "L2", l2=0.2),
    of("regularizer", "OrthogonalRegularizer"),
    of("regularizer", "OrthogonalRegularizer", factor=0.5, mode="columns"),
]

CONSTRAINTS = [
    of("constraint", "MaxNorm"),
    of("constraint", "MaxNorm", max_value=0.5, axis=1),
    of("constraint", "MinMaxNorm"),
    of("constraint", "MinMaxNorm", min_value=0.5, max_value=0.8, rate=0.3, axis=(0, 1)),
    of("constraint", "NonNeg"),
    of("constraint", "UnitNorm"),
    of("constraint", "UnitNorm", axis=-1),
]

# Ninguno de estos cambia por sí solo lo que se aprende.
CALLBACKS = [
    of("callback", "BackupAndRestore", backup_dir="respaldo", delete_checkpoint=True),
    of("callback", "CSVLogger", filename="historia.csv"),
    of("callback", "EarlyStopping", monitor="loss", patience=100),
    of("callback", "History"),
    of("callback", "LambdaCallback", on_epoch_end=lambda epoch, logs: None),
    of("callback", "LearningRateScheduler", schedule=lambda epoch, rate: rate),
    of("callback", "ModelCheckpoint", filepath="{epoch}.safetensors"),
    of("callback", "ModelCheckpoint", filepath="mejor.safetensors", monitor="loss", save_best_only=True),
    of("callback", "ModelCheckpoint", filepath="{epoch}-{batch}.safetensors", save_freq=2),
    of("callback", "ReduceLROnPlateau", monitor="loss", patience=100),
    of("callback", "TensorBoard", histogram_freq=1, update_freq=2, write_steps_per_second=True),
    of("callback", "TerminateOnNaN"),
]

TABLES = {
    "activation": ACTIVATIONS,
    "callback": CALLBACKS,
    "constraint": CONSTRAINTS,
    "initializer": INITIALIZERS,
    "layer": LAYERS,
    "loss": LOSSES,
    "metric": METRICS,
    "optimizer": OPTIMIZERS,
    "regularizer": REGULARIZERS,
    "schedule": SCHEDULES,
}


def listed(kind):
    """Todos los casos de una especie."""
    return [*TABLES.get(kind, ()), *(INTEGER_LAYERS if kind == "layer" else ())]


# No se usan solas: de ellas heredan las demás.
BASES = {
    "activation": {
        "ActivationFunction": "la base de todas",
        "FunctionActivation": "la hace activation=función, y se prueba con la cinta",
    },
    "callback": {"Callback": "la base de todos", "Monitor": "lo que comparten los que vigilan"},
    "constraint": {"Constraint": "la base de todas", "NormConstraint": "lo que comparten las que miden vectores"},
    "initializer": {
        "FunctionInitializer": "la que envuelve la función de quien lee",
        "Initializer": "la base de todos",
    },
    "layer": {
        "AppliedActivation": "lo que comparten las que solo aplican una activación",
        "Functional": "sus redes están en test_graphs.py",
        "Graph": "lo que comparten las redes",
        "InputLayer": "nace construida; está en todas las redes de test_graphs.py",
        "Convolution": "lo que comparten las convoluciones",
        "Lambda": "su función no se puede guardar, y se prueba con la cinta",
        "Layer": "la base de todas",
        "Merge": "lo que comparten las que juntan entradas",
        "Model": "la base de los modelos",
        "OverAxes": "lo que comparten las que normalizan un vector",
        "Pooling2D": "lo que comparten los agrupamientos",
        "Recurrent": "lo que comparten las que recuerdan",
        "RandomAffine": "lo que comparten las que mueven los píxeles",
        "RandomLayer": "lo que comparten las que aumentan los datos",
        "_Choice": "lo que comparten la mayor y la menor",
        "Spatial": "lo que comparten las que miran a los lados",
        "RandomLight": "lo que comparten las que cambian la luz",
        "Resampled": "lo que comparten las que dan imágenes de un tamaño fijo",
        "TransformerBlock": "lo que comparten los bloques del transformer",
        "_GlobalPooling2D": "lo que comparten los agrupamientos globales",
    },
    "loss": {
        "FunctionLoss": "la hace loss=función, y se prueba con la cinta",
        "Loss": "la base de todas",
        "OverlapLoss": "lo que comparten las que comparan dos máscaras enteras",
        "RowLoss": "lo que comparten las que van fila por fila",
    },
    "metric": {
        "Averaged": "lo que comparten las que son una media",
        "FunctionMetric": "la hace metrics=[función], y se prueba con la cinta",
        "Metric": "la base de todas",
        "_LossMetric": "lo que comparten las que miden una pérdida",
        "_Thresholds": "lo que comparten las que cuentan con umbrales",
    },
    "optimizer": {"Optimizer": "la base de todos"},
    "regularizer": {"Regularizer": "la base de todas"},
    "schedule": {"LearningRateSchedule": "la base de todos"},
}

# Las que no se comparan con Keras, y por qué.
NOT_IN_KERAS = {
    "activation": {"ScaledTanh": "es la de LeNet-5", "Step": "su derivada no sirve para aprender"},
    "callback": {},
    "constraint": {},
    "initializer": {},
    "layer": {
        "Branches": "en Keras se escribe con su grafo",
        "ClassToken": "en Keras se escribe con sus propios pesos",
        "KLSparsity": "en Keras se escribe con su propia penalización",
        "LocalResponseNormalization": "es de TensorFlow, no de Keras",
        "Maxout": "Keras la quitó",
        "MinPooling2D": "Keras no la tiene",
        "PartialConv2D": "es de LeNet-5",
        "Patches": "en Keras se escribe con su propia función",
        "PositionEmbedding": "es de KerasHub",
        "RadialBasis": "es de LeNet-5",
        "RandomCrop": "la de Keras no recorta al predecir, y al entrenar sortea una ventana para todo el lote",
        "Residual": "en Keras se escribe con su grafo",
        "RotaryEmbedding": "es de KerasHub",
        "Sampling": "en Keras la escribe cada quien",
        "Sequential": "la compara el puente, con todas sus capas",
        "SinePositionEncoding": "es de KerasHub",
        "Subsampling2D": "es de LeNet-5",
        "TiedAutoencoder": "en Keras se escribe con su propia capa",
        "TokenAndPositionEmbedding": "es de KerasHub",
        "TransformerDecoder": "es de KerasHub",
        "TransformerEncoder": "es de KerasHub",
    },
    "loss": {
        "GridDetectionLoss": "es la de YOLO",
        "IoULoss": "Keras solo tiene la métrica",
        "SmoothedCrossentropy": "Keras solo suaviza la que recibe one-hot",
    },
    "metric": {},
    "optimizer": {},
    "regularizer": {},
    "schedule": {"TransformerSchedule": "en Keras la escribe cada quien"},
}


def unlisted(kind):
    """Qué clases de una especie no están en ninguna tabla, y cuáles están y ya no existen."""
    found = {case.name for case in listed(kind)} | set(BASES.get(kind, ()))
    known = set(registry.classes(kind))
    return sorted(known - found), sorted(found - known)


def over(listed):
    """Decora una prueba para que se haga con cada caso."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=repr(case)) for case in listed])


def every(kind, keep=lambda case: True):
    """Como :func:`over`, con los casos de una especie."""
    return over([case for case in TABLES[kind] if keep(case)])


def in_keras(case):
    return case.name not in NOT_IN_KERAS[case.kind]


def random(case):
    """Si la capa, o una de las que contiene, sortea algo al entrenar."""
    return any(inner.random for inner in walk(case.make()))


REQUIRED = "obligatorio"


def signature(f):
    """Los argumentos de una función: nombre, valor por omisión y si se puede dar sin nombre."""
    kinds = {inspect.Parameter.POSITIONAL_OR_KEYWORD: True, inspect.Parameter.KEYWORD_ONLY: False}
    return [
        [p.name, REQUIRED if p.default is p.empty else p.default, kinds[p.kind]]
        for p in inspect.signature(f).parameters.values()
        if p.kind in kinds
    ]


def defaults(f):
    """Los argumentos que tienen valor por omisión, con él; los obligatorios, con :data:`REQUIRED`."""
    return {name: default for name, default, _ in signature(f)}
