"""Nothing that runs code when it is loaded: no pickle in the code, none in the shipped model."""

from __future__ import annotations

import ast
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "pipeline").rglob("*.py"))
SHIPPED = sorted(p for p in (ROOT / "models" / "default").rglob("*") if p.is_file())
FORBIDDEN = {"pickle", "cPickle", "_pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}
LOADERS = {("torch", "load"), ("yaml", "load"), ("yaml", "unsafe_load"), ("pandas", "read_pickle")}
KEYWORDS = {"allow_pickle", "trust_remote_code"}


def findings(code: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(code)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found += [name for name in names if name.split(".")[0] in FORBIDDEN]
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found += [f"{node.value.id}.{node.attr}"] * ((node.value.id, node.attr) in LOADERS)
        if isinstance(node, ast.keyword) and node.arg in KEYWORDS:
            false = isinstance(node.value, ast.Constant) and node.value.value is False
            found += [node.arg] * (not false)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found += [node.func.id] * (node.func.id in {"eval", "exec", "compile", "__import__"})
    return found


def test_the_search_finds_what_it_looks_for() -> None:
    code = "import joblib\nfrom pickle import load\ntorch.load(x)\nf(allow_pickle=a)\neval('1')"
    assert sorted(findings(code)) == ["allow_pickle", "eval", "joblib", "pickle", "torch.load"]
    assert findings("numpy.load(x, allow_pickle=False)\nre.compile('a')\njson.load(x)") == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_module_loads_pickles_or_runs_strings(path: Path) -> None:
    assert findings(path.read_text(encoding="utf-8")) == []


def test_the_shipped_model_holds_no_pickle() -> None:
    assert {path.suffix for path in SHIPPED} <= {".json", ".md", ".onnx", ".npz", ".txt"}
    arrays = 0
    for path in SHIPPED:
        head = path.read_bytes()[:4]
        assert not head.startswith(b"\x80"), path  # the first code of pickles since protocol 2
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    arrays += 1
                    assert b"'descr': '|O'" not in archive.read(name)[:200], (path, name)
        elif path.suffix != ".onnx":
            path.read_text(encoding="utf-8")
    assert arrays
