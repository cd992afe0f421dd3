"""El reloj mide, y lo que se esperaba de una medida se avisa sin detener a nadie."""

import time

import pytest

from dlbook import clock


def test_the_fastest_run_is_measured_and_the_first_does_not_count():
    waits, ran = [0.05, 0.03, 0.001, 0.03], []

    def run():
        ran.append(len(ran))
        time.sleep(waits[ran[-1]])

    assert 0.001 <= clock.fastest(run, 3) < 0.03
    assert ran == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("run", "repeat", "error", "message"),
    [
        (3, 1, TypeError, "run: se esperaba una función, pero llegó int"),
        (int, 0, ValueError, "repeat: "),
        (int, 1.5, TypeError, "repeat: "),
    ],
)
def test_nonsense_is_answered_with_a_sentence(run, repeat, error, message):
    with pytest.raises(error, match=message):
        clock.fastest(run, repeat)


def test_a_claim_that_does_not_hold_is_told(capsys, monkeypatch):
    monkeypatch.delenv("DLBOOK_CLOCK", raising=False)
    clock.expect(True, "tarda menos")
    assert capsys.readouterr().out == ""
    clock.expect(False, "tarda menos")
    assert "En esta corrida no se cumplió que tarda menos:" in capsys.readouterr().out


def test_a_claim_that_does_not_hold_stops_whoever_asks_for_it(monkeypatch):
    monkeypatch.setenv("DLBOOK_CLOCK", "strict")
    clock.expect(True, "tarda menos")
    with pytest.raises(AssertionError, match="no se cumplió que tarda menos"):
        clock.expect(False, "tarda menos")
