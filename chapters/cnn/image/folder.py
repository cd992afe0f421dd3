r"""Una carpeta por clase, y en cada una sus fotos: el conjunto de datos que cualquiera puede hacer."""

import os

import numpy as np

from chapters.cnn.arguments import channels_last, pair
from chapters.cnn.image.files import MODES, img_to_array, load_img, pillow
from chapters.cnn.image.resizing import Resizing
from dlbook import check
from dlbook.attributes import only
from dlbook.data import PyDataset

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


class ImageFolder(PyDataset):
    r"""Las imágenes de unos archivos, por lotes: se leen cuando se piden, y no caben todas en la memoria ni hace falta.

    La hace :func:`image_dataset_from_directory`.

    Parameters
    ----------
    file_paths : list of str
        Los archivos.
    labels : ndarray or None
        Lo correcto de cada uno, como se va a entregar.
    class_names : list of str
        Los nombres de las clases.
    batch_size : int
        Cuántas imágenes tiene un lote; el último puede tener menos.
    color_mode : {"rgb", "rgba", "grayscale"}
        En qué colores.
    resizing : Resizing
        La capa que las lleva a un mismo tamaño.
    generator : numpy.random.Generator or None
        Con qué se barajan entre época y época; sin él, no se barajan.
    """

    def __init__(self, file_paths, labels, class_names, batch_size, color_mode, resizing, generator):
        super().__init__()
        self.file_paths, self.labels, self.class_names = file_paths, labels, class_names
        self.batch_size, self.color_mode, self.resizing, self.generator = batch_size, color_mode, resizing, generator
        self.order = np.arange(len(file_paths))

    def __len__(self):
        r"""Dice cuántos lotes hay."""
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, k):
        r"""Lee el lote ``k``: imágenes, de 0 a 255 en ``float32``, y lo correcto; sin él, solo imágenes."""
        k = check.integer(k, "k", -len(self), len(self) - 1) % len(self)
        rows = self.order[k * self.batch_size : (k + 1) * self.batch_size]
        height, width, channels = self.resizing.height, self.resizing.width, MODES[self.color_mode][1]
        images = check.empty((len(rows), height, width, channels), "image_size", np.float32)
        for image, row in zip(images, rows, strict=True):
            x = img_to_array(load_img(self.file_paths[row], self.color_mode))
            image[...] = x if x.shape == image.shape else self.resizing(x[np.newaxis])[0]
        return images if self.labels is None else (images, self.labels[rows])

    def on_epoch_end(self):
        r"""Baraja las observaciones."""
        if self.generator is not None:
            self.generator.shuffle(self.order)


def image_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    color_mode="rgb",
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
    follow_links=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    data_format=None,
    *,
    verbose=True,
):
    r"""Prepara las fotos de una carpeta para entrenar con ellas: en cada subcarpeta, las de una clase.

    .. code-block:: text

       animales/
         gato/  001.jpg  002.jpg …
         perro/ 001.jpg  002.jpg …

    Los nombres de las subcarpetas, en orden alfabético, son las clases 0, 1… Lo que devuelve no es un arreglo: cada
    lote se lee del disco cuando se pide, así que da igual cuántas fotos haya. Se le puede dar a ``fit`` tal cual.

    >>> import pathlib, tempfile
    >>> from chapters.cnn.image.files import save_img
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for k, name in enumerate(["negro", "blanco", "blanco"]):
    ...         path = pathlib.Path(folder, name, f"{k}.png")
    ...         path.parent.mkdir(exist_ok=True)
    ...         level = 255 * (name == "blanco")
    ...         save_img(path, np.full((6, 4, 3), level), scale=False)
    ...     data = image_dataset_from_directory(
    ...         folder, image_size=(3, 3), shuffle=False
    ...     )
    ...     x, y = data[0]
    Se encontraron 3 imágenes de 2 clases.
    >>> data.class_names, len(data), x.shape
    (['blanco', 'negro'], 1, (3, 3, 3, 3))
    >>> y, x.max(axis=(1, 2, 3))
    (array([0, 0, 1], dtype=int32), array([255., 255.,   0.], dtype=float32))

    Parameters
    ----------
    directory : str or os.PathLike
        La carpeta.
    labels : {"inferred"}, sequence of int or None
        De dónde salen las clases: de las subcarpetas, o una por archivo, en el orden alfabético de sus rutas. Con
        ``None`` no hay, y solo se dan imágenes.
    label_mode : {"int", "categorical", "binary", None}
        Cómo se escriben: un entero, un vector con un uno (``float32``) o, si son dos, un 0 o un 1 en columna
        (``float32``).
    class_names : sequence of str, optional
        Las subcarpetas que se usan, en el orden de las clases.
    color_mode : {"rgb", "rgba", "grayscale"}
        En qué colores.
    batch_size : int
        Cuántas imágenes tiene un lote.
    image_size : (int, int)
        Alto y ancho a los que se llevan todas, con :class:`Resizing`.
    shuffle : bool
        Si se barajan, al empezar y después de cada época; si no, van en orden alfabético.
    seed : int, optional
        La semilla de la baraja.
    validation_split : float, optional
        Qué fracción se aparta para validar, entre 0 y 1.
    subset : {"training", "validation", "both"}, optional
        Qué parte se quiere; con ``"both"``, una lista con las dos.
    interpolation : {"bilinear", "nearest"}
        Como en :class:`Resizing`.
    follow_links : bool
        Si se entra en las carpetas que son enlaces.
    crop_to_aspect_ratio : bool
        Como en :class:`Resizing`.
    pad_to_aspect_ratio : {False}
        Keras la tiene; aquí solo vale así.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    verbose : bool
        Si se dice cuántas hay.

    Returns
    -------
    PyDataset or list of PyDataset
        Con ``len``, ``[k]``, ``class_names`` y ``file_paths``.

    Raises
    ------
    FileNotFoundError
        Si no hay tal carpeta.
    ImportError
        Si no está Pillow.
    TypeError, ValueError
        Si no hay imágenes, o si un argumento no sirve.
    """
    pillow("image_dataset_from_directory")
    only(pad_to_aspect_ratio, "pad_to_aspect_ratio", False)
    channels_last(data_format)
    label_mode = check.choice(label_mode, "label_mode", ["int", "categorical", "binary", None])
    color_mode = check.choice(color_mode, "color_mode", list(MODES))
    batch_size = check.integer(batch_size, "batch_size", 1)
    shuffle, verbose = check.boolean(shuffle, "shuffle"), check.boolean(verbose, "verbose")
    size = pair(image_size, "image_size")
    subset = check.choice(subset, "subset", ["training", "validation", "both", None])
    if (validation_split is None) != (subset is None):
        raise ValueError("subset: se esperaba junto con validation_split, pero solo llegó uno de los dos")
    if validation_split is not None:
        validation_split = check.number(validation_split, "validation_split", 0, 1, open_low=True, open_high=True)
        if shuffle and seed is None and subset != "both":
            raise ValueError("seed: se esperaba una semilla: sin ella, las dos partes compartirían fotos")
    follow_links = check.boolean(follow_links, "follow_links")
    paths, classes, class_names = _find_images(directory, labels, class_names, follow_links)
    if label_mode == "binary" and len(class_names) != 2:
        raise ValueError(f"label_mode: se esperaban dos clases para 'binary', pero hay {len(class_names)}")
    if verbose:
        of_classes = "" if classes is None else f" de {len(class_names)} clases"
        print(f"Se encontraron {len(paths)} imágenes{of_classes}.")
    generator = check.generator(seed)
    order = generator.permutation(len(paths)) if shuffle else np.arange(len(paths))
    parts = [("training", order)]
    if subset is not None:
        at = len(paths) - int(validation_split * len(paths))
        if not 0 < at < len(paths):
            raise ValueError(f"validation_split: con {len(paths)} imágenes, {validation_split} deja una parte vacía")
        parts = [("training", order[:at]), ("validation", order[at:])]
    correct = None if label_mode is None or classes is None else _written(classes, label_mode, len(class_names))
    sets = {}
    for part, rows in parts:
        resizing = Resizing(*size, interpolation, crop_to_aspect_ratio)
        own = None if correct is None else correct[rows]
        reshuffled = generator if shuffle and part == "training" else None
        found = [paths[k] for k in rows]
        sets[part] = ImageFolder(found, own, class_names, batch_size, color_mode, resizing, reshuffled)
    return list(sets.values()) if subset == "both" else sets[subset or "training"]


def _find_images(directory, labels, class_names, follow_links):
    if not isinstance(directory, (str, os.PathLike)) or not os.path.isdir(directory):
        raise FileNotFoundError(f"directory: se esperaba una carpeta, pero llegó {directory!r:.60}")
    directory = os.fspath(directory)
    inferred = isinstance(labels, str)
    if inferred:
        check.choice(labels, "labels", ["inferred"])
        there = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and entry.name[0] != ".")
        folders = there if class_names is None else check.sequence(class_names, "class_names")
        for name in folders:
            check.choice(name, "class_names", there, exact=True)
        if len(set(folders)) < len(folders):
            raise ValueError(f"class_names: se esperaban clases distintas, pero llegó {class_names}")
    elif class_names is not None:
        raise ValueError("class_names: se esperaba solo con labels='inferred'")
    else:
        folders = [""]
    found = [_images_in(os.path.join(directory, name), follow_links) for name in folders]
    paths = [path for group in found for path in group]
    if not paths:
        raise ValueError(f"directory: se esperaban imágenes ({', '.join(FORMATS)}), pero en {directory} no hay ninguna")
    if inferred:
        return paths, np.repeat(np.arange(len(folders)), list(map(len, found))), folders
    if labels is None:
        return paths, None, []
    labels = check.labels(labels, "labels", 2**31 - 1)
    if len(labels) != len(paths):
        raise ValueError(f"labels: se esperaban {len(paths)}, una por imagen, pero llegaron {len(labels)}")
    return paths, labels, [str(name) for name in np.unique(labels)]


def _images_in(folder, follow_links):
    found = []
    for path, _, names in os.walk(folder, followlinks=follow_links):
        found += [os.path.join(path, name) for name in names if name.lower().endswith(FORMATS)]
    return sorted(found)


def _written(classes, label_mode, count):
    if label_mode == "int":
        return classes.astype(np.int32)
    classes = check.labels(classes, "labels", count)
    if label_mode == "binary":
        return classes.astype(np.float32)[:, np.newaxis]
    return np.eye(count, dtype=np.float32)[classes]
