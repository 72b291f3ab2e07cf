"""Who may import whom: the layers of the house, held against the imports in the files.

A module matches the first row of ROWS whose name fits. It may import what its row names, and of
its own row only without a circle. A module of ours that no row names is an error: give it a room.
"""

import ast
import fnmatch
import graphlib
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

GROUND = ("Utils.files", "Utils.names", "Utils.hdf5", "Utils.torch_files", "Utils.segments",
          "Utils.stitching", "Utils.figures", "Utils.words", "Utils.parallel")
CONFIG = ("Utils.config", "Utils.config.*")
DATA = (*GROUND, *CONFIG, "Utils.data.*")
ROOMS = ("Utils.*", "Models.*", "Evaluation.*", "DETAD.*", "Engine.*")
SCRIPTS = ("Cut_long_videos", "Train", "Infer", "Eval", "Prepare_data",
           "Extract_features", "Export_model")
ROWS = (
    # modules            what they may import of ours
    (GROUND, (*GROUND, "Utils.stopping")),
    (("Utils.packages",), ("Utils.files", "Utils.streams", "Utils.stopping", *CONFIG)),
    (("Utils.streams",), GROUND),
    (("Utils.stopping",), ()),
    (("Utils.run_log",), ()),
    (("Utils.run",), (*GROUND, "Utils.streams", "Utils.stopping")),
    (CONFIG, (*GROUND, *CONFIG)),
    (("Utils.data.*",), DATA),
    (("Utils.inputs.*",), (*DATA, "Utils.inputs.*")),
    (("Utils.training.*",), (*GROUND, *CONFIG, "Utils.run", "Utils.training.*")),
    (("Utils.prepare.*",), (*DATA, "Utils.prepare.*")),
    (("Utils.video.*",), (*DATA, "Utils.run", "Utils.video.*")),
    (("Utils",), ()),
    (("Models.extractors.*",), (*GROUND, "Models.extractors.*")),
    (("Models.*",), (*GROUND, *CONFIG, "Models.*")),
    (("Evaluation.*",), (*GROUND, *CONFIG, "Evaluation.*")),
    (("DETAD.*",), (*GROUND, "Evaluation.metrics", "DETAD.*")),
    (("Engine.training.*",), ("Utils.*", "Models.*", "Evaluation.*", "Engine.training.*")),
    (("Engine.inference.*",), ("Utils.*", "Models.*", "Evaluation.*", "Engine.inference.*")),
    (("Engine.evaluation.*",), ("Utils.*", "Evaluation.*", "DETAD.*", "Engine.evaluation.*")),
    (("Engine",), ()),
    (SCRIPTS, ROOMS),
    (("vsgn",), (*ROOMS, *SCRIPTS)),
    (("setup",), ()),
    (("benchmarks.*", "tests.*"), ("*",)),
)
# Packages of the extra `video`, with two that it leaves to the user, and who may import them.
VIDEO, OF_NETWORKS = ("Utils.video.*", "Models.extractors.*"), (
    "torchvision", "transformers", "huggingface_hub")
IMPORTED_AS = {"pympi-ling": "pympi", "opencv-python-headless": "cv2"}
WITHOUT_TORCH = ("Evaluation.*", "DETAD.*", "Engine.evaluation.*", "Utils.files", "Utils.config.*",
                 "Utils.inputs.windows", "Utils.inputs.window_file", "Utils.packages",
                 "Utils.data.demo")


def module_files():
    """{dotted name: path} of every Python file of ours, packages without their __init__."""
    paths = [path for path in ROOT.rglob("*.py")
             if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]
    names = (path.relative_to(ROOT).with_suffix("").parts for path in paths)
    return {".".join(name).removesuffix(".__init__"): path
            for name, path in zip(names, paths, strict=True)}


FILES = module_files()


def imports(path, package=""):
    """Dotted names that a file imports, anywhere in it.

    `from a import b` counts as a.b if that is a module of ours, else as a.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")[:len(package.split(".")) - node.level + 1]
                base = ".".join([*parts, base] if base else parts)
            for alias in node.names:
                name = f"{base}.{alias.name}"
                found.add(name if name in FILES else base)
    return found


def matches(name, patterns):
    """A package itself counts among its modules: Utils fits Utils.*"""
    return any(fnmatch.fnmatchcase(name, pattern) or f"{name}.*" == pattern
               for pattern in patterns)


def is_ours(name):
    return name in FILES or name.split(".")[0] in {known.split(".")[0] for known in FILES}


IMPORTS = {name: imports(path, name.rpartition(".")[0]) for name, path in FILES.items()}
OURS = {name: set(filter(is_ours, found)) for name, found in IMPORTS.items()}


def allowed(name):
    """What a module may import, None where no row names it."""
    return next((may for modules, may in ROWS if matches(name, modules)), None)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_module_has_a_row_and_imports_only_what_it_names(name):
    may = allowed(name)
    assert may is not None, f"{name} is in no row of the table; give it one, or another place"
    wrong = sorted(other for other in OURS[name] if not matches(other, may))
    assert not wrong, f"{name} imports {wrong}, but may import only {may}"


def test_no_module_imports_itself_in_a_circle():
    try:
        order = list(graphlib.TopologicalSorter(OURS).static_order())
    except graphlib.CycleError as problem:
        pytest.fail(f"modules import each other in a circle: {' -> '.join(problem.args[1])}")
    assert set(order) >= set(OURS)


def test_no_two_modules_of_the_rooms_have_the_same_name():
    """`benchmarks` and `tests` may call theirs as what they measure and test."""
    modules = [name for name, path in FILES.items()
               if matches(name, (*ROOMS, *SCRIPTS)) and path.name != "__init__.py"]
    owners = {}
    for name in modules:
        owners.setdefault(name.rpartition(".")[2], []).append(name)
    assert len(modules) > 100
    assert [names for names in owners.values() if len(names) > 1] == []


def test_evaluation_does_without_torch():
    wrong = sorted(name for name, found in IMPORTS.items() if matches(name, WITHOUT_TORCH)
                   and any(other.split(".")[0] == "torch" for other in found))
    assert not wrong, f"{wrong} import torch, but are to work on numpy arrays alone"


def test_outside_packages_are_those_that_pyproject_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {line.split(">=")[0] for line in project["dependencies"]}
    tools, video = (
        {IMPORTED_AS.get(name, name) for line in project["optional-dependencies"][group]
         for name in [line.split(">=")[0]]} for group in ("test", "video"))
    wrong = []
    for name, found in IMPORTS.items():
        may = {"tests.*": tools | video, "benchmarks.*": tools | video.union(OF_NETWORKS),
               **dict.fromkeys(VIDEO, video.union(OF_NETWORKS)), "Export_model": {"onnxruntime"},
               "setup": {"setuptools"}}
        known = named.union(*(packages for room, packages in may.items() if matches(name, [room])))
        wrong += [f"{name}: {other}" for other in found
                  if not is_ours(other) and other.split(".")[0] not in sys.stdlib_module_names
                  and other.split(".")[0] not in known]
    assert not wrong, f"packages that pyproject.toml does not name: {wrong}"
    used = {other.split(".")[0] for found in IMPORTS.values() for other in found}
    assert named <= used, f"no module imports {named - used}, which pyproject.toml asks for"


# ---- the guard itself ---------------------------------------------------------------------------

def test_imports_are_seen_in_all_their_forms(tmp_path):
    file = tmp_path / "sample.py"
    file.write_text("import os.path as p, torch\n"
                    "from Utils import files\n"
                    "from Utils.config.resolve import Config\n"
                    "def late():\n    from .sibling import thing\n    from . import other\n")
    assert imports(file, "Models") == {"os.path", "torch", "Utils.files", "Utils.config.resolve",
                                       "Models.sibling", "Models"}


def test_the_first_row_that_fits_decides():
    assert matches("Utils.files", allowed("Models.VSGN"))
    assert not matches("Utils.run", allowed("Models.VSGN"))
    assert not matches("Train", allowed("Evaluation.metrics"))
    assert not matches("Utils.config", allowed("Utils.segments"))
    assert allowed("Helpers.misc") is None and allowed("Download") is None
