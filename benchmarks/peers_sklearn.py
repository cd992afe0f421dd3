r"""Un paso de entrenamiento en scikit-learn, con ``partial_fit``."""

import sklearn
from protocol import data, serve, sizes
from sklearn.neural_network import MLPClassifier, MLPRegressor


def make(model, task, batch):
    if task != "fit":
        return None
    x, y = data(model)
    kind = MLPClassifier if model == "mlp" else MLPRegressor
    network = kind(hidden_layer_sizes=sizes(model)[1:-1], batch_size=batch, alpha=0.0, random_state=0)
    options = {"classes": range(10)} if model == "mlp" else {}

    def train(epochs):
        # Cada llamada recorre los datos una vez.
        for _ in range(epochs):
            network.partial_fit(x, y, **options)

    return train


if __name__ == "__main__":
    serve(make, {"scikit-learn": sklearn.__version__})
