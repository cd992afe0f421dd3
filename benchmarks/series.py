r"""Manchas solares y dióxido de carbono: la red contra lo sencillo; los resultados, en ``docs/resultados/series.json``.

Se ejecuta con ``python -m benchmarks.series``. Tarda unos minutos.
"""

from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.mlp import Adam, Dense, Input, Sequential
from chapters.rnn import LSTM, Autoregression, SimpleRNN, mase, seasonal_naive
from dlbook.callbacks import EarlyStopping
from dlbook.data import load_co2, load_sunspots

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "series.json"
SEEDS = range(10)
UNITS, BATCH, EPOCHS, PATIENCE, RATE = 32, 32, 300, 30, 3e-3
# De qué tamaños de ventana se escoge con la validación el modelo lineal; la red mira la mayor.
ORDERS = {"sunspots": range(1, 21), "co2": range(1, 25)}
PERIODS = {"sunspots": 1, "co2": 12}
LAYERS = {"rnn": SimpleRNN, "lstm": LSTM}


def main():
    results = {
        **header("benchmarks.series", list(SEEDS)),
        **{"units": UNITS, "batch_size": BATCH, "epochs": EPOCHS, "patience": PATIENCE, "learning_rate": RATE},
    }
    years, spots = load_sunspots()
    months, ppm = monthly(*load_co2())
    results["sunspots"] = compared("sunspots", years.tolist(), spots, differences=False)
    results["co2"] = compared("co2", [str(m) for m in months], ppm, differences=True)
    store(RESULTS, results)


def monthly(dates, ppm):
    """El promedio de cada mes; los pocos meses sin datos, en la recta entre sus vecinos."""
    month = dates.astype("datetime64[M]")
    months = np.arange(month[0], month[-1] + 1)
    known = np.isfinite(ppm)
    sums, counts = (np.bincount((month - months[0]).astype(int)[known], w) for w in (ppm[known], None))
    seen = counts > 0
    means = sums[seen] / counts[seen]
    return months, np.interp(np.arange(len(months)), np.flatnonzero(seen), means)


def compared(name, dates, series, differences):
    """Los errores, en MASE, de cada método en el tramo de prueba, que ninguno vio."""
    a, b = (int(part * len(series)) for part in (0.7, 0.85))
    period = PERIODS[name]

    def score(values, start, stop):
        return round(mase(series[start:stop], values, series[:a], period), 4)

    # Lo que se pronostica: el propio valor, o cuánto cambia; y lo que hay que sumarle para volver al valor.
    worked = np.diff(series, prepend=series[0]) if differences else series
    back = np.r_[series[0], series[:-1]] if differences else np.zeros(len(series))

    def windows(length, start, stop):
        return np.array([worked[t - length : t] for t in range(start, stop)])

    def linear(order, start, stop):
        model = Autoregression(order).fit(worked[:a])
        return back[start:stop] + model.predict(windows(order, start, stop))

    orders = {order: score(linear(order, a, b), a, b) for order in ORDERS[name]}
    order = min(orders, key=orders.get)
    found = {
        "dates": dates[b:],
        "train": a,
        "validation": b,
        "naive": score(series[b - 1 : -1], b, len(series)),
        "seasonal": score(seasonal(series, b, {"sunspots": 11, "co2": 12}[name]), b, len(series)),
        "order": order,
        "orders": list(orders.values()),
        "linear": score(linear(order, b, len(series)), b, len(series)),
        "true": series[b:].round(3).tolist(),
        "linear_predicted": linear(order, b, len(series)).round(3).tolist(),
    }
    length = max(ORDERS[name])
    mean, scale = worked[:a].mean(), worked[:a].std()
    x = [(windows(length, *ends) - mean)[..., None] / scale for ends in ((length, a), (a, b), (b, len(series)))]
    y = [(worked[s:e] - mean) / scale for s, e in ((length, a), (a, b))]
    for kind, layer in LAYERS.items():
        scores, validated, epochs, wrong = [], [], [], []
        for seed in SEEDS:
            model = Sequential([Input((length, 1)), layer(UNITS), Dense(1)], seed=seed)
            model.compile(Adam(RATE), "mse")
            stop = EarlyStopping(patience=PATIENCE, restore_best_weights=True)
            history = model.fit(x[0], y[0], BATCH, EPOCHS, validation_data=(x[1], y[1]), callbacks=[stop], verbose=0)
            epochs.append(len(history.history["loss"]))
            for part, k, s, e in ((validated, 1, a, b), (scores, 2, b, len(series))):
                predicted = back[s:e] + scale * model.predict(x[k], verbose=0)[:, 0].astype(float) + mean
                part.append(score(predicted, s, e))
            wrong.append(np.abs(predicted - series[b:]))
            if seed == SEEDS[0]:
                found[f"{kind}_predicted"] = predicted.round(3).tolist()
            print(name, kind, seed, epochs[-1], validated[-1], scores[-1], flush=True)
        found[kind], found[f"{kind}_validation"], found[f"{kind}_epochs"] = scores, validated, epochs
        # Cuánto se le gana a la recta en cada valor de la prueba: la media y su error típico.
        gain = np.abs(linear(order, b, len(series)) - series[b:]) - np.mean(wrong, axis=0)
        gain /= np.abs(series[period:a] - series[: a - period]).mean()
        found[f"{kind}_gain"] = [round(float(gain.mean()), 4), round(float(gain.std() / np.sqrt(len(gain))), 4)]
    return found


def seasonal(series, start, period):
    """Cada valor, como el de hace un periodo: sabe todo lo anterior, y nada más."""
    return np.array([seasonal_naive(series[:t], 1, period)[0] for t in range(start, len(series))])


if __name__ == "__main__":
    main()
