r"""De un archivo a una imagen, de una imagen a un arreglo, y de regreso: con Pillow."""

import contextlib
import io
import os

import numpy as np

from chapters.cnn.arguments import channels_last, pair
from chapters.cnn.image.resizing import same_aspect
from dlbook import check, paths

# Los modos de Pillow, y cuántos canales tienen.
MODES = {"grayscale": ("L", 1), "rgb": ("RGB", 3), "rgba": ("RGBA", 4)}
RESAMPLING = ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"]


def pillow(name):
    r"""Importa Pillow, o dice que hace falta.

    >>> pillow("load_img").__name__
    'PIL.Image'

    Parameters
    ----------
    name : str
        A quién le hace falta, para el mensaje.

    Returns
    -------
    module
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(f"{name}: hace falta Pillow; se instala con ``pip install pillow``") from None
    return Image


def _box(size, target):
    top, left, tall, wide = same_aspect(*size[::-1], *target[::-1])
    return left, top, left + wide, top + tall


def load_img(path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False):
    r"""Lee una imagen de un archivo, con la biblioteca Pillow.

    Parameters
    ----------
    path : str, os.PathLike or io.BytesIO
        El archivo, o sus bytes.
    color_mode : {"rgb", "rgba", "grayscale"}
        En qué colores se quiere.
    target_size : (int, int), optional
        Alto y ancho; sin ellos, los que tenga.
    interpolation : {"nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"}
        Cómo se cambia de tamaño; la cuenta la hace Pillow.
    keep_aspect_ratio : bool
        Si antes se recorta la mayor ventana centrada de las proporciones que se piden.

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    FileNotFoundError
        Si no está.
    ImportError
        Si no está Pillow.
    TypeError, ValueError
        Si no es una imagen, o si un argumento no sirve.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "rampa.png"
    ...     save_img(path, np.array([[[0], [51], [102], [255]]]), scale=False)
    ...     img_to_array(load_img(path, "grayscale"))[0, :, 0]
    array([  0.,  51., 102., 255.], dtype=float32)
    """
    image = pillow("load_img")
    mode, _ = MODES[check.choice(color_mode, "color_mode", list(MODES))]
    resample = image.Resampling[check.choice(interpolation, "interpolation", RESAMPLING).upper()]
    size = None if target_size is None else pair(target_size, "target_size")[::-1]
    keep_aspect_ratio = check.boolean(keep_aspect_ratio, "keep_aspect_ratio")
    file = path if isinstance(path, io.BytesIO) else paths.readable(path, "path")
    try:
        with image.open(file) as opened:
            opened.load()
            # Como en Keras: lo que ya es gris se queda con los bits que traiga.
            grays = mode == "L" and opened.mode in ("L", "I;16", "I")
            found = opened.copy() if grays or opened.mode == mode else opened.convert(mode)
    except (OSError, SyntaxError, ValueError, image.DecompressionBombError) as error:
        where = "path" if file is path else path
        raise ValueError(f"{where}: se esperaba una imagen, pero no se pudo leer: {error}") from None
    if size is None or found.size == size:
        return found
    check.memory(size[0] * size[1] * len(found.getbands()), "target_size", 1)
    return found.resize(size, resample, box=_box(found.size, size) if keep_aspect_ratio else None)


def img_to_array(img, data_format=None, dtype=None):
    r"""Convierte una imagen de Pillow en un arreglo con los canales al final.

    >>> img_to_array(array_to_img([[[0.0], [1.0]]])).shape
    (1, 2, 1)

    Parameters
    ----------
    img : PIL.Image.Image or array_like
        La imagen.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    dtype : {"float32", "float64", "uint8"}, optional
        El tipo; sin decirlo, ``"float32"``.

    Returns
    -------
    ndarray, shape (H, W, C)

    Raises
    ------
    TypeError, ValueError
        Si no es una imagen.
    """
    channels_last(data_format)
    dtype = "float32" if dtype is None else dtype
    dtype = check.choice(dtype, "dtype", ["float32", "float64", "uint8"])
    img = np.asarray(img) if hasattr(img, "mode") else img
    x = check.numbers_of(img, "img")
    if x.ndim == 2:
        x = x[:, :, np.newaxis]
    if x.ndim != 3:
        raise ValueError(f"img: se esperaba una imagen, con alto, ancho y canales, pero llegó la forma {x.shape}")
    return x.astype(dtype)


def array_to_img(x, data_format=None, scale=True, dtype=None):
    r"""Convierte un arreglo en una imagen de Pillow.

    Si no se pide otra cosa, el menor valor se lleva a 0 y el mayor a 255:

    >>> np.asarray(array_to_img([[[-1.0], [0.0], [1.0]]])).tolist()
    [[0, 127, 255]]

    Parameters
    ----------
    x : array_like, shape (H, W, C)
        La imagen, con 1, 3 o 4 canales.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    scale : bool
        Si se estira el menor valor a 0 y el mayor a 255. Sin ello, los valores deben estar ya entre 0 y 255.
    dtype : {"float32", "float64"}, optional
        En qué tipo se hace la cuenta; sin decirlo, ``"float32"``.

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    ImportError
        Si no está Pillow.
    TypeError, ValueError
        Si no es una imagen, o algún valor no cabe en un byte.
    """
    image = pillow("array_to_img")
    channels_last(data_format)
    dtype = "float32" if dtype is None else dtype
    dtype = check.choice(dtype, "dtype", ["float32", "float64"])
    x = check.floats(x, "x", "H W C").astype(dtype)
    if x.shape[2] not in (1, 3, 4):
        raise ValueError(f"x: se esperaban 1, 3 o 4 canales, pero llegaron {x.shape[2]}")
    if check.boolean(scale, "scale"):
        x -= x.min()
        x /= x.max() or 1
        x *= 255
    elif x.min() < 0 or x.max() > 255:
        raise ValueError(f"x: se esperaban valores entre 0 y 255, pero van de {x.min():g} a {x.max():g}")
    levels = x.astype(np.uint8)
    levels = levels[:, :, 0] if levels.shape[2] == 1 else levels
    return image.fromarray(levels)


def save_img(
    path,
    x,
    data_format=None,
    file_format=None,
    scale=True,
    **options,
):
    r"""Guarda un arreglo como imagen.

    Parameters
    ----------
    path : str, os.PathLike or file
        El archivo.
    x : array_like, shape (H, W, C)
        La imagen.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    file_format : str, optional
        El formato, como ``"png"``; sin decirlo, el de la terminación del nombre.
    scale : bool
        Como en :func:`array_to_img`.
    **options
        Lo que admita Pillow al guardar en ese formato.

    Raises
    ------
    ImportError
        Si no está Pillow.
    TypeError, ValueError
        Si no es una imagen o no se conoce el formato.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> save_img(file, np.zeros((2, 2, 3)), file_format="png")
    >>> load_img(file).size
    (2, 2)
    """
    image = pillow("save_img")
    target = path if hasattr(path, "write") else paths.checked(path, "path")
    if file_format is None and target is not path:
        file_format = os.path.splitext(target)[1][1:]
    image.init()
    known = image.registered_extensions().get(f".{file_format}".lower())
    if known not in image.SAVE:
        raise ValueError(f"file_format: se esperaba un formato de imagen, como 'png', pero llegó {file_format!r:.60}")
    picture = array_to_img(x, data_format, scale)
    if picture.mode == "RGBA" and known == "JPEG":
        # Un JPEG no tiene opacidad.
        picture = picture.convert("RGB")
    with contextlib.nullcontext(target) if target is path else paths.replacing(target, "path") as file:
        picture.save(file, known, **options)
