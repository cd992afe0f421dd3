r"""Un paso de entrenamiento en PyTorch, o predecir y evaluar; los lotes se le dan ya en orden, sin barajar.

Usa el Adam fusionado, que no es el que viene puesto y es más rápido. Con ``channels_last`` como argumento guarda las
imágenes y los filtros con los canales al final, y con ``compile`` compila la red y su pérdida.
"""

import sys

import torch
from protocol import CHUNKS, MODELS, RECURRENT, data, quickest, serve
from torch import nn

CHANNELS_LAST = "channels_last" in sys.argv
COMPILED = "compile" in sys.argv
ACTIVATIONS = {None: nn.Identity, "relu": nn.ReLU, "leaky_relu": lambda: nn.LeakyReLU(0.2), "sigmoid": nn.Sigmoid}


def conv(filters, size, padding, activation="relu", strides=1):
    padding = size // 2 if padding == "same" and strides > 1 else padding
    return [nn.LazyConv2d(filters, size, strides, padding), ACTIVATIONS[activation]()]


def transpose(filters, size, activation="relu"):
    # Con ese relleno la salida mide el doble.
    options = {"padding": (size - 1) // 2, "output_padding": size % 2}
    return [nn.LazyConvTranspose2d(filters, size, 2, **options), ACTIVATIONS[activation]()]


class Reshape(nn.Module):
    """Pone los números de una fila en una imagen."""

    def __init__(self, height, width, channels):
        super().__init__()
        self.shape = channels, height, width

    def forward(self, x):
        """Cambia la forma."""
        x = x.reshape(-1, *self.shape)
        return x.contiguous(memory_format=torch.channels_last) if CHANNELS_LAST else x


class Sample(nn.Module):
    """El código de un VAE: media, logaritmo de la varianza y un sorteo; guarda su divergencia."""

    def __init__(self, size):
        super().__init__()
        self.mean, self.log_var = nn.LazyLinear(size), nn.LazyLinear(size)

    def forward(self, x):
        """Sortea."""
        mean, log_var = self.mean(x), self.log_var(x)
        self.divergence = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1).mean()
        return mean + torch.randn_like(mean) * (0.5 * log_var).exp()


class Recurrent(nn.Module):
    """Una capa recurrente que da el estado de cada paso."""

    def __init__(self, kind, size, units):
        super().__init__()
        self.inside = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[kind](size, units, batch_first=True)

    def forward(self, x):
        """Lee las secuencias."""
        return self.inside(x)[0]


class Tokens(nn.Module):
    """El vector de cada palabra más el de su lugar."""

    def __init__(self, words, length, width):
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(length, width)

    def forward(self, x):
        """Los suma."""
        return self.words(x) + self.places.weight[: x.shape[1]]


class Block(nn.Module):
    """Un bloque de GPT: normaliza, atiende a lo anterior y suma; normaliza, dos densas y suma."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        # Las consultas, las claves y los valores salen de un solo producto.
        self.together, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.dense = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        """Suma las dos partes a lo que entró."""
        n, steps, width = x.shape
        parts = self.together(self.norms[0](x)).view(n, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        z = nn.functional.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.output(z.transpose(1, 2).reshape(n, steps, width))
        return x + self.dense(self.norms[1](x))


LAYERS = {
    **{kind: lambda size, units, kind=kind: [Recurrent(kind, size, units)] for kind in RECURRENT},
    "embedding": lambda letters, size: [nn.Embedding(letters, size)],
    "tokens": lambda *sizes: [Tokens(*sizes)],
    "block": lambda width, heads: [Block(width, heads)],
    "norm": lambda width: [nn.LayerNorm(width)],
    "dense": lambda units, activation=None: [nn.LazyLinear(units), ACTIVATIONS[activation]()],
    "conv": conv,
    "transpose": transpose,
    "pool": lambda: [nn.MaxPool2d(2)],
    "up": lambda: [nn.Upsample(scale_factor=2)],
    "flatten": lambda: [nn.Flatten()],
    "reshape": lambda *shape: [Reshape(*shape)],
    "sample": lambda size: [Sample(size)],
    "keep": lambda: ["keep"],
    "join": lambda: ["join"],
}


class Network(nn.Module):
    """Las capas de una red, con sus saltos."""

    def __init__(self, layers):
        super().__init__()
        self.steps = [m for kind, *arguments in layers for m in LAYERS[kind](*arguments)]
        self.inside = nn.ModuleList([m for m in self.steps if isinstance(m, nn.Module)])

    def forward(self, x):
        """Recorre las capas."""
        kept = []
        for step in self.steps:
            if step == "keep":
                kept.append(x)
            else:
                x = torch.cat([kept.pop(), x], 1) if step == "join" else step(x)
        return x

    def built(self, x):
        """Crea los pesos que faltan, con una entrada de muestra."""
        self(x)
        return self.to(memory_format=torch.channels_last) if CHANNELS_LAST else self


def adam(network):
    return torch.optim.Adam(network.parameters(), fused=True)


def compiled(run):
    # Los lotes miden siempre lo mismo: no hace falta que sirva para otros.
    return torch.compile(run, dynamic=False) if COMPILED else run


def make(model, task, batch):
    torch.manual_seed(0)
    # Lo que se compiló para otra red no cuenta.
    torch.compiler.reset()
    described = MODELS[model]
    x, y = (torch.from_numpy(array) for array in data(model, task))
    if x.ndim == 4:
        x = x.permute(0, 3, 1, 2).contiguous()
        x = x.to(memory_format=torch.channels_last) if CHANNELS_LAST else x
    elif CHANNELS_LAST and "generator" not in described:
        return None
    if "generator" in described:
        return gan(described, x, batch)
    network = Network(described["layers"]).built(x[:1])
    losses = {"classes": nn.functional.cross_entropy, "pixels": nn.functional.binary_cross_entropy}
    losses["letters"] = lambda found, y: nn.functional.cross_entropy(found.flatten(0, 1), y.flatten())
    loss = losses.get(described["target"], nn.functional.mse_loss)
    y = y if described["target"] in ("classes", "letters") else x
    if task != "fit":
        return whole(network.eval(), x, y, task)
    optimizer = adam(network)
    codes = [m for m in network.inside if isinstance(m, Sample)]

    @compiled
    def measure(x, y):
        return loss(network(x), y) + sum(code.divergence / x.shape[1] for code in codes)

    batches = list(zip(x.split(batch), y.split(batch), strict=True))

    def train(epochs):
        for _ in range(epochs):
            for x, y in batches:
                optimizer.zero_grad()
                measure(x, y).backward()
                optimizer.step()

    return train


def whole(network, x, y, task):
    @compiled
    def evaluate(x, y):
        found = network(x)
        return nn.functional.cross_entropy(found, y, reduction="sum"), (found.argmax(1) == y).sum()

    predict = compiled(network)

    @torch.inference_mode()
    def run(size):
        if task == "predict":
            return torch.cat([predict(rows) for rows in x.split(size)]).numpy()
        found = [evaluate(*rows) for rows in zip(x.split(size), y.split(size), strict=True)]
        return [float(sum(values)) / len(x) for values in zip(*found, strict=True)]

    # Compilar tarda, y se hace para un solo tamaño.
    return quickest(run, CHUNKS[1:2] if COMPILED else CHUNKS)


def gan(described, x, batch):
    generator = Network(described["generator"]).built(torch.zeros(1, described["noise"]))
    discriminator = Network(described["layers"]).built(x[:1])
    optimizers = adam(generator), adam(discriminator)
    generate, judge = compiled(generator), compiled(discriminator)
    loss = nn.functional.binary_cross_entropy_with_logits
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
    targets = torch.cat([ones, zeros])

    def train(epochs):
        for _ in range(epochs):
            for real in x.split(batch):
                # Las imágenes que se le mostraron al discriminador sirven también para el paso del generador.
                fake = generate(torch.randn(batch, described["noise"]))
                optimizers[1].zero_grad()
                loss(judge(torch.cat([real, fake.detach()])), targets).backward()
                optimizers[1].step()
                optimizers[0].zero_grad()
                discriminator.requires_grad_(False)
                loss(judge(fake), ones).backward()
                discriminator.requires_grad_(True)
                optimizers[0].step()

    return train


if __name__ == "__main__":
    serve(make, {"torch": torch.__version__, "threads": torch.get_num_threads()})
