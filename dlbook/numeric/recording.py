r"""Grabar un paso y repetirlo: la lista de llamadas a núcleos que hace una red, que es siempre la misma.

Una red entrena haciendo en cada paso lo mismo con otros números: los mismos núcleos, en el mismo orden, en la misma
memoria, porque las réplicas no piden memoria nueva. Lo que Python hace en medio (decidir qué capa sigue, comprobar
formas, preparar argumentos) da en cada paso el mismo resultado. Basta hacerlo una vez, **grabar** la lista de llamadas,
y desde entonces **repetirla** (:mod:`dlbook.numeric.replay`). A una lista así se le llama *grafo grabado*.

Es correcto solo si todo lo que cambia de un paso a otro pasa por los núcleos. Se vigila de tres maneras:

- Mientras se graba, los arreglos son :class:`Watched`: si alguien hace con ellos una cuenta fuera de un núcleo, avisan.
- Se graba dos veces. Un argumento que cambia (un número que depende del paso, un arreglo nuevo) se nota porque las dos
  listas no son iguales.
- De lo que escribió quien lee el libro no se supone nada: nunca se graba.

Lo que no se puede grabar no estorba: se aparta. :func:`perform` marca las llamadas que pueden apartarse enteras, que
son las que un modelo hace a sus capas. Al repetir, esas las hace Python, como siempre, entre un pedazo y otro de lo
grabado.

El archivo va de dentro afuera: los arreglos que avisan (:class:`Watched`); lo que queda de una llamada apartada
(:class:`Aside`); una grabación (:class:`Tape`), que se pone en ``now.tape`` mientras dura; y quien decide cuándo se
graba y cuándo se repite (:class:`Recorder`).
"""

import functools
from types import FunctionType

import numpy as np
from numba import config

from dlbook import registry
from dlbook.attributes import Configured
from dlbook.now import now
from dlbook.numeric.replay import Call, Replay, Unrecordable

# Cuántas veces se intenta; en cada una se puede descubrir algo más que apartar.
MOST_ATTEMPTS = 8
# Las funciones de NumPy que no miran los números de un arreglo.
LOOKS_ONLY_AT_SHAPE = {np.shape, np.ndim, np.size, np.may_share_memory, np.shares_memory, np.result_type}


def spoil(why):
    r"""Dice, mientras se graba, que lo que se está haciendo no se puede repetir sin Python.

    Quien usa :class:`Watched` no necesita decirlo. Es para lo que no pasa por un arreglo, como un sorteo.

    Parameters
    ----------
    why : str
        Por qué.
    """
    if now.tape is not None:
        now.tape.spoil(why)


class Watched(np.ndarray):
    r"""Un arreglo que, mientras se graba, avisa si alguien usa sus números fuera de un núcleo.

    Se puede mirar su forma, tomar pedazos y darle otra forma: nada de eso toca los números.

    >>> x = np.ones((2, 3)).view(Watched)
    >>> tape = now.tape = Tape()
    >>> y = x.reshape(3, 2)[1:].T
    >>> tape.why is None
    True
    >>> _ = x + 1
    >>> tape.why
    'add'
    >>> now.tape = None
    """

    def __array_ufunc__(self, function, method, *inputs, out=None, **options):
        r"""Hace la cuenta, y avisa."""
        spoil(function.__name__)
        if out is not None:
            options["out"] = tuple(unwatched(one) for one in out)
        return getattr(function, method)(*map(unwatched, inputs), **options)

    def __array_function__(self, function, types, arguments, options):
        r"""Hace la cuenta; si mira los números, avisa."""
        if function not in LOOKS_ONLY_AT_SHAPE:
            spoil(function.__name__)
        return function(*unwatched(arguments), **unwatched(options))

    def __getitem__(self, key):
        r"""Da un pedazo; si hay que copiarlo, avisa."""
        return self._view(super().__getitem__(key), "[]")

    def __setitem__(self, key, value):
        r"""Escribe, y avisa."""
        spoil("[] =")
        unwatched(self)[key] = unwatched(value)

    def reshape(self, *shape, **options):
        r"""Da los mismos números con otra forma; si hay que copiarlos, avisa."""
        return self._view(super().reshape(*shape, **options), "reshape")

    def _view(self, found, what):
        # Si no comparten memoria, se copió; un número suelto también es una copia.
        if not isinstance(found, np.ndarray) or (found.size and not np.may_share_memory(*unwatched((found, self)))):
            spoil(what)
        return found


def _telling(name):
    # El método de siempre, que además avisa.
    method = getattr(np.ndarray, name)

    def tell(self, *arguments, **options):
        spoil(name)
        return method(unwatched(self), *unwatched(arguments), **unwatched(options))

    return tell


# Los métodos de un arreglo que miran sus números, o que los escriben.
_TOUCHING = """
    all any argmax argmin argpartition argsort astype byteswap choose clip compress conj copy cumprod
    cumsum diagonal dot dump dumps fill flatten item itemset max mean min nonzero partition prod put
    ravel repeat resize round searchsorted sort std sum take tobytes tofile tolist trace var
    __float__ __int__ __bool__ __complex__ __index__ __contains__ __copy__ __deepcopy__
"""
for _name in _TOUCHING.split():
    # NumPy ya no tiene alguno.
    if hasattr(np.ndarray, _name):
        setattr(Watched, _name, _telling(_name))


# De qué clase es un arreglo del libro, que no hay que comprobar otra vez.
ARRAYS = np.ndarray, Watched


def unwatched(value):
    r"""Da lo mismo con arreglos corrientes; también los de adentro de una lista, una tupla o un diccionario."""
    if type(value) is Watched:
        return value.view(np.ndarray)
    if type(value) in (list, tuple):
        return type(value)(map(unwatched, value))
    if type(value) is dict:
        return {name: unwatched(one) for name, one in value.items()}
    return value


def watched(value):
    r"""Da lo mismo, con los arreglos vigilados."""
    if type(value) is np.ndarray:
        return value.view(Watched)
    return [watched(one) for one in value] if type(value) is list else value


def lent(value):
    r"""Da memoria para una cuenta: vigilada, si se está grabando."""
    return value if now.tape is None else watched(value)


def perform(method, *arguments, **options):
    r"""Llama a ``method``. Si se está grabando y no se puede grabar lo que hace, lo aparta.

    Parameters
    ----------
    method : callable
        Casi siempre, el método de una capa.
    *arguments, **options
        Con qué se llama. Lo que devuelve es un arreglo, una lista de arreglos, un número o ``None``.
    """
    tape = now.tape
    return method(*arguments, **options) if tape is None else tape.perform(method, arguments, options)


class Aside:
    r"""Una llamada que al repetir hace Python.

    Parameters
    ----------
    method : callable
        A quién se llama.
    arguments, options : tuple, dict
        Con qué.
    result : object
        Lo que devolvió. Si al repetir lo da en otra memoria, se copia a esta, donde lo esperan los que siguen.
    why : str
        Por qué está apartada.
    """

    def __init__(self, method, arguments, options, result, why):
        self.method, self.arguments, self.options, self.result, self.why = method, arguments, options, result, why
        # Como en una ``Call``; aquí nadie lo usa, porque si falla ya se sabe quién fue.
        self.within = None

    def __repr__(self):
        r"""Da el nombre de lo que se llama y por qué está apartado."""
        return f"{getattr(self.method, '__qualname__', self.method)}: {self.why}"

    def same(self, other):
        r"""Dice si otra es la misma llamada, con los mismos arreglos."""
        if not isinstance(other, Aside) or self.method != other.method:
            return False
        pairs = (self.arguments, other.arguments), (self.options, other.options)
        return all(_same(mine, theirs) for mine, theirs in pairs)

    def run(self):
        r"""Hace la llamada."""
        self.keep(self.method(*self.arguments, **self.options))

    def keep(self, result):
        r"""Pone lo que salió donde salió la primera vez."""
        if type(self.result) is list:
            for old, new in zip(self.result, result, strict=True):
                _settle(old, new)
        elif isinstance(self.result, np.ndarray):
            _settle(self.result, result)
        else:
            self.result = result


def _settle(old, new):
    # Pone lo nuevo en la memoria de lo viejo, si no está ya ahí.
    if old is not None and new is not old and not _same(old, new):
        np.copyto(old, new)


def _same(one, other):
    # Los arreglos, si son la misma memoria vista igual; lo demás, si es igual.
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        both = isinstance(one, np.ndarray) and isinstance(other, np.ndarray)
        return both and _where(one) == _where(other)
    if type(one) in (list, tuple) and type(one) is type(other):
        return len(one) == len(other) and all(map(_same, one, other))
    if type(one) is dict and type(other) is dict:
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return one is other or (type(one) is type(other) and one == other)


def _where(array):
    return array.__array_interface__["data"][0], array.shape, array.strides, array.dtype


class Tape:
    r"""Lo que se va grabando.

    Parameters
    ----------
    before : Tape, optional
        La grabación anterior, con la que esta tiene que coincidir.
    asides : dict, optional
        A quién hay que apartar, y por qué.
    """

    def __init__(self, before=None, asides=None):
        self.before, self.asides = before, {} if asides is None else asides
        # Lo grabado, cada uno ``Call`` o ``Aside``; y de cada ``perform``, dónde empieza y acaba ahí, y de quién es.
        self.entries, self.spans = [], []
        # Por qué no se puede grabar lo que se está haciendo.
        self.why = None

    def spoil(self, why):
        r"""Anota por qué no se puede grabar."""
        self.why = self.why or why

    def call(self, kernel, arguments):
        r"""Llama a un núcleo y lo apunta."""
        arguments = tuple(unwatched(one) for one in arguments)
        # Lo que el núcleo haga por dentro es cosa suya.
        now.tape = None
        try:
            result = kernel(*arguments)
        finally:
            now.tape = self
        try:
            self.entries.append(Call(kernel, arguments, result))
        except Unrecordable as reason:
            self.spoil(str(reason))
        return result

    def perform(self, method, arguments, options):
        r"""Hace una llamada que se puede apartar."""
        # Lo que se apunte de aquí en adelante es de esta llamada; y lo que la estropee, también.
        start, outer, self.why = len(self.entries), self.why, None
        owner = _owner(method)
        if owner not in self.asides and _foreign(method):
            self.asides[owner] = "no es del libro"
        if owner in self.asides:
            return watched(self._put_aside(start, outer, method, arguments, options))
        result = method(*arguments, **options)
        if self.why is None and self._explains(start, result):
            self.spans.append((start, len(self.entries), owner))
            # Si al repetir falla un núcleo, el error lo da la llamada más pequeña que lo contiene.
            whole = functools.partial(method, *unwatched(arguments), **unwatched(options))
            for entry in self.entries[start:]:
                entry.within = entry.within or whole
            self.why = outer
            return watched(result)
        # Ya está hecha: solo hay que apuntarla de otra manera.
        self.asides[owner] = self.why or "lo que devuelve no es lo que da un núcleo"
        return watched(self._put_aside(start, outer, method, arguments, options, unwatched(result)))

    def _explains(self, start, result):
        # Un núcleo que devuelve un número, como una pérdida, solo se repite si ese número es lo que esta llamada
        # devuelve: lo que Python hiciera con él, al repetir no se haría. Los demás núcleos no devuelven nada.
        values = [entry.result for entry in self.entries[start:] if type(entry) is Call and entry.result is not None]
        arrays = result is None or isinstance(result, (np.ndarray, list))
        return not values if arrays else len(values) == 1 and values[0] is result and type(result) is float

    def _put_aside(self, start, outer, method, arguments, options, *done):
        # Lo apuntado desde ``start`` se cambia por la llamada entera, hecha con arreglos corrientes. ``done`` es lo que
        # dio, si ya se hizo.
        arguments, options = unwatched(arguments), unwatched(options)
        del self.entries[start:]
        self.spans = [span for span in self.spans if span[1] <= start]
        now.tape = None
        try:
            result = done[0] if done else unwatched(method(*arguments, **options))
        finally:
            now.tape = self
        aside = Aside(method, arguments, options, result, self.asides[_owner(method)])
        earlier = self.before.entries[start] if self.before and start < len(self.before.entries) else None
        if aside.same(earlier) and not isinstance(result, float):
            # Los que siguen ya saben en qué memoria esperarlo.
            earlier.keep(result)
            aside = earlier
        self.entries.append(aside)
        self.why = outer
        return aside.result

    def split(self):
        r"""Dice si de alguien se grabó una llamada y se apartó otra: lo que anota al ir le hace falta al volver."""
        return any(owner in self.asides for *_, owner in self.spans)

    def differing(self):
        r"""Da a quién hay que apartar para que esta grabación y la anterior coincidan; ``None``, si coinciden."""
        pairs = list(zip(self.entries, self.before.entries, strict=False))
        k = next((k for k, (a, b) in enumerate(pairs) if not a.same(b)), len(pairs))
        if k == len(self.entries) == len(self.before.entries):
            return None
        # El tramo más corto que contiene la primera diferencia; si nadie la contiene, no hay a quién apartar.
        spans = [span for span in self.spans if span[0] <= k < span[1]]
        return min(spans, key=lambda span: span[1] - span[0])[2] if spans else "todo"


def _owner(method):
    # De una capa se aparta a la vez lo que hace al ir y al volver.
    return method.__self__ if getattr(method, "__name__", None) in ("forward", "backward") else method


def _foreign(method):
    # Lo que no es del libro puede hacer cuentas sin que nadie se entere, y lo que lo contiene, también.
    return not all(map(registry.ours, _kinds(getattr(method, "__self__", method))))


def _kinds(owner):
    # Su clase y las de lo que tiene dentro, y las funciones.
    yield type(owner)
    for value in list(owner) if isinstance(owner, tuple) else list(getattr(owner, "__dict__", {}).values()):
        for one in value if type(value) in (list, tuple) else [value]:
            if isinstance(one, FunctionType):
                yield one
            elif isinstance(one, Configured):
                yield from _kinds(one)


class Recorder:
    r"""Los trabajos de un hilo: cada uno se hace, se graba dos veces y, si se puede, se repite.

    >>> from dlbook.numeric.kernel import kernel
    >>> @kernel
    ... def double(x, y):
    ...     for i in range(x.size):
    ...         y[i] = 2 * x[i]
    >>> x, y, z = np.ones(2), np.empty(2), np.empty(2)
    >>> def work():
    ...     double(x.view(Watched), y.view(Watched))
    ...     perform(np.add, y.view(Watched), 1, out=z.view(Watched))
    ...     return []
    >>> recorder = Recorder()
    >>> for number in (1.0, 2.0, 3.0, 4.0):
    ...     x[:] = number
    ...     _ = recorder.run("paso", work)
    ...     print(z, recorder.state("paso"))
    [3. 3.] hecho
    [5. 5.] grabado
    [7. 7.] repetible
    [9. 9.] repetible
    """

    def __init__(self):
        self.works = {}
        # Lo que se repite trozo por trozo: de cada uno, de qué depende y su ``Sweep``.
        self.sweeps = {}

    def state(self, key):
        r"""Dice cómo va un trabajo: ``nuevo``, ``hecho``, ``grabado``, ``repetible`` o ``imposible``."""
        work = self.works.get(key)
        return "nuevo" if work is None else work.state

    def ready(self, key):
        r"""Da lo grabado de un trabajo, si no hay nada que haga Python, y qué llamada da cada número que devuelve.

        Returns
        -------
        (Replay, list of (Replay, int) or None) or None
        """
        work = self.works.get(key)
        if work is None or work.state != "repetible" or len(work.pieces) != 1 or work.asides():
            return None
        return work.pieces[0], work.results

    def why(self, key):
        r"""Dice, de un trabajo imposible, por qué lo es; de los demás, qué llamadas hace Python."""
        work = self.works[key]
        return work.reason if work.state == "imposible" else [str(one) for one in work.asides()]

    def run(self, key, work):
        r"""Hace un trabajo y devuelve lo que devuelve: una lista de números, o ``None``, que dieron sus ``perform``.

        Parameters
        ----------
        key : hashable
            Qué trabajo es; si cambia la forma de lo que recibe, es otro.
        work : callable
            Lo hace. La primera vez nunca se graba: compila y pide memoria.
        """
        known = self.works.get(key)
        if known is None:
            self.works[key] = _Work()
            return work()
        return known.run(work)

    def forget(self):
        r"""Olvida lo grabado: algo cambió."""
        self.works.clear()
        self.sweeps.clear()


class _Work:
    r"""Un trabajo y cómo va.

    De ``hecho`` pasa a ``grabado``, con una grabación, y de ahí, si la segunda coincide, a ``repetible``. Si no
    coincide, se aparta a quien la hizo distinta y se vuelve a ``hecho``, a grabar otra vez. Cuando no hay a quién
    apartar, es ``imposible``: se hace siempre desde Python.
    """

    def __init__(self):
        self.state, self.attempts = "hecho", 0
        # La primera de las dos grabaciones; a quién hay que apartar, y por qué; y por qué es imposible.
        self.tape, self.apart, self.reason = None, {}, None
        # Lo que se repite, ``Replay`` y ``Aside``, y con qué se toma cada número que el trabajo devuelve.
        self.pieces = self.results = None

    def run(self, work):
        if self.state == "repetible":
            for piece in self.pieces:
                piece.run()
            return [taken(result) for result in self.results]
        if self.state == "imposible" or config.DISABLE_JIT:
            return work()
        return self._record(work)

    def _record(self, work):
        tape = now.tape = Tape(self.tape, self.apart)
        try:
            found = work()
        finally:
            now.tape = None
        self.attempts += 1
        apart = None
        if tape.why is None and self.tape is not None and not tape.split():
            apart = tape.differing()
        # ``tape.why``: algo se hizo fuera de los núcleos y de cualquier ``perform``.
        if tape.why is not None or apart == "todo" or self.attempts > MOST_ATTEMPTS:
            self.state, self.tape, self.reason = "imposible", None, tape.why or "cambia de un paso a otro"
        elif apart is not None or tape.split():
            if apart is not None:
                self.apart[apart] = "cambia de un paso a otro"
            # Se graba otra vez, con alguien más apartado: ``tape`` lo anotó en ``self.apart``, o se anota aquí.
            self.state, self.tape = "hecho", None
        elif self.tape is None:
            self.state, self.tape = "grabado", tape
        else:
            self._prepare(tape, found)
        return found

    def _prepare(self, tape, found):
        # Las llamadas seguidas van juntas; entre ellas, lo que hace Python. El ``None`` del final cierra las últimas.
        pieces, owners, calls = [], {}, []
        for entry in [*tape.entries, None]:
            if isinstance(entry, Call):
                calls.append(entry)
                continue
            if calls:
                replay = Replay(calls)
                pieces.append(replay)
                owners |= {id(call): (replay, k) for k, call in enumerate(calls)}
                calls = []
            if entry is not None:
                pieces.append(entry)
        results = []
        for value in found:
            entry = next((e for e in tape.entries if e.result is value), None)
            if value is not None and entry is None:
                self.state, self.tape, self.reason = "imposible", None, "devuelve algo que no salió de un perform"
                return
            results.append(None if value is None else entry if isinstance(entry, Aside) else owners[id(entry)])
        self.pieces, self.results, self.state, self.tape = pieces, results, "repetible", None

    def asides(self):
        return [piece for piece in self.pieces or () if isinstance(piece, Aside)]


def taken(result):
    r"""Da, después de repetir, uno de los números de un trabajo: de una llamada grabada, de una apartada o ninguno."""
    if isinstance(result, Aside):
        return result.result
    return None if result is None else result[0].result(result[1])
