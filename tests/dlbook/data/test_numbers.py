"""Los números en palabras, contra una tabla escrita a mano y contra la gramática leída al revés."""

import pytest

from dlbook.data import spanish_number
from dlbook.data.numbers import HUNDREDS, SMALL, TENS

TABLE = {
    0: "cero",
    1: "uno",
    9: "nueve",
    10: "diez",
    15: "quince",
    16: "dieciséis",
    20: "veinte",
    21: "veintiuno",
    22: "veintidós",
    23: "veintitrés",
    26: "veintiséis",
    29: "veintinueve",
    30: "treinta",
    31: "treinta y uno",
    99: "noventa y nueve",
    100: "cien",
    101: "ciento uno",
    116: "ciento dieciséis",
    121: "ciento veintiuno",
    200: "doscientos",
    500: "quinientos",
    700: "setecientos",
    777: "setecientos setenta y siete",
    900: "novecientos",
    999: "novecientos noventa y nueve",
    1000: "mil",
    1001: "mil uno",
    1100: "mil cien",
    1492: "mil cuatrocientos noventa y dos",
    2000: "dos mil",
    11_000: "once mil",
    21_000: "veintiún mil",
    31_000: "treinta y un mil",
    31_031: "treinta y un mil treinta y uno",
    100_000: "cien mil",
    100_100: "cien mil cien",
    101_000: "ciento un mil",
    121_121: "ciento veintiún mil ciento veintiuno",
    200_001: "doscientos mil uno",
    501_501: "quinientos un mil quinientos uno",
    999_999: "novecientos noventa y nueve mil novecientos noventa y nueve",
}


@pytest.mark.parametrize("n", TABLE)
def test_the_table(n):
    assert spanish_number(n) == TABLE[n]


def worth(words):
    """Cuánto vale lo leído: se suma cada palabra, y «mil» multiplica lo que va delante."""
    value = {word: n for n, word in enumerate(SMALL)} | {word: 10 * n for n, word in enumerate(TENS, 3)}
    value |= {word: 100 * n for n, word in enumerate(HUNDREDS, 1)} | {"cien": 100, "un": 1, "veintiún": 21, "y": 0}
    total = 0
    for word in words.split():
        total = max(total, 1) * 1000 if word == "mil" else total + value[word]
    return total


def test_reading_gives_the_number_back():
    numbers = [*range(3000), *range(3000, 1_000_000, 97), 999_999]
    assert [n for n in numbers if worth(spanish_number(n)) != n] == []


def test_two_numbers_are_never_read_the_same():
    assert len({spanish_number(n) for n in range(20_000)}) == 20_000


def test_y_goes_between_tens_and_units_only():
    for n in range(1000):
        tens, units = n % 100 // 10, n % 10
        assert (" y " in spanish_number(n)) == (tens > 2 and units > 0)


def test_uno_is_never_before_mil():
    read = [spanish_number(n) for n in range(1000, 1_000_000, 1000)]
    assert [words for words in read if "uno mil" in words or words.startswith("un mil")] == []


@pytest.mark.parametrize("wrong", [-1, 1_000_000, 2.5, "tres", None, True])
def test_what_is_not_a_number_we_can_read(wrong):
    with pytest.raises((TypeError, ValueError), match=r"^n: se esperaba"):
        spanish_number(wrong)
