"""Phrases that readers stumbled over do not come back, and one idea keeps one word."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What is counted and per what: "channels a stream" reads as translated, "channels per stream" not.
COUNTED = ("actions|boxes|cells|channels|clips|detections|epochs|features|files|frames|images|"
           "numbers|proposals|rows|scores|steps|vectors|videos|windows")
PER = "batch|cell|class|epoch|file|frame|second|step|stream|threshold|type|video|window"
NEVER = {
    rf"\b({COUNTED}) an? ({PER})\b": "per",
    r"(?<!here )\bis no (array|checkpoint|error|fault|file|folder|list|number|tensor|text)\b":
        "is not",
    r"\bare no (list|lists|numbers)\b": "are not",
    r"\bdata sets?\b": "dataset",
    r"\bside-cars?\b": "sidecar",
    r"\benlarged cop": "magnified copy",
    r"(general|minim|normal|recogn|standard)is(e|ed|es|ing|ation)(?![a-z])": "-ize",
    r"\bmend(s|ed|ing)?\b": "correct, fix",
    r"\bby falling score\b": "by descending score",
    r"\bbehind (the end of )?(its|their) (video|frames)\b": "after",
    r"\bleft-out channels\b": "channel dropout",
    r"\bother speeds\b": "temporal jitter",
    r"\bno one's negatives\b": "padding mask",
    r"\bWhat may never happen\b": "what is promised",
    r"\bWhat it reaches here\b": "results",
    r"\bis the worse choice of\b": "a verb",
    r"\bmakes no box\b": "gives no box",
    r"\bundecayed\b": "without weight decay",
    r"\bis all of it\b": "is the whole",
    r"\bis no shorter training\b": "is not the same as a shorter training",
}


def prose():
    """Every committed file with words of ours: {path: text}."""
    names = subprocess.run(["git", "ls-files", "*.py", "*.md", "*.sh", "*.js", "*.html"], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names
            if not name.startswith("tests/data/") and name != "tests/house/test_words.py"
            and (ROOT / name).is_file()}


@pytest.mark.parametrize("phrase", NEVER)
def test_a_phrase_that_readers_stumbled_over_does_not_come_back(phrase):
    found = [f"{name}: {match[0]!r}" for name, text in prose().items()
             for match in re.finditer(phrase, re.sub(r"\s+", " ", text))]
    assert not found, f"write {NEVER[phrase]!r} instead: {found}"


@pytest.mark.parametrize(("phrase", "words"), [
    (r"\bmend(s|ed|ing)?\b", "mend their annotations"),
    (rf"\b({COUNTED}) an? ({PER})\b", "one file of 8 features a video"),
    (r"\bdata sets?\b", "another data set")])
def test_the_phrases_are_recognized(phrase, words):
    assert phrase in NEVER and re.search(phrase, words)
