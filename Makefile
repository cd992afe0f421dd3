# `make libro` construye el libro; `make pruebas` lo prueba todo. En Windows, README.md dice cómo hacerlo sin make.
PYTHON ?= python3
BIN = .venv/bin
# Cuántas páginas se leen a la vez.
JOBS ?= 3
SPHINX = $(BIN)/python -m sphinx -c . -d build/doctrees -b html -j $(JOBS) -n -W --keep-going docs build/html

libro: .venv/libro  ## construye el libro y dice dónde quedó
	$(SPHINX)
	@echo "El libro está en build/html/index.html"

pagina: .venv/libro  ## construye una sola página, en segundos: make pagina P=cnn/normalizacion
	$(BIN)/python -m sphinx -c . -d build/pagina/doctrees -b html -q -t pagina -D root_doc=$(PAGE) docs build/pagina/html
	@echo "La página está en build/pagina/html/$(PAGE).html"

pruebas: .venv/pruebas  ## estilo, pruebas, ejemplos de docstrings y páginas, y el libro sin una sola advertencia
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(SPHINX) -q
	$(BIN)/python -m pytest -n 2 --dist loadfile

extremos: viejas nuevas  ## las pruebas, con las dependencias más viejas que admite pyproject.toml y con las más nuevas

viejas nuevas: %: .venv-%/listo
	.venv-$@/bin/python -m pytest -n 2 --dist loadfile -m "not browser"

rendimiento: .venv/libro .venv-peers/listo  ## mide el libro junto a PyTorch, Keras y JAX (unos veinte minutos; baja mucho)
	for c in mlp cnn autoencoder rnn attention; do $(BIN)/python -m benchmarks.$$c || exit 1; done

ver: libro  ## sirve el libro en http://127.0.0.1:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/html 8000

limpia:  ## borra lo construido (el entorno .venv se queda)
	rm -rf build .pytest_cache .ruff_cache .hypothesis

.venv/libro .venv/pruebas: .venv/%: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[libro$(if $(filter pruebas,$*),$(comma)pruebas)]'
	touch $@

# Los paquetes más viejos no llegan a los Python más nuevos; uv encuentra uno que sirva, o lo baja.
.venv-viejas/listo: VERSIONS = --python 3.11
.venv-viejas/listo: RESOLUTION = lowest-direct
.venv-nuevas/listo: VERSIONS = --python $(PYTHON)
.venv-nuevas/listo: RESOLUTION = highest
.venv-viejas/listo .venv-nuevas/listo: .venv-%/listo: pyproject.toml .venv/pruebas
	$(BIN)/uv venv --quiet --clear $(VERSIONS) .venv-$*
	$(BIN)/uv pip install --quiet --python .venv-$* --resolution $(RESOLUTION) -e '.[libro,pruebas]'
	touch $@

.venv-peers/listo:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check 'torch>=2.13' keras tensorflow jax scikit-learn
	touch $@

comma = ,
PAGE = $(patsubst docs/%,%,$(P:.md=))

.PHONY: libro pagina pruebas extremos viejas nuevas rendimiento ver limpia
