"""Todo resultado guardado dice con qué orden, qué día, con qué semilla, qué versiones y qué máquina se hizo."""

import datetime
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = sorted((ROOT / "docs/resultados").glob("*.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_it_says_how_it_was_made(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    assert {"command", "date", "seed", "versions", "machine"} <= set(result)
    assert result["versions"]
    datetime.date.fromisoformat(result["date"])
    start, module = result["command"].split(" -m ")
    assert start == "python"
    assert (ROOT / module.split()[0].replace(".", "/")).with_suffix(".py").exists()
