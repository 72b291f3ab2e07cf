"""What a message names is there: options, scripts and pages, whatever its words."""

import argparse
import ast
import re
import subprocess
from pathlib import Path

import pytest

import Export_model
import Extract_features
import Prepare_data
from Utils.config.options import OPTIONS

ROOT = Path(__file__).parents[2]
FOREIGN = {"force-reinstall"}       # of pip


def sentences():
    """(file, line, text) of every string of several words in the code but docstrings."""
    names = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout.split()
    for name in names:
        if name.startswith(("tests/", "benchmarks/", ".ci/")):
            continue
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if (isinstance(node, ast.Constant) and isinstance(node.value, str)
                    and " " in node.value and id(node) not in told):
                yield name, node.lineno, node.value


def options_of(parser):
    """The long options of a parser and of its verbs."""
    for action in parser._actions:
        yield from (word[2:] for word in action.option_strings if word.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from options_of(verb)


def known_options():
    own = {name for module in (Extract_features, Export_model, Prepare_data)
           for name in options_of(module.parser())}
    return own | set(OPTIONS) | {f"no-{name}" for name in OPTIONS} | FOREIGN


@pytest.mark.parametrize(("pattern", "known"), [
    (r"--([A-Za-z][\w-]+)(?![\w{])", known_options()),
    (r"\b([A-Z]\w+\.py)\b", {path.name for path in ROOT.glob("*.py")}),
    (r"\b(docs/\w+\.md|requirements[\w-]*\.txt)\b",
     {str(path.relative_to(ROOT)) for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.txt")]})])
def test_what_a_message_names_is_there(pattern, known):
    named = [(match[1], name, line) for name, line, text in sentences()
             for match in re.finditer(pattern, text)]
    assert len(named) > 5
    assert not [found for found in named if found[0] not in known]
