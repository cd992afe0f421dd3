r"""Un paso de entrenamiento en PyTorch, sin compilar; los lotes se le dan ya en orden, sin barajar.

Con ``fused`` como argumento usa el Adam fusionado, que no es el que viene puesto; con ``channels_last`` guarda las
imágenes y los filtros con los canales al final.
"""

import sys

import torch
from protocol import MODELS, data, serve
from torch import nn

LAYERS = {
    "dense": lambda units, activation=None: [nn.LazyLinear(units)] + [nn.ReLU()] * bool(activation),
    "conv": lambda filters, size, padding: [nn.LazyConv2d(filters, size, padding=padding), nn.ReLU()],
    "pool": lambda: [nn.MaxPool2d(2)],
    "flatten": lambda: [nn.Flatten()],
}


def make(model, batch):
    torch.manual_seed(0)
    x, y = (torch.from_numpy(array) for array in data(model))
    if x.ndim == 4:
        x = x.permute(0, 3, 1, 2).contiguous()
    network = nn.Sequential(*(m for kind, *arguments in MODELS[model]["layers"] for m in LAYERS[kind](*arguments)))
    network(x[:1])
    if "channels_last" in sys.argv:
        x, network = (value.to(memory_format=torch.channels_last) for value in (x, network))
    classes = MODELS[model]["target"] == "classes"
    loss = nn.functional.cross_entropy if classes else nn.functional.mse_loss
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
