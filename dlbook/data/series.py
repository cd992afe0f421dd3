r"""Series de tiempo: las manchas del Sol, año por año, y el dióxido de carbono del aire, semana por semana."""

import csv
from importlib import resources

import numpy as np

from dlbook.data.files import Expected, fetch

SHA256 = "16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f"
CO2 = {"co2.csv": Expected(33_974, SHA256)}
CO2_MIRRORS = (
    "https://raw.githubusercontent.com/statsmodels/statsmodels/"
    "82c59e378bdfb5ae324006c477954879ad3e24be/"
    "statsmodels/datasets/co2/",
)


def _rows(content):
    # Sin la cabecera.
    rows = csv.reader(content.decode("ascii").splitlines()[1:])
    return list(zip(*rows, strict=True))


def load_sunspots():
    r"""El número de manchas solares de cada año, de 1700 a 2008.

    Cada once años, más o menos, el Sol se llena de manchas y se vuelve a vaciar. Son 309 números, de dominio público,
    y vienen con el libro; los repartía la biblioteca statsmodels.

    >>> years, spots = load_sunspots()
    >>> years[:5], spots[:5]
    (array([1700, 1701, 1702, 1703, 1704]), array([ 5., 11., 16., 23., 36.]))
    >>> len(spots), years[-1], spots.max()
    (309, np.int64(2008), np.float64(190.2))

    Returns
    -------
    years : ndarray of int64, shape (309,)
        Los años.
    spots : ndarray of float64, shape (309,)
        El promedio anual.
    """
    path = resources.files(__package__).joinpath("sunspots.csv")
    years, spots = _rows(path.read_bytes())
    return np.array(years, np.int64), np.array(spots, np.float64)


def load_co2(download=True):
    r"""El dióxido de carbono del aire de Mauna Loa, en Hawái: un número por semana, de 1958 a 2001.

    Sube un poco cada año, y dentro del año sube y baja con las hojas del hemisferio norte. Hay 2284 semanas, y en 59 no
    se midió: ahí hay un NaN, y quien use la serie decide qué hacer. El archivo (34 kB), de dominio público, es el que
    reparte la biblioteca statsmodels; se busca y se comprueba como el de :func:`~dlbook.data.load_quijote`, en
    ``DLBOOK_DATA`` o en su subcarpeta ``series``.

    .. code-block:: python

       dates, ppm = load_co2()

    Parameters
    ----------
    download : bool
        Con ``False`` no se usa la red: si falta el archivo, ``FileNotFoundError``.

    Returns
    -------
    dates : ndarray of datetime64[D], shape (2284,)
        El sábado en que termina cada semana.
    ppm : ndarray of float64, shape (2284,)
        Partes por millón; NaN si esa semana no se midió.

    Raises
    ------
    FileNotFoundError, ValueError, ConnectionError
        Como en :func:`~dlbook.data.load_quijote`.
    """
    (path,) = fetch(CO2, CO2_MIRRORS, "series", download)
    days, values = _rows(path.read_bytes())
    dates = [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in days]
    dates = np.array(dates, "datetime64[D]")
    return dates, np.array([float(value or "nan") for value in values])
