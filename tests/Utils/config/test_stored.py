"""Settings from a file are accepted only if their options allow them."""

import json
import math

import pytest

from Utils.config.checks import check_stored
from Utils.config.options import OPTIONS, STORED_NAMES
from Utils.config.presets import PRESETS, RECIPES
from Utils.config.resolve import adopt, resolve, settings
from Utils.files import UserError

ABSURD = ("false", "true", "x" * 5000, "\x1b[2J", "", [], {}, [[1]], ["a"], [None], [1.5] * 5000,
          {"a": 1}, True, False, None, -1, 0, 1, 2 ** 70, -2 ** 70, 10 ** 7, 0.5, -0.5, 1e300,
          math.inf, -math.inf, math.nan, [math.nan], [True])


def is_possible(spec, value):
    """Judged by the words of the option alone, independently of the code under test."""
    values = value if spec.is_tuple and isinstance(value, list) else [value]
    if value is None:
        return spec.may_be_unset
    if value == [] and spec.is_tuple:
        return spec.may_be_empty
    if spec.is_tuple != isinstance(value, list) or not 1 <= len(values) <= 1000:
        return False
    types = {float: (float, int), int: int, str: str, bool: bool}[spec.kind]
    return all(isinstance(one, types) and isinstance(one, bool) == (spec.kind is bool)
               and not (isinstance(one, float) and not math.isfinite(one))
               and not (isinstance(one, int) and abs(one) >= 2 ** 63)
               and (not spec.choices or one in spec.choices)
               and (not spec.limit or spec.limit.holds(one)) for one in values)


@pytest.mark.parametrize("name", STORED_NAMES)
def test_every_option_refuses_what_it_cannot_be(name):
    refused = 0
    for value in ABSURD:
        try:
            check_stored({name: value}, "the file")
            assert is_possible(OPTIONS[name], value), value
        except UserError as problem:
            refused += 1
            words = str(problem)
            assert not is_possible(OPTIONS[name], value), value
            assert words.startswith(f"the file says that it was made with --{name} ")
            assert words.isprintable() and len(words) < 400
    assert refused >= 10


@pytest.mark.parametrize("dataset", PRESETS)
@pytest.mark.parametrize("recipe", RECIPES)
def test_what_the_scripts_store_is_accepted(dataset, recipe):
    config = resolve({"dataset": dataset, "recipe": recipe})
    stored = json.loads(json.dumps(settings(config)))
    check_stored(stored, "the file")
    assert settings(adopt(resolve({"dataset": dataset}), stored, "the file")) == settings(config)


def test_names_that_are_not_options_are_ignored():
    later = {"of a later version": {}, "classes": ["a"]}
    assert check_stored(later, "the file") is None      # no UserError
