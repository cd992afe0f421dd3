r"""El mismo traductor en PyTorch: lo llama ``benchmarks/translation.py``, con un intérprete que tenga PyTorch.

Recibe un ``.npz`` con los lotes y los números del entrenamiento, y escribe un JSON con la pérdida, los segundos y lo
traducido de las frases de la prueba. Las capas son las de PyTorch, con su atención fundida; los pesos
con que empieza vienen en el ``.npz``, y son los de aquí.
"""

import json
import math
import sys
import time

import numpy as np
import torch
from torch import nn


class Attention(nn.Module):
    """Atención de varias cabezas."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))

    def forward(self, query, value, mask=None, causal=False):
        """Mira con unas consultas unos valores."""

        def split(x):
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        q, k, v = split(self.query(query)), split(self.key(value)), split(self.value(value))
        z = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.output(z.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Un bloque: con ``cross``, el del decodificador."""

    def __init__(self, width, heads, intermediate, cross):
        super().__init__()
        # En el orden en que vienen los pesos: el decodificador deja su última norma para el final.
        self.own, self.own_norm = Attention(width, heads), nn.LayerNorm(width)
        feed_norm = nn.LayerNorm(width)
        if cross:
            self.cross, self.cross_norm = Attention(width, heads), nn.LayerNorm(width)
        else:
            self.feed_norm = feed_norm
        self.up, self.down = nn.Linear(width, intermediate), nn.Linear(intermediate, width)
        if cross:
            self.feed_norm = feed_norm

    def forward(self, x, mask=None, read=None, causal=False):
        """Suma a la corriente lo de cada subcapa."""
        h = self.own_norm(x)
        x = x + self.own(h, h, mask if read is None else None, causal)
        if read is not None:
            x = x + self.cross(self.cross_norm(x), read, mask)
        return x + self.down(nn.functional.relu(self.up(self.feed_norm(x))))


class Translator(nn.Module):
    """Codificador y decodificador con una sola tabla."""

    def __init__(self, tokens, width, heads, blocks, intermediate, length):
        super().__init__()
        self.table = nn.Embedding(tokens, width)
        self.register_buffer("places", sines(length, width))
        self.encoder = nn.ModuleList(Block(width, heads, intermediate, False) for _ in range(blocks))
        self.read_norm = nn.LayerNorm(width)
        self.decoder = nn.ModuleList(Block(width, heads, intermediate, True) for _ in range(blocks))
        self.write_norm = nn.LayerNorm(width)
        self.scale = math.sqrt(width)

    @torch.no_grad()
    def begin(self, weights):
        """Empieza con los pesos de aquí: una matriz guarda sus entradas primero, y ``Linear``, sus salidas."""
        for (name, mine), given in zip(self.named_parameters(), weights, strict=True):
            given = torch.from_numpy(given)
            if mine.dim() == 2 and name != "table.weight":
                given = given.reshape(mine.shape[::-1]).T
            mine.copy_(given.reshape(mine.shape))

    def enter(self, tokens):
        """Da los vectores de unas fichas, con sus posiciones."""
        return self.table(tokens) * self.scale + self.places[: tokens.shape[1]]

    def read(self, source):
        """Lee: la memoria y su máscara."""
        mask = (source != 0)[:, None, None]
        x = self.enter(source)
        for block in self.encoder:
            x = block(x, mask)
        return self.read_norm(x), mask

    def write(self, written, read, mask):
        """Da los puntajes de lo que sigue en cada posición."""
        x = self.enter(written)
        for block in self.decoder:
            x = block(x, mask, read, causal=True)
        return nn.functional.linear(self.write_norm(x), self.table.weight)


def sines(length, width):
    places = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(0, width, 2) / width)
    return torch.stack([places.sin(), places.cos()], -1).flatten(1)


def main():
    data = np.load(sys.argv[1])
    get = {name: data[name].item() for name in data.files if data[name].ndim == 0}
    torch.set_num_threads(get["threads"])
    sizes = {name: get[name] for name in ("tokens", "width", "heads", "blocks", "intermediate", "length")}
    model = Translator(**sizes)
    starts = sorted(name for name in data.files if name.startswith("start_"))
    model.begin([data[name] for name in starts])
    count = sum(w.numel() for w in model.parameters())
    source, target = (torch.from_numpy(data[name].astype(np.int64)) for name in ("source", "target"))
    optimizer = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, get["beta_2"]), eps=get["epsilon"], fused=True)
    losses = []
    start, cpu = time.perf_counter(), time.process_time()
    for step, rows in enumerate(data["batches"]):
        x, y = source[rows], target[rows]
        x, y = x[:, : int((x != 0).sum(1).max())], y[:, : int((y != 0).sum(1).max())]
        for group in optimizer.param_groups:
            group["lr"] = float(data["rates"][step])
        logits = model.write(y[:, :-1], *model.read(x))
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1), y[:, 1:].flatten(), ignore_index=0, label_smoothing=get["smoothing"]
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), get["clip"])
        optimizer.step()
        losses.append(round(loss.item(), 4))
        if (step + 1) % get["report"] == 0:
            print(step + 1, losses[-1], round(time.perf_counter() - start), file=sys.stderr, flush=True)
    about = {"loss": losses, "seconds": round(time.perf_counter() - start, 1)}
    about |= {"cpu_seconds": round(time.process_time() - cpu, 1), "weights": count, "version": torch.__version__}
    written = greedy(model, torch.from_numpy(data["test"].astype(np.int64)), get)
    print(json.dumps({**about, "written": written}))


@torch.no_grad()
def greedy(model, source, get, rows=256):
    found = []
    for k in range(0, len(source), rows):
        read, mask = model.read(source[k : k + rows])
        written = torch.full((len(read), 1), get["start"])
        for _ in range(get["longest"]):
            token = model.write(written, read, mask)[:, -1].argmax(-1, keepdim=True)
            written = torch.cat([written, token], 1)
            if (written == get["end"]).any(1).all():
                break
        found += written[:, 1:].tolist()
    return found


if __name__ == "__main__":
    main()
