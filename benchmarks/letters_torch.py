r"""El modelo de letras de ``benchmarks/letters.py``, en PyTorch: los mismos pesos iniciales, lotes, tasa y pasos.

Recibe el archivo con todo eso; escribe los bits por carácter y los segundos, en JSON.
"""

import json
import math
import sys
import time

import numpy as np
import torch
from torch import nn


class Letters(nn.Module):
    """Tabla, LSTM y salida lineal. Donde Keras tiene un sesgo, PyTorch dos: el segundo se queda en cero."""

    def __init__(self, table, kernel, recurrent, bias, dense, dense_bias):
        super().__init__()
        self.table = nn.Embedding.from_pretrained(table, freeze=False)
        self.lstm = nn.LSTM(table.shape[1], recurrent.shape[0], batch_first=True)
        self.out = nn.Linear(*dense.shape)
        pairs = zip(self.lstm.parameters(), (kernel.T, recurrent.T, bias, torch.zeros_like(bias)), strict=True)
        for weight, value in (*pairs, (self.out.weight, dense.T), (self.out.bias, dense_bias)):
            weight.data.copy_(value)
        self.lstm.bias_hh_l0.requires_grad_(False)

    def forward(self, ids, state=None):
        """Da los puntajes de la letra siguiente y el estado."""
        h, state = self.lstm(self.table(ids), state)
        return self.out(h), state


def main(path):
    data = np.load(path)
    torch.set_num_threads(int(data["threads"]))
    model = Letters(*(torch.from_numpy(data[f"w{k}"]) for k in range(6)))
    ids, test = (torch.from_numpy(data[name]) for name in ("train", "test"))
    steps, batch, length, rate = int(data["steps"]), int(data["batch"]), int(data["length"]), float(data["rate"])
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(learned, rate, eps=float(data["epsilon"]))
    starts = torch.from_numpy(data["starts"]).reshape(steps, batch, 1) + torch.arange(length)
    loss_of, history, total = nn.CrossEntropyLoss(), [], 0.0
    wall, cpu = time.perf_counter(), time.process_time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 + math.cos(math.pi * step / steps)) / 2
        rows = starts[step]
        logits, _ = model(ids[rows])
        loss = loss_of(logits.flatten(0, 1), ids[rows + 1].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        if (step + 1) % (steps // 10) == 0:
            history.append(round(total / (steps // 10), 5))
            total = 0.0
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    lost, state = 0.0, None
    with torch.no_grad():
        for part, wanted in zip(test[:-1].split(4096), test[1:].split(4096), strict=True):
            logits, state = model(part[None], state)
            lost += nn.functional.cross_entropy(logits[0].double(), wanted, reduction="sum").item()
    found = {"bits": round(lost / (len(test) - 1) / math.log(2), 4), "loss": history}
    times = {"seconds": round(wall, 1), "cpu_seconds": round(cpu, 1)}
    print(json.dumps(found | times | {"torch": torch.__version__, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main(sys.argv[1])
