"""A un argumento se le puede asignar después lo mismo que admite el constructor, y nada más."""

import pytest

from chapters.mlp import Adam, Dense, Input, Sequential
from dlbook.saving.objects import parameters, required
from tests.contract import cases
from tests.contract.hostile import WRONG, attempt

# Un caso de cada clase, con todas sus partes: el último, que suele ser el más completo.
EVERY = list({(case.kind, case.name): case for kind in cases.TABLES for case in cases.listed(kind)}.values())


@cases.over(EVERY)
def test_what_the_constructor_refuses_is_refused_when_assigned_later(case):
    built = None
    if case.kind == "layer":
        built = case.make()
        built.build(case.received)
    fresh = case.make()
    for name in parameters(case.cls):
        for what, value in WRONG.items():
            where = f"{case.name}.{name} = {what}"
            _, refused = attempt(where, lambda a=name, v=value: case.make(**{a: v}))
            for instance in (fresh, built):
                if instance is None:
                    continue
                before = dict(vars(instance))
                _, later = attempt(where, lambda i=instance, a=name, v=value: setattr(i, a, v))
                assert later or not refused, f"{where}: el constructor no lo admite, y al asignarlo pasó"
                if later:
                    assert all(vars(instance)[a] is v for a, v in before.items()), where
                elif instance is fresh:
                    fresh = case.make()
                elif instance is built:
                    built = case.make()
                    built.build(case.received)


@cases.over(EVERY)
def test_an_argument_that_does_not_exist_is_said_in_spanish(case):
    with pytest.raises(TypeError, match=f"^{case.name}: el libro no tiene el argumento 'inventado'; "):
        case.make(inventado=3)
    known = [name for name in parameters(case.cls) if name not in case.arguments and len(name) > 4]
    for name in known:
        with pytest.raises(
            TypeError, match=f"no tiene el argumento '{name[:-1]}'; (el más parecido es|aquí se llama) '"
        ):
            case.make(**{name[:-1]: 3})


@cases.over(EVERY)
def test_too_many_arguments_or_too_few_are_said_in_spanish(case):
    with pytest.raises(TypeError, match=r"^[A-Z].*(se esperaban a lo sumo .* sin nombre|llegó dos veces)"):
        case.cls(*range(40), **{name: cases.made(value) for name, value in case.arguments.items()})
    needed = required(case.cls)
    for name in needed:
        rest = {key: cases.made(value) for key, value in case.arguments.items() if key in needed and key != name}
        with pytest.raises(TypeError, match=f"^{case.name}: falta el argumento"):
            case.cls(**rest)


@pytest.mark.parametrize("method", ["compile", "fit", "evaluate", "predict", "summary"])
def test_the_methods_of_a_model_say_it_too(method):
    model = Sequential([Input((2,)), Dense(1)])
    call = getattr(model, method)
    with pytest.raises(TypeError, match=f"^{method}: el libro no tiene el argumento 'inventado'; "):
        call(inventado=3)
    with pytest.raises(TypeError, match=f"^{method}: se esperaban a lo sumo"):
        call(*range(40))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Adam(lr=0.1), "Adam: el libro no tiene el argumento 'lr'; aquí se llama 'learning_rate'"),
        (lambda: Dense(output_dim=3), "aquí se llama 'units'"),
        (lambda: Sequential().fit(1, 2, nb_epoch=3), "fit: el libro no tiene el argumento 'nb_epoch'; aquí se llama"),
        (lambda: Sequential().fit(), "fit: falta el argumento 'x'"),
        (lambda: Dense(3, kernel_initialiser=1), "el más parecido es 'kernel_initializer'"),
    ],
)
def test_former_names_are_recognised(call, text):
    with pytest.raises(TypeError, match=text):
        call()


@pytest.mark.parametrize(
    ("name", "argument", "good", "stored"),
    [
        ("Conv2D", "strides", 2, (2, 2)),
        ("Dense", "activation", "relu", "ReLU()"),
        ("MaxPooling2D", "padding", "SAME", "same"),
        ("L2", "l2", 1, 1.0),
        ("HeNormal", "seed", 3, 3),
        ("LeakyReLU", "negative_slope", 0, 0.0),
        ("EarlyStopping", "patience", 3, 3),
    ],
)
def test_what_is_assigned_later_is_kept_as_the_constructor_keeps_it(name, argument, good, stored):
    instance = next(case for case in EVERY if case.name == name).make()
    setattr(instance, argument, good)
    assert getattr(instance, argument) == stored or repr(getattr(instance, argument)) == stored
