# `make libro` construye el libro; `make pruebas` lo prueba todo. En Windows, README.md dice cómo hacerlo sin make.
PYTHON ?= python3
BIN = .venv/bin
SPHINX = $(BIN)/python -m sphinx -c . -d build/doctrees -b html -j 3 -n -W --keep-going docs build/html

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

rendimiento: .venv/libro .venv-peers/listo  ## mide el libro junto a PyTorch, Keras y scikit-learn (tarda; baja mucho)
	$(BIN)/python -m benchmarks.mlp

ver: libro  ## sirve el libro en http://127.0.0.1:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/html 8000

limpia:  ## borra lo construido (el entorno .venv se queda)
	rm -rf build .pytest_cache .ruff_cache .hypothesis

.venv/libro .venv/pruebas: .venv/%: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[libro$(if $(filter pruebas,$*),$(comma)pruebas)]'
	touch $@

.venv-peers/listo:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check 'torch>=2.13' keras tensorflow scikit-learn
	touch $@

comma = ,
PAGE = $(patsubst docs/%,%,$(P:.md=))

.PHONY: libro pagina pruebas rendimiento ver limpia
