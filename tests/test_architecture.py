"""Imports run one way, and only the training half pays for Keras."""

import ast
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import textgen
import textgen.errors

PACKAGE = Path(textgen.__file__).parent
ORDER = [
    "errors",
    "wording",
    "atomic_file",
    "bundled",
    "machine",
    "bfloat16",
    "arguments",
    "kernel",
    "config",
    "cells",
    "corpus",
    "description",
    "keras_archive",
    "model_file",
    "generation",
    "page",
    "html_file",
    "evaluation",
    "inspection",
    "training",
    "serving",
    "cli",
]


def modules() -> list[tuple[str, ast.Module]]:
    return [
        (".".join(path.relative_to(PACKAGE).with_suffix("").parts), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(node.module or "")
    return names


def test_modules_import_only_earlier_layers() -> None:
    for name, tree in modules():
        layer = name.split(".")[0]
        if layer in ("__init__", "__main__"):
            continue
        for target in imported(tree):
            parts = target.split(".")
            if parts[0] == "textgen" and len(parts) > 1:
                assert ORDER.index(parts[1]) <= ORDER.index(layer), f"{name} imports {target}"


def test_the_order_is_the_one_that_is_described() -> None:
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    described = re.search(r"top-level files and folders: ([^.]+)\.", text)
    assert described is not None
    assert re.findall(r"\w+", described[1]) == ORDER


def test_only_the_backend_imports_keras_and_tensorflow() -> None:
    for name, tree in modules():
        heavy = {target.split(".")[0] for target in imported(tree)} & {"keras", "tensorflow"}
        assert not heavy or name == "training.backend", f"{name} imports {heavy}"


def test_the_writing_half_loads_neither_keras_nor_tensorflow() -> None:
    script = (
        "import sys, textgen; textgen.load, textgen.Corpus, textgen.ModelConfig, textgen.train\n"
        "import textgen.training.run, textgen.evaluation.surprisal\n"
        "import textgen.cli.train, textgen.cli.generate, textgen.cli.info, textgen.cli.serve, textgen.serving.server\n"
        "print(sorted({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_the_package_exports_what_it_says() -> None:
    for name in textgen.__all__:
        assert getattr(textgen, name).__module__.startswith("textgen.")
    assert set(textgen._HOMES) == set(textgen.__all__)
    errors = {name for name, item in vars(textgen.errors).items() if isinstance(item, type)}
    assert errors <= set(textgen.__all__)


def test_all_that_is_printed_goes_out_one_way() -> None:
    ways = {"print", "echo", "secho", "stdout", "stderr", "__stdout__", "__stderr__"}
    for name, tree in modules():
        if name in ("cli.terminal", "training.process"):  # the latter hides what TensorFlow says
            continue
        for node in ast.walk(tree):
            word = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            is_field = word == "echo" and name.startswith("serving.")  # a field of the API
            assert word not in ways or is_field, f"{name}:{node.lineno} prints past textgen.cli.terminal"


def test_dir_and_help_show_the_public_names_and_no_more() -> None:
    import textgen.cli.train  # whose import leaves names in the package

    assert "cli" in vars(textgen)
    assert dir(textgen) == sorted([*textgen.__all__, "__version__"])
    shown = pydoc.plain(pydoc.render_doc(textgen))
    assert f"VERSION\n    {textgen.__version__}\n" in shown
    assert all(name in shown for name in textgen.__all__)


def test_nothing_in_the_package_asserts_or_is_left_undone() -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Assert), f"{name}:{node.lineno} asserts; raise instead"
