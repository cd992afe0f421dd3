"""Ctrl-C en cualquier momento: las señales, BLAS y los hilos quedan como estaban."""

import os
import subprocess
import sys

import pytest

HEAD = """
import os, random, signal, sys, threading, time
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from chapters.mlp import Dense, Input, Sequential
from dlbook import callbacks
from dlbook.numeric import interruptions, parallel
from dlbook.training import claim
from dlbook.training import engine as engines
engines.WORK_PER_THREAD = 1
parallel.set_threads(2)
threadpool_limits(2, "blas")
x = np.ones((600, 20), np.float32)

def network():
    model = Sequential([Input((20,)), Dense(8, "relu"), Dense(4)], seed=0)
    model.compile("adam", "mse")
    return model

model = network()

def train():
    model.fit(x, x[:, :4], batch_size=300, verbose=0)

def blas():
    # Una señal que cayera dentro de threadpoolctl se perdería, y con ella una biblioteca de la lista.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    finally:
        signal.signal(signal.SIGINT, handler)

def clean():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGINT)
    assert blas() == before, (blas(), before)
    assert not parallel.single_thread_blas.users and not parallel.single_thread_blas.limits
    # Solo puede quedar el equipo que descansa.
    resting = [member for team in parallel._resting for member in team._members]
    assert len(parallel._resting) <= 1
    assert not [t for t in threading.enumerate() if t.name.startswith("dlbook") and t not in resting]

train()
model.predict(x)
before = blas()
clean()
"""

# La señal llega de verdad, en cada línea de todo lo que hace el motor, o en cada instrucción de lo que toma y devuelve.
EVERY_POINT = """
FILES = parallel.__file__, interruptions.__file__, engines.__file__, claim.__file__, threading.__file__
call = {"fit": train, "predict": lambda: model.predict(x)}[sys.argv[1]]
presses = int(sys.argv[2])

def interrupted(k):
    count = 0
    def trace(frame, event, argument):
        nonlocal count
        # Python no atiende señales entre el final de un with y su __exit__; quien traza sí podría, y aquí no se hace.
        if frame.f_code.co_filename not in FILES or frame.f_code.co_name == "exclusive":
            return trace
        frame.f_trace_opcodes = frame.f_code in interruptions._uninterrupted
        if event in ("line", "opcode"):
            count += 1
            if k <= count < k + presses:
                signal.raise_signal(signal.SIGINT)
        return trace
    try:
        sys.settrace(trace)
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return count >= k

k, hits = 1, 0
while interrupted(k):
    hits += 1
    clean()
    k += int(sys.argv[3])
train()
clean()
print("bien", hits)
"""

RANDOM_TIMES = """
import subprocess
call = {"fit": train, "predict": lambda: model.predict(x)}[sys.argv[1]]
# Otro proceso manda las señales, de una en una o en ráfagas.
subprocess.Popen([sys.executable, "-c", f'''
import os, random, signal, time
random.seed(0)
end = time.monotonic() + 4
while time.monotonic() < end:
    time.sleep(0.02)
    for _ in range({sys.argv[2]}):
        time.sleep(random.random() * 0.004)
        os.kill({os.getpid()}, signal.SIGINT)
'''])
hits, checked, end = 0, 0, time.monotonic() + 6

def loop():
    global hits, checked
    while time.monotonic() < end:
        try:
            call()
        except KeyboardInterrupt:
            hits += 1
        clean()
        checked += 1

def again():
    # Una señal que llegue fuera del motor solo hace que se vuelva a empezar.
    try:
        try:
            loop()
        except KeyboardInterrupt:
            again()
    except KeyboardInterrupt:
        again()

again()
train()
clean()
assert checked > 5
print("bien", hits)
"""


def run(code, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", HEAD + code, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.stdout.startswith("bien"), result.stderr[-3000:]
    return result.stdout.split()


@pytest.mark.skipif(os.name != "posix", reason="las señales son de POSIX")
@pytest.mark.parametrize(
    ("call", "presses", "step"),
    [("predict", 1, 1), ("predict", 2, 3), ("predict", 5, 4), ("fit", 1, 7), ("fit", 3, 11)],
)
def test_an_interruption_at_every_point_leaves_everything_as_it_was(call, presses, step):
    assert int(run(EVERY_POINT, call, presses, step)[1]) > 50


@pytest.mark.skipif(os.name != "posix", reason="las señales son de POSIX")
@pytest.mark.parametrize(("call", "presses"), [("predict", 1), ("predict", 3), ("fit", 2)])
def test_interruptions_at_any_moment_leave_everything_as_it_was(call, presses):
    assert int(run(RANDOM_TIMES, call, presses)[1]) > 5


FORKED = """
class Fork(callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.child = os.fork()

fork = Fork()
model = network()
try:
    model.fit(x, x[:, :4], epochs=3, verbose=0, callbacks=[fork])
except RuntimeError as error:
    assert fork.child == 0 and "empezó en otro proceso" in str(error), error
    clean()
    # En el proceso nuevo se puede entrenar, también el mismo modelo.
    train()
    model.fit(x, x[:, :4], verbose=0)
    clean()
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(fork.child, 0)[1]) == 7
clean()
print("bien", 1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="este sistema no tiene fork")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_process_forked_in_the_middle_cannot_go_on(threads):
    run(f"parallel.set_threads({threads})\n" + FORKED)


OTHER_THREAD = """
# El proceso nace mientras otro hilo entrena: en el hijo no queda nada de ese entrenamiento.
inside, leave = threading.Event(), threading.Event()

class Waits(callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        inside.set()
        leave.wait()

other = network()
thread = threading.Thread(target=lambda: other.fit(x, x[:, :4], verbose=0, callbacks=[Waits()]))
thread.start()
inside.wait()
child = os.fork()
if not child:
    train()
    other.fit(x, x[:, :4], verbose=0)
    clean()
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
leave.set()
thread.join()
clean()
print("bien", 1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="este sistema no tiene fork")
def test_a_process_forked_while_another_thread_trains():
    run(OTHER_THREAD)
