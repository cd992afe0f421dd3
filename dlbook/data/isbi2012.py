r"""ISBI 2012: las membranas de las neuronas de una mosca, vistas con un microscopio electrónico."""

import numpy as np

from dlbook import paths

# Cuántas rebanadas trae la parte con respuestas.
SLICES = 30


def load_isbi2012(folder):
    r"""Las 30 rebanadas de ISBI 2012 con sus membranas pintadas a mano.

    Son cortes de un cordón nervioso de mosca de la fruta, de 50 nanómetros de grueso, fotografiados con un microscopio
    electrónico de transmisión :cite:p:`cardona2010`. Con ellas se hizo un concurso, y en 2015 la U-Net quedó a
    la cabeza de su tabla :cite:p:`ronneberger2015`.

    No se descargan: su licencia solo deja usarlas para probar programas sin fines de lucro, y el libro no las reparte.
    La carpeta es la que hay en muchos repositorios, con las rebanadas en ``train/image/0.png`` … ``29.png`` y las
    respuestas en ``train/label``, con los mismos nombres.

    .. code-block:: python

       x, y = load_isbi2012("isbi2012")

    Parameters
    ----------
    folder : str or os.PathLike
        La carpeta.

    Returns
    -------
    x : ndarray of float32, shape (30, h, w, 1)
        Las rebanadas, de 0 (negro) a 1; las del concurso miden 512 × 512.
    y : ndarray of uint8, shape (30, h, w, 1)
        1 dentro de una célula, 0 en una membrana.

    Raises
    ------
    FileNotFoundError
        Si falta la carpeta o alguna imagen.

        >>> load_isbi2012("no-existe")
        Traceback (most recent call last):
            ...
        FileNotFoundError: folder: se esperaba una carpeta con 'train/image' y 'train/label', pero no está en no-existe

    ValueError
        Si alguna está dañada, no es gris o no mide lo que las demás, o una respuesta tiene valores que no son 0 ni 255.
    TypeError
        Si ``folder`` no es una ruta.
    ImportError
        Si no está Pillow.
    """
    folder = paths.checked(folder, "folder")
    places = folder / "train" / "image", folder / "train" / "label"
    if not all(place.is_dir() for place in places):
        raise FileNotFoundError(
            f"folder: se esperaba una carpeta con 'train/image' y 'train/label', pero no está en {folder}"
        )
    x, y = ([_read(place / f"{k}.png") for k in range(SLICES)] for place in places)
    shapes = {image.shape for image in (*x, *y)}
    if len(shapes) > 1:
        raise ValueError(f"folder: se esperaban imágenes de un mismo tamaño, pero hay de {sorted(shapes)}")
    labels = np.stack(y)
    if not np.isin(labels, (0, 255)).all():
        raise ValueError("folder: se esperaban respuestas de 0 y 255, pero hay otros valores en 'train/label'")
    return np.stack(x)[..., np.newaxis] / np.float32(255), (labels[..., np.newaxis] == 255).astype(np.uint8)


def _read(path):
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("load_isbi2012: hace falta Pillow; se instala con ``pip install pillow``") from None
    if not path.is_file():
        raise FileNotFoundError(f"folder: se esperaba también {path.name} en {path.parent}, pero no está")
    try:
        with Image.open(path) as image:
            values, mode = np.array(image), image.mode
    except (OSError, SyntaxError):
        raise ValueError(f"{path.name}: se esperaba una imagen, pero está dañada o es otra cosa") from None
    if values.ndim != 2 or values.dtype != np.uint8:
        raise ValueError(f"{path.name}: se esperaba una imagen en gris de un byte por píxel, pero llegó {mode}")
    return values
