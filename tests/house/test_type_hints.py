"""Public functions have docstrings; those of the rooms HINTED and of vsgn.py have hints."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HINTED = ("Models", "Evaluation", "DETAD", "Engine/evaluation")
OTHER_ROOMS = ("Utils", "Engine/training", "Engine/inference")


def files_of(rooms):
    """The Python files of some rooms, as seen from the root."""
    return [str(path.relative_to(ROOT)) for room in rooms
            for path in sorted((ROOT / room).rglob("*.py"))]


FILES = ["vsgn.py", *files_of(HINTED)]
OTHERS = [*(path.name for path in sorted(ROOT.glob("*.py")) if path.name != "vsgn.py"),
          *files_of(OTHER_ROOMS)]


def public_functions(tree):
    """(name, function) of every function that other modules may call.

    That is: none with an underscore, none inside another; methods of public classes
    included.
    """
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                    yield f"{node.name}.{part.name}", part


def without_hints(function):
    """The arguments that have no hint, and `return`."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    packed = [argument for argument in (given.vararg, given.kwarg) if argument]
    lacking = [argument.arg for argument in (*named, *packed)
               if argument.annotation is None and argument.arg not in ("self", "cls")]
    return lacking + ["return"] * (function.returns is None)


def faults_of(text):
    """What is lacking in a file, as sentences."""
    found = []
    for name, function in public_functions(ast.parse(text)):
        if lacking := without_hints(function):
            found.append(f"{name} has no type for {', '.join(lacking)}")
        if ast.get_docstring(function) is None:
            found.append(f"{name} has no docstring")
    return found


@pytest.mark.parametrize("name", FILES)
def test_public_functions_say_what_they_take_and_give(name):
    assert faults_of((ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", OTHERS)
def test_public_functions_have_docstrings(name):
    found = faults_of((ROOT / name).read_text(encoding="utf-8"))
    assert [fault for fault in found if fault.endswith("has no docstring")] == []


# ---- the guard itself ---------------------------------------------------------------------------

def test_what_is_lacking_is_named():
    text = '''
def f(a, b: int, *rest, key, **more) -> int:
    """Words."""
class C:
    def method(self, x: int):
        pass
    def _own(self, x):
        def inner(y): pass
def _g(a): pass
'''
    assert faults_of(text) == ["f has no type for a, key, rest, more",
                               "C.method has no type for return", "C.method has no docstring"]
