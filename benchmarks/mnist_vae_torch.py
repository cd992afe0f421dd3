r"""El autocodificador variacional de ``benchmarks/mnist_vae.py``, en PyTorch: el mismo modelo y los mismos pasos.

Recibe el archivo con las imágenes, y los números del entrenamiento; escribe la cota, en JSON. Los pesos empiezan con la
misma distribución, la de Glorot, y Adam usa el mismo :math:`\epsilon`.
"""

import json
import sys

import numpy as np
import torch
from torch import nn


class Vae(nn.Module):
    """El modelo, con sus dos caminos: al ir, las dos partes de la cota."""

    def __init__(self, size, hidden, latent):
        super().__init__()
        self.inside, self.mean, self.log_var = (
            nn.Linear(size, hidden),
            nn.Linear(hidden, latent),
            nn.Linear(hidden, latent),
        )
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, size))
        for name, weight in self.named_parameters():
            nn.init.zeros_(weight) if name.endswith("bias") else nn.init.xavier_uniform_(weight)

    def forward(self, x):
        """Da la reconstrucción y la divergencia de cada imagen, en nats."""
        h = nn.functional.relu(self.inside(x))
        mean, log_var = self.mean(h), self.log_var(h)
        z = mean + torch.exp(log_var / 2) * torch.randn_like(mean)
        reconstruction = -nn.functional.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="none").sum(1)
        return reconstruction, (mean**2 + log_var.exp() - 1 - log_var).sum(1) / 2


def main(path, latent, seed, hidden, batch, epochs, rate, samples):
    latent, seed, hidden, batch, epochs, samples = map(int, (latent, seed, hidden, batch, epochs, samples))
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    x, x_test = (torch.from_numpy(np.load(path)[name].astype(np.float32)) for name in ("x", "x_test"))
    model = Vae(x.shape[1], hidden, latent)
    optimizer = torch.optim.Adam(model.parameters(), float(rate), eps=1e-7)
    history = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(batch):
            reconstruction, kl = model(x[rows])
            loss = (kl - reconstruction).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(round(total / len(x), 5))
    with torch.no_grad():
        draws = [[part.mean().item() for part in model(x_test)] for _ in range(samples)]
    reconstruction, kl = np.mean(draws, axis=0)
    found = {"elbo": reconstruction - kl, "reconstruction": reconstruction, "kl": kl}
    found = {name: round(value, 3) for name, value in found.items()}
    version = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps(found | {"history": history} | version))


if __name__ == "__main__":
    main(*sys.argv[1:])
