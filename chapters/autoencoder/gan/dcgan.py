r"""Una GAN de convoluciones, DCGAN, para imágenes pequeñas."""

from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.convolution.conv2d_transpose import Conv2DTranspose
from chapters.cnn.normalization.batch_normalization import BatchNormalization
from chapters.mlp.activation import Activation
from chapters.mlp.activation_layers import LeakyReLU
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.flatten import Flatten
from chapters.mlp.initializers import RandomNormal
from chapters.mlp.reshape import Reshape
from chapters.mlp.sequential import Input, Sequential
from dlbook import check


def dcgan(image_shape=(28, 28, 1), latent=64, filters=32, seed=0):
    r"""Arma el generador y el discriminador de una DCGAN :cite:p:`radford2016`.

    El generador empieza en un mapa con la cuarta parte de cada lado y lo duplica dos veces con convoluciones
    traspuestas de paso 2. Su filtro es de :math:`4\times4`, múltiplo del paso, para que a cada píxel del interior le
    lleguen tantas copias como a los demás y no quede una cuadrícula marcada. El discriminador hace el viaje
    contrario.

    >>> generator, discriminator = dcgan()
    >>> generator.output_shape, discriminator.output_shape
    ((28, 28, 1), (1,))
    >>> generator.count_params(), discriminator.count_params()
    (246657, 36513)

    Las reglas que hicieron estables a las GAN de imágenes: convoluciones con paso en lugar de agrupamientos,
    normalización por lotes, ReLU en el generador y ReLU con fuga en el discriminador, pesos que empiezan en una
    normal de desviación 0.02. Aquí, a diferencia del artículo, el discriminador no lleva normalización, para que los
    verdaderos y los falsos de un lote no se mezclen en la misma media, y lleva *dropout*, para que tarde más en
    ganar.

    Parameters
    ----------
    image_shape : tuple of int
        Alto, ancho y canales; los lados, múltiplos de 4.
    latent : int
        Cuántos números de ruido recibe el generador.
    filters : int
        Los filtros de la capa más fina; la más gruesa tiene el doble.
    seed : int or numpy.random.Generator
        Semilla de los pesos.

    Returns
    -------
    generator, discriminator : Sequential
        El primero da píxeles entre 0 y 1; el segundo, un logit.

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es de lo que se pide.
    """
    image_shape = check.shape(image_shape, "image_shape")
    if len(image_shape) != 3 or image_shape[0] % 4 or image_shape[1] % 4:
        raise ValueError(f"image_shape: se esperaban alto y ancho múltiplos de 4, y canales, pero llegó {image_shape}")
    latent, filters = check.integer(latent, "latent", 1), check.integer(filters, "filters", 1)
    rng = check.generator(seed)
    height, width, channels = image_shape[0] // 4, image_shape[1] // 4, image_shape[2]

    def weights():
        return {"kernel_initializer": RandomNormal(stddev=0.02)}

    def normalized(layer):
        return [layer, BatchNormalization(momentum=0.8), Activation("relu")]

    generator = [
        Input((latent,)),
        *normalized(Dense(height * width * 2 * filters, use_bias=False, **weights())),
        Reshape((height, width, 2 * filters)),
        *normalized(Conv2DTranspose(filters, 4, 2, "same", use_bias=False, **weights())),
        Conv2DTranspose(channels, 4, 2, "same", activation="sigmoid", **weights()),
    ]
    discriminator = [
        Input(image_shape),
        *(Conv2D(filters, 4, 2, "same", **weights()), LeakyReLU(0.2)),
        *(Conv2D(2 * filters, 4, 2, "same", **weights()), LeakyReLU(0.2)),
        *(Flatten(), Dropout(0.3), Dense(1, **weights())),
    ]
    return Sequential(generator, seed=rng), Sequential(discriminator, seed=rng)
