r"""Un paso de entrenamiento en PyTorch, sin compilar; los lotes se le dan ya en orden, sin barajar.

Con ``fused`` como argumento usa el Adam fusionado, que no es el que viene puesto.
"""

import sys

import torch
from protocol import SIZES, data, serve


def make(model, batch):
    torch.manual_seed(0)
    x, y = (torch.from_numpy(array) for array in data(model))
    layers = []
    for inputs, outputs in zip(SIZES[model], SIZES[model][1:]):  # noqa: B905
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    loss = torch.nn.functional.cross_entropy if model == "mlp" else torch.nn.functional.mse_loss
    optimizer = torch.optim.Adam(network.parameters(), fused="fused" in sys.argv or None)

    def train(epochs):
        for _ in range(epochs):
            for start in range(0, len(x), batch):
                optimizer.zero_grad()
                loss(network(x[start : start + batch]), y[start : start + batch]).backward()
                optimizer.step()

    return train


if __name__ == "__main__":
    serve(make, {"torch": torch.__version__, "threads": torch.get_num_threads()})
