"""Imports run one way (``LAYERS``, lowest first), also those inside functions; the parts of one layer do not know each other."""

import ast

import pytest

from ecomscript.config import PROJECT_ROOT

LAYERS = (
    {
        "schema",
        "errors",
        "config",
        "folders",
        "jsonl",
        "learnt",
        "request",
        "events",
        "words",
        "packaged",
        "packed",
        "feedback",
        "quantities",
        "memory",
        "remembered",
    },
    {"llm"},
    {"planning", "association", "verification"},
    {"demo", "review", "asked"},
    {"drafting", "one_pass"},
    {"pipeline"},
    {"evaluation"},
    {"ui", "__main__"},
)
"""Parts of ``ecomscript``. The lowest layer is one room: its modules may use each other."""
UI = "ecomscript.ui"
APP, BUILDER = "app", "index_build"


def part_of(module):
    """Return the part that an ecomscript module belongs to: "planning" for ``ecomscript.planning.intake``."""
    return module.split(".")[1] if module.count(".") else ""


def layer_of(module):
    return next((n for n, parts in enumerate(LAYERS) if part_of(module) in parts), None)


def modules(root):
    """Return dotted name → path of every module of the project; tests are no part of it."""
    paths = [root / "app.py", *(root / "ecomscript").rglob("*.py"), *(root / BUILDER).rglob("*.py")]
    return {".".join(p.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): p for p in paths if p.is_file()}


def imports(name, path, known):
    """Yield the dotted name of everything that a module imports, at its top or inside a function."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in known else base
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in {"import_module", "__import__"}:
            yield from (a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str))


def problem(name, target):
    """Return what is wrong with ``name`` importing ``target``, or None."""
    inside = name.split(".")[0]
    if target.split(".")[0] == "gradio" and not (name == APP or name.startswith(UI)):
        return "gradio belongs to ecomscript.ui and app.py"
    if target.split(".")[-1].startswith("train") and target.startswith("ecomscript."):
        return "training code is run with python -m, never imported"
    if inside != BUILDER and target.split(".")[0] == BUILDER:
        return "the app never imports the builder"
    if inside == BUILDER and (target.startswith(UI) or target == APP):
        return "the builder does not know the page"
    if inside != APP and target == APP:
        return "nothing imports app.py"
    if inside != "ecomscript" or not target.startswith("ecomscript."):
        return None
    return layer_problem(name, target)


def layer_problem(name, target):
    own, other = layer_of(name), layer_of(target)
    if name == "ecomscript":
        return "the package itself imports nothing"
    if own is None or other is None:
        return "a part without a layer: add it to LAYERS"
    if other > own:
        return "imports run one way"
    if own == other > 0 and part_of(name) != part_of(target):
        return "parts of one layer do not know each other"
    return None


def violations(root):
    known = modules(root)
    found = [(name, target, problem(name, target)) for name, path in known.items() for target in imports(name, path, known)]
    return [f"{name} imports {target}: {wrong}" for name, target, wrong in found if wrong]


def tree(root, files):
    for name, text in {"app.py": "", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_imports_run_one_way():
    assert len(modules(PROJECT_ROOT)) > 20
    assert violations(PROJECT_ROOT) == []


@pytest.mark.parametrize(
    ("module", "line", "wrong"),
    [
        ("ecomscript/schema.py", "import ecomscript.pipeline", "one way"),
        ("ecomscript/planning/intake.py", "from ecomscript import pipeline", "one way"),
        ("ecomscript/planning/intake.py", "from ..association import index", "do not know each other"),
        ("ecomscript/planning/intake.py", "def f():\n    from ecomscript.association.index import X", "do not know each other"),
        ("ecomscript/pipeline.py", "from . import ui", "one way"),
        ("ecomscript/evaluation/tasks.py", "import gradio as gr", "gradio belongs"),
        ("index_build/build.py", "from gradio import Blocks", "gradio belongs"),
        ("index_build/build.py", "from ecomscript.ui.page import build_ui", "does not know the page"),
        ("ecomscript/demo.py", "if True:\n    import index_build.build", "never imports the builder"),
        ("ecomscript/demo.py", "import importlib\nimportlib.import_module('index_build')", "never imports the builder"),
        ("ecomscript/ui/page.py", "import app", "nothing imports app.py"),
        ("app.py", "from ecomscript.verification.train import main", "training code"),
        ("app.py", "from ecomscript.verification import train", "training code"),
        ("ecomscript/novelty.py", "import ecomscript.schema", "without a layer"),
        ("ecomscript/__init__.py", "import ecomscript.schema", "imports nothing"),
    ],
)
def test_it_can_fail(tmp_path, module, line, wrong):
    good = dict.fromkeys((f"ecomscript/{name}.py" for name in ("pipeline", "association/index", "ui/__init__", "verification/train")), "")
    (found,) = violations(tree(tmp_path, {**good, module: line}))
    assert wrong in found


def test_what_is_allowed_passes(tmp_path):
    allowed = {
        "app.py": "import gradio\nfrom ecomscript.pipeline import Pipeline\nfrom ecomscript.ui.page import launch",
        "ecomscript/schema.py": "from ecomscript.errors import EcomScriptError",
        "ecomscript/errors.py": "import json",
        "ecomscript/planning/intake.py": "from ecomscript.schema import Plan\nfrom .text import clean\nimport torch.nn",
        "ecomscript/planning/text.py": "",
        "ecomscript/pipeline.py": "from ecomscript.planning import intake\nfrom ecomscript import schema",
        "ecomscript/ui/page.py": "import gradio as gr\nfrom . import render\nfrom ecomscript.pipeline import Pipeline",
        "ecomscript/ui/render.py": "",
        "index_build/build.py": "from ecomscript.planning import text\nfrom index_build import embed",
        "index_build/embed.py": "",
    }
    assert violations(tree(tmp_path, allowed)) == []
