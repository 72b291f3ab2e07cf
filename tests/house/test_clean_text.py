"""What is committed speaks of the project alone: no machine's paths, no package mirrors."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A letter of each pattern stands in brackets, so that this file does not match itself.
FORBIDDEN = {
    "a path of one machine": re.compile(
        r"(?<![\w.$}])/(?:[w]ork|[r]oot|[t]mp|[h]ome/\w+|[U]sers/\w+|[m]nt/\w+|[v]ar/folders)\b"
        r"|\b[A-Z]:\\[U]sers\\"),
    "a package registry": re.compile(
        r"[p]ypi\.org|[p]ythonhosted|[p]ypi\.\w+\.\w+|[d]ownload\.pytorch\.org|[n]pmjs\.|"
        r"[d]eb\.debian|[a]naconda\.(?:org|com)/|--(?:extra-)?[i]ndex-url|--[f]ind-links|"
        r"\b[P]IP_INDEX|\b[t]rusted-host"),
    "a tool of where it was made": re.compile(r"\b[f]arm-\w+|/\.[l]ibrary\b"),
}


def committed_texts():
    """{path: text} of all files that git tracks, binary ones left out."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("NOT A GIT CHECKOUT: committed files are not known here")
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" not in content:
            # Samples of other tools are in encodings of all kinds.
            texts[name] = content.decode("utf-8", "replace")
    return texts


def findings(text):
    """[(line number, what it is, the words)] of everything forbidden in a text."""
    return [(number, what, found[0])
            for number, line in enumerate(text.splitlines(), 1)
            for what, pattern in FORBIDDEN.items() if (found := pattern.search(line))]


def test_committed_files_name_no_machine_and_no_registry():
    texts = committed_texts()
    assert "run_vsgn.sh" in texts and "Utils/data/demo.py" in texts
    wrong = [f"{name}:{number}: {what}: {words}"
             for name, text in texts.items() for number, what, words in findings(text)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("line", [
    "cd /" + "work/main", "open('/" + "tmp/x.json')", "see /" + "home/me/data",
    r"C:\Use" + r"rs\me", "pip install --index" + "-url=https://mirror", "https://py" + "pi.org/x",
    "https://download.py" + "torch.org/whl/cpu", "run far" + "m-timer",
])
def test_what_is_forbidden_is_found(line):
    assert len(findings(f"first\n{line}\n")) == 1
    assert findings(f"first\n{line}\n")[0][0] == 2


@pytest.mark.parametrize("line", [
    "DATA_PATH=/path/to/features", "../shared/golden", "https://github.com/coolbay/VSGN",
    "tests/data/homework/root.json", "#!/usr/bin/env bash", "tmp_path / 'x'", "--work/--tmp",
])
def test_ordinary_words_are_not(line):
    assert findings(line) == []


def test_git_keeps_the_line_ends_that_a_shell_needs():
    content = (ROOT / "run_vsgn.sh").read_bytes()
    assert b"\r" not in content and content.startswith(b"#!/usr/bin/env bash\n")
    said = subprocess.run(["git", "check-attr", "eol", "run_vsgn.sh", "Train.py"], cwd=ROOT,
                          capture_output=True, text=True)
    if said.returncode:
        pytest.skip("NOT A GIT CHECKOUT: attributes are not known here")
    assert said.stdout.splitlines() == ["run_vsgn.sh: eol: lf", "Train.py: eol: lf"]
