"""Follow what Prepare_data.py says to do about the files of other tools.

The remedy is taken from the words of the message, as in test_named_options.py;
tests/Utils/prepare/formats has more of these.
"""

from pathlib import Path

import numpy as np
import pytest

import Cut_long_videos
import Prepare_data
from tests.scripts.test_named_options import adds, found, leaves_out
from tests.small_data import noise
from tests.small_run import refusal
from Utils.files import REPOSITORY, write_json
from Utils.prepare.convert import CLASSES

SAMPLES = Path(__file__).parents[1] / "data" / "interop"
HEADER = "video,start,end,label"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(name, *lines):
    """Write a file of these lines. -> its name."""
    Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


def rewrites(pattern, name, *lines):
    """The file that the pattern's group names, if it has one, is `name`; it becomes these lines."""
    def follow(words, said):
        assert found(f"({pattern})", said)
        written(name, *lines)
        return words
    return follow


def more(pattern, name):
    """Another file is imported too."""
    return lambda words, said: [name, *words] if found(f"({pattern})", said) else words


def replaces(pattern, old):
    """The word `old` becomes what the pattern's group says."""
    return lambda words, said: [found(pattern, said) if word == old else word for word in words]


def by_table(pattern, *lines):
    """The option in the pattern's group is added, with a table of these lines."""
    return lambda words, said: [*words, found(pattern, said), written("by_table.csv", *lines)]


def renames(option, media):
    """The option in the pattern's group is added; its table names the media in the other's `b`."""
    return lambda words, said: [*words, found(option, said), written(
        "names.csv", "from,to", f"{found(media, said)},b")]


def solomon(words, said):
    """--columns KEY=HEADER, whose headers are for the user to choose."""
    option, start, end = found(r"with (--columns start=HEADER end=HEADER)", said).split()
    return [*words, option, start.replace("HEADER", "Time"), end.replace("HEADER", "Until")]


# files {name: lines}, the words, how the message is followed
TABLE = {"t.csv": [HEADER, "a,1,2,run", "b,1,2,run"]}
IMPORTS = {
    "a key": (TABLE, ["t.csv", "--columns", "who=video"], lambda words, said: [
        *words[:-1], found(r"keys are (\w+)", said) + "=video"]),
    "lists of one split": (
        TABLE | {"lists/train.txt": ["a", "b"], "lists/test.txt": ["b"]},
        ["t.csv", "--split", "lists"],
        rewrites("give --split the lists of one split alone", "lists/train.txt", "a")),
    "a video not listed": (
        TABLE | {"s.csv": ["video,subset", "a,train"]}, ["t.csv", "--split", "s.csv"],
        rewrites("s.csv does not list .*: b; add them", "s.csv", "video,subset", "a,train",
                 "b,test")),
    "one video": ({"t.csv": [HEADER, "a,1,2,run"]}, ["t.csv", "--test_share", "0.5"],
                  leaves_out(r"(--\w+) cannot split one video; leave it out")),
    "more videos": ({"t.csv": [HEADER, "a,1,2,run"], "u.csv": [HEADER, "b,1,2,run"]},
                    ["t.csv", "--test_share", "0.5"],
                    more("leave it out, or import more videos", "u.csv")),
    "two subsets": (
        {"t.csv": [f"{HEADER},subset", "a,1,2,run,train"], "u.csv": [f"{HEADER},subset",
                                                                    "a,3,4,run,test"]},
        ["t.csv", "u.csv"], by_table(r"or give the subsets with (--split)", "video,subset",
                                     "a,train")),
    "an unknown subset": (
        {"t.csv": [f"{HEADER},subset", "a,1,2,run,blue"]}, ["t.csv"],
        by_table(r"or give the subsets with (--split)", "video,subset", "a,train")),
    "two durations": (
        {"t.csv": [f"{HEADER},video_duration", "a,1,2,run,8"],
         "u.csv": [f"{HEADER},video_duration", "a,3,4,run,9"]}, ["t.csv", "u.csv"],
        rewrites("the duration is 9.0, but 8.0 elsewhere; fix it$", "u.csv",
                 f"{HEADER},video_duration", "a,3,4,run,8")),
    "a table of two durations": (
        TABLE | {"d.csv": ["video,seconds", "a,8", "a,9"]}, ["t.csv", "--durations", "d.csv"],
        rewrites("video a has the durations 8 and 9; leave one of them out", "d.csv",
                 "video,seconds", "a,8")),
    "two names": (TABLE | {"n.csv": ["from,to", "a,x", "a,y"]}, ["t.csv", "--names", "n.csv"],
                  rewrites("'a' has the new names 'x' and 'y'; keep one", "n.csv", "from,to",
                           "a,x")),
    "no address in a list": (
        TABLE | {"s.csv": ["video,subset", "a,train", "http://[a/b.mp4,test"]},
        ["t.csv", "--split", "s.csv"],
        rewrites("s.csv: video http:.* is not the address of a video; fix it", "s.csv",
                 "video,subset", "a,train", "b,test")),
    "one name for two": (
        {"t.csv": [HEADER, "x/a.mp4,1,2,run", "y/a.mp4,1,2,run"]}, ["t.csv"],
        renames(r"another name with (--\w+) \(a table `from,to`, by its path\)",
                r"and (\S+) would both be video a")),
    "no address": (
        {"t.csv": [HEADER, "http://[a/b.mp4,1,2,run"]}, ["t.csv"],
        renames(r"name it with (--\w+)", r"'(\S+)' is not the address of a video")),
    "steps of time": ({"rat.csv": ["Time,Until,Behaviour", "0,1,run", "5,6,rest", "6,8,run"]},
                      ["rat.csv", "--label", "Behaviour"], solomon),
    "a column without a name": (
        {"m_labels.csv": [",run,", "0,0,1", "1,1,0"]}, ["m_labels.csv", "--fps", "1"],
        adds(r"or choose columns with (--\w+)", "run")),
    "a column of that name": (
        {"m_labels.csv": [",run", "0,0", "1,1"]},
        ["m_labels.csv", "--fps", "1", "--labels", "walk"],
        lambda words, said: [*words[:-1], found(r"choose with --labels of (\w+)", said)]),
    "a tier": ({}, [str(SAMPLES / "elan.eaf"), "--tiers", "none"], lambda words, said: [
        *words[:-1], found(r"choose with --tiers of (.*?),", said)]),
    "a mapping": ({"v.txt": ["cut", "stir"], "m.txt": ["0 cut", "0 stir"]},
                  ["v.txt", "--fps", "1", "--mapping", "m.txt"],
                  rewrites("m.txt, line 2: .*; fix the file of --mapping", "m.txt", "0 cut",
                           "1 stir")),
    "no id": ({"v.txt": ["cut", "stir"], "m.txt": ["0 cut"]},
              ["v.txt", "--fps", "1", "--mapping", "m.txt"],
              rewrites("is neither .* an id of m.txt; add it there", "m.txt", "0 cut", "1 stir")),
    "no mapping": ({"v.txt": ["cut", "stir"], "m.txt": ["0 cut"]},
                   ["v.txt", "--fps", "1", "--mapping", "m.txt"],
                   leaves_out(r"or leave (--\w+) out")),
    "a folder": ({"labels/notes.md": ["x"], "labels/v.md": ["cut", "stir"]},
                 ["labels", "--fps", "1"],
                 lambda words, said: [found(r"(\S+) is a folder .*; name the files in it", said)
                                      + "/v.md", *words[1:], "--from", "framelabels"]),
    "the folder below": ({"salads/groundTruth/v.txt": ["cut", "stir"]}, ["salads", "--fps", "1"],
                         replaces(r"the folder groundTruth; name that: (\S+)", "salads")),
    "a name twice in JSON": (
        {"t.json": ['{"database": {"a": {"subset": "train", "annotations": []},'
                    ' "a": {"subset": "train", "annotations": []}}}']}, ["t.json"],
        rewrites("the name 'a' occurs 2 times in one object; rename one of them", "t.json",
                 '{"database": {"a": {"subset": "train", "annotations": []},'
                 ' "b": {"subset": "train", "annotations": []}}}')),
    "an encoding": ({}, ["t.csv", "--encoding", "utf-9"], lambda words, said: [
        *words[:-1], found(r"no such encoding; (\S+), ", said)]),
    "an unknown subject": (
        {"t.csv": [f"{HEADER},subject", "a,1,2,run,hen"]}, ["t.csv", "--subjects", "cat"],
        lambda words, said: [
            *words[:-1], found(r"no action has this subject; there are (\w+)", said)]),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_an_import_goes_on_as_the_message_says(tmp_path, capsys, case):
    files, words, follow = IMPORTS[case]
    for name, lines in (files or TABLE).items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        written(name, *lines)
    words = ["import", *words, "--to", "out.json"]
    assert Prepare_data.main(words) == 2
    said = refusal(capsys.readouterr())
    followed = ["import", *follow(words[1:-2], said.strip()), "--to", "out.json"]
    assert Prepare_data.main(followed) == 0, capsys.readouterr().err


# ---- what is only noted -------------------------------------------------------------------------

# files, the words, the note (a part of its line), how it is followed
ANIMALS = {"t.csv": [f"{HEADER},subject", "a,1,2,run,hen"]}
NOTES = {
    "no duration": (TABLE, ["t.csv"], "2 videos without a duration",
                    by_table(r"(--durations), or --feature_fps later, gives it", "video,seconds",
                             "a,8", "b,8")),
    "subjects": (ANIMALS, ["t.csv"], "subjects ignored",
                 adds(r"\((--subjects join) puts them into the label")),
    "some subjects": (ANIMALS, ["t.csv"], "subjects ignored",
                      adds(r"join puts them into the label, (--subjects) NAME", "hen")),
    "another letter": ({}, ["c.csv"], "was read as cp1252",
                       adds(r"if characters look wrong, give (--encoding)", "cp437")),
    "no effect": (TABLE, ["t.csv", "--tiers", "x"], "has no effect",
                  leaves_out(r"(--\w+) has no effect")),
    "not checked": (TABLE, ["t.csv"], "features: not checked",
                    adds(r"name their folder with (--feature_path)", ".")),
}


@pytest.mark.parametrize("case", NOTES)
def test_a_note_of_an_import_is_gone_when_it_is_followed(tmp_path, capsys, case):
    files, words, noted, follow = NOTES[case]
    Path("c.csv").write_bytes(f"{HEADER}\na,1,2,caf\u00e9\n".encode("cp437"))
    for name, lines in files.items():
        written(name, *lines)
    for name in "ab":
        np.save(f"{name}.npy", noise(name, 80, 5))
    words = ["import", *words, "--to", "out.json"]
    assert Prepare_data.main(words) == 0
    said = capsys.readouterr().out
    followed = ["import", *follow(words[1:-2], said), "--to", "out.json", "--overwrite"]
    assert noted in said and Prepare_data.main(followed) == 0
    assert noted not in capsys.readouterr().out


# ---- exports and conversions --------------------------------------------------------------------

ROW = {"label": "run", "score": 0.5, "segment": [1, 2.5]}
EXPORTS = {
    "media": ("v", ["csv", "--media", "films/a.mp4"], lambda words, said: [
        *words[:-1], found(r"stands for \{video\} in it, as in (\S+)", said)]),
    "names in Label Studio": ("v", ["labelstudio", "--fps", "25", "--ls_names", "tags"],
                              lambda words, said: [
        *words[:-1], found(r"of the control and of the video, as in (\S+)", said)]),
    "a file name": ("a/b", ["srt"], lambda words, said: [
        found(r"or write csv, (\w+) or labelstudio", said), "--durations", written(
            "d.csv", "video,seconds", "a/b,8")]),
    "a name of ours": ("a/b", ["srt"], lambda words, said: detections(
        found(r"no file can have this name; rename (it) in the detections", said)) or words),
    "lengths beside": ("v", ["boris"], lambda words, said: [
        *words, "--video_anno", annotations(found(r"add `(\w+)` to the annotations", said))]),
}


def detections(name):
    write_json("found.json", {"results": {name: [ROW]}})


def annotations(key):
    write_json("a.json", {"database": {"v": {"subset": "test", key: 8, "annotations": []}}})
    return "a.json"


@pytest.mark.parametrize("case", EXPORTS)
def test_an_export_goes_on_as_the_message_says(capsys, case):
    video, words, follow = EXPORTS[case]
    detections(video)
    before = ["export", "found.json", "--to", "out", "--as"]
    assert Prepare_data.main([*before, *words]) == 2
    followed = follow(words, refusal(capsys.readouterr()).strip())
    assert Prepare_data.main([*before, *followed]) == 0, capsys.readouterr().err


def texts(folder, *left_out):
    """The challenge's files of all classes but some."""
    Path(folder).mkdir(exist_ok=True, parents=True)
    for label in CLASSES:
        if label not in left_out:
            written(f"{folder}/{label}_val.txt", "video_validation_0000001 1 2")


def thumos(path, **subsets):
    """A JSON of videos {name: subset}."""
    write_json(path, {"database": {name: {"subset": subset, "duration": 9.0, "annotations": [
        {"label": "Diving", "segment": [1, 2]}]} for name, subset in subsets.items()}})


def lacking(words, said):
    """The files of the classes that the message lists are brought."""
    for name in found(r"lacks (.*); get the files of all classes", said).split(", "):
        written(f"texts/{name}", "video_validation_0000001 3 4")
    return words


V1, V2, T1 = (f"video_{part}_000000{number}" for part, number in (
    ("validation", 1), ("validation", 2), ("test", 1)))
CONVERSIONS = {
    "no source": (lambda: texts("texts"), "nowhere", lambda words, said: [
        found(r"name the folder of the (text)", said) + "s"]),
    "other files": (lambda: (texts("texts"), Path("more").mkdir()), "more", lambda words, said: [
        found(r"files named like (\w+_val.txt)", said) and "texts"]),
    "a class": (lambda: texts("texts", "Diving", "Shotput"), "texts", lacking),
    "two copies": (lambda: (texts("all/a"), texts("all/b")), "all", lambda words, said: [
        found(r"was found 2 times \((\S+), \S+\); name the folder of one copy", said)]),
    "one subset": (lambda: thumos("t.json", **{V1: "validation"}), "t.json", lambda words, said: (
        thumos("t.json", **{V1: "validation", T1: found(r"in OpenTAD; give a file with (both)",
                                                        said) and "test"}) or words)),
    "subsets": (lambda: thumos("t.json", **{V1: "blue", T1: "test"}), "t.json",
                lambda words, said: thumos("t.json", **{
                    V1: found(r"known are (\w+) and test", said), T1: "test"}) or words),
    "a number twice": (
        lambda: thumos("t.json", **{V1: "train", "video_validation_0010001": "train",
                                    T1: "test"}), "t.json",
        lambda words, said: thumos("t.json", **{
            found(r": (\S+) and \S+ have the same number; .* leave one", said): "train",
            T1: "test"}) or words),
}


@pytest.mark.parametrize("case", CONVERSIONS)
def test_a_conversion_goes_on_as_the_message_says(capsys, case):
    make, source, follow = CONVERSIONS[case]
    make()
    assert Prepare_data.main(["convert", source, "--to", "out"]) == 2
    followed = follow([source], refusal(capsys.readouterr()).strip())
    assert Prepare_data.main(["convert", *followed, "--to", "out"]) == 0, capsys.readouterr().err


def test_annotations_of_thumos_are_replaced_with_the_option(capsys):
    texts("texts")
    words = ["convert", "texts", "--to", "out"]
    assert Prepare_data.main(words) == 0 and Prepare_data.main(words) == 2
    option = found(r"already exists; (--\w+) replaces it", refusal(capsys.readouterr()))
    assert Prepare_data.main([*words, option]) == 0


def test_other_data_need_no_conversion(capsys):
    """The guide that the message names is there, and --check takes the file as it is."""
    thumos("t.json", my_video="train", other="test")
    assert Prepare_data.main(["convert", "t.json", "--to", "out"]) == 2
    guide = found(r"need no conversion, see (\S+)", refusal(capsys.readouterr()).strip())
    assert (REPOSITORY / guide).is_file()
    for name in ("my_video", "other"):
        np.save(f"{name}.npy", noise(name, 90, 5))
    assert Cut_long_videos.main(["--dataset", "custom", "--video_anno", "t.json",
                                 "--feature_path", ".", "--check"]) == 0
