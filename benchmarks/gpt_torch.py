r"""El GPT de ``benchmarks/gpt.py``, en PyTorch: los mismos pesos iniciales, lotes, tasa y pasos.

Usa lo más rápido que PyTorch tiene aquí: la atención fusionada (``scaled_dot_product_attention``), las tres
proyecciones en un solo producto y el AdamW fusionado; con ``compile``, además, el modelo compilado. Recibe el archivo
con los datos; escribe la pérdida de validación y los segundos, en JSON.
"""

import json
import math
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention


class Block(nn.Module):
    """Atención y red densa, cada una con su norma antes y su suma después."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gelu = nn.GELU(approximate="tanh")

    def forward(self, x):
        """Suma lo que encuentra la atención y lo que calcula la red densa."""
        n, length, width = x.shape
        parts = self.qkv(self.norm_1(x)).view(n, length, 3, self.heads, -1).transpose(1, 3)
        z = scaled_dot_product_attention(*parts.unbind(2), is_causal=True)
        x = x + self.project(z.transpose(1, 2).reshape(n, length, width))
        return x + self.down(self.gelu(self.up(self.norm_2(x))))


class GPT(nn.Module):
    """El modelo; con ``tied``, los puntajes salen de la misma tabla de las letras."""

    def __init__(self, letters, length, width, heads, blocks, tied):
        super().__init__()
        self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(blocks)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters, bias=False)
        if tied:
            self.head.weight = self.letters.weight

    def forward(self, ids):
        """Da los puntajes de la letra que sigue a cada una."""
        x = self.letters(ids) + self.places.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def main(path, compiled):
    data = np.load(path)
    number = {name: data[name].item() for name in data.files if not data[name].shape}
    torch.set_num_threads(number["threads"])
    torch.manual_seed(0)
    sizes = [number[name] for name in ("letters", "length", "width", "heads", "blocks", "tied")]
    model = GPT(*sizes)
    weights = dict(model.named_parameters())
    for name, weight in weights.items():
        weight.data.copy_(torch.from_numpy(data[name]))
    ids, test = (torch.from_numpy(data[name]) for name in ("train", "test"))
    steps, batch, length = (number[name] for name in ("steps", "batch", "length"))
    options = {"lr": number["rate"], "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": number["decay"]}
    optimizer = torch.optim.AdamW(model.parameters(), fused=True, **options)
    starts = torch.from_numpy(data["starts"]).reshape(-1, batch, 1) + torch.arange(length)
    run = torch.compile(model) if compiled else model
    # Compilar no es entrenar: una ida y una vuelta, antes de tomar el tiempo.
    cross_entropy(run(ids[starts[0]]).flatten(0, 1), ids[starts[0] + 1].flatten()).backward()
    history, total = [], 0.0
    wall, cpu = time.perf_counter(), time.process_time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_of(step, number)
        rows = starts[step]
        loss = cross_entropy(run(ids[rows]).flatten(0, 1), ids[rows + 1].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
        if (step + 1) % max(1, steps // 20) == 0:
            history.append(round(total / max(1, steps // 20), 5))
            total = 0.0
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    found = {"validation": round(surprise(model, test, length), 4), "loss": history}
    times = {"seconds": round(wall, 1), "cpu_seconds": round(cpu, 1)}
    print(json.dumps(found | times | {"torch": torch.__version__, "threads": torch.get_num_threads()}))


def rate_of(step, number):
    """Da la tasa de un paso: sube en línea recta y baja como medio coseno."""
    warmup, top, floor = number["warmup"], number["rate"], number["floor"]
    if step < warmup:
        return top * step / warmup
    share = min((step - warmup) / (number["steps"] - warmup), 1)
    return floor + (top - floor) * (1 + math.cos(math.pi * share)) / 2


def surprise(model, test, length):
    """Da la pérdida media del texto apartado, en filas que no comparten letras."""
    lines = (len(test) - 1) // length
    x, y = (part[: lines * length].reshape(lines, length) for part in (test[:-1], test[1:]))
    lost = 0.0
    with torch.no_grad():
        for some, wanted in zip(x.split(128), y.split(128), strict=True):
            lost += cross_entropy(model(some).flatten(0, 1).double(), wanted.flatten(), reduction="sum").item()
    return lost / x.numel()


if __name__ == "__main__":
    main(sys.argv[1], "compile" in sys.argv)
