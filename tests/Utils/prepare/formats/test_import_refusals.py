"""What an import refuses: one sentence with the place, nothing written, and a remedy that works."""

import json
import shlex
from pathlib import Path

import pytest

import Prepare_data

SAMPLES = Path(__file__).parents[3] / "data/interop"
BORIS_HEADER = ("Observation id,Source,Time offset (s),Media duration (s),Subject,Behavior,"
                "Modifier #1,Behavior type,Time\n")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Import in an empty folder: run("options", name=text, ...) -> (exit code, error, database).

    Words that are names of files there are the files to import.
    """
    monkeypatch.chdir(tmp_path)

    def imported(words, **files):
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        Path("a.json").unlink(missing_ok=True)
        code = Prepare_data.main(["import", *shlex.split(words), "--to", "a.json"])
        written = Path("a.json")
        said = capsys.readouterr()
        assert written.exists() == (code == 0)
        database = json.loads(written.read_text())["database"] if code == 0 else None
        assert code == 0 or (code == 2 and said.err.startswith("error: ")
                             and said.err.count("\n") == 1)
        return said.err.removeprefix("error: ").strip(), database, said.out
    return imported


def rows(database):
    return {video: [(*action["segment"], action["label"]) for action in entry["annotations"]]
            for video, entry in database.items()}


def boris(*events, offset="0.0", source="player #1:n.mp4", lengths="90.0"):
    """A tabular export: events are (subject, behaviour, modifier, kind, time)."""
    return BORIS_HEADER + "".join(
        f"nest,{source},{offset},{lengths},{subject},{label},{modifier},{kind},{time}\n"
        for subject, label, modifier, kind, time in events)


# ---- which format -------------------------------------------------------------------------------

def test_detections_are_not_annotations(run):
    said, *_ = run(str(SAMPLES / "export/detections.json"))
    assert said == f"{SAMPLES / 'export/detections.json'}: these are detections; use export"
    assert Prepare_data.main(["export", str(SAMPLES / "export/detections.json"), "--as", "csv",
                              "--to", "out"]) == 0


@pytest.mark.parametrize("text", ["once upon a time\n", '{"a": 1}', "[1, 2]", "a,b\n1,2\n"])
def test_what_has_no_known_format_is_refused_with_the_list(run, text):
    said, *_ = run("x", x=text)
    assert said == ("x has none of the known formats; say which with --from: boris, table, "
                    "labelstudio, elan, framelabels, onehot, srt, vtt, audacity, activitynet; or "
                    "export a table with the columns video, start, end, label from it, and import "
                    "that")


def test_from_names_the_format_if_it_is_not_recognized(run):
    text = "x y\nx y\nz\n"
    assert "has none of the known formats" in run("v1", v1=text)[0]
    _, found, _ = run("v1 --from framelabels --fps 2", v1=text)
    assert rows(found) == {"v1": [(0, 1, "x y"), (1, 1.5, "z")]}


@pytest.mark.parametrize("tool, text", [
    ("a project of VIA", '{"_via_img_metadata": {}}'),
    ("a project of VIA", '{"project": {}, "metadata": {}, "attribute": {}}'),
    ("a file of Vidat", '{"version": "2.0.0", "annotation": {}, "config": {}}'),
    ("a file of CVAT", "<?xml version='1.0'?><annotations></annotations>"),
    ("a file of Anvil", "<annotation><head/></annotation>"),
    ("XML with the root html", "<html/>"),
    ("a TextGrid of Praat", 'File type = "ooTextFile"\nObject class = "TextGrid"\n'),
    ("a table of Charades", "id,subject,scene,actions,length\n001,1,Kitchen,c092 11.9 21.2,24\n"),
    ("a list of MultiTHUMOS", "video_validation_0000051 67.5 75.9\n"),
    ("tab-delimited text of ELAN", "tier\tAnn\t00:00:01.2\t1.2\t00:00:02.4\t2.4\tpoint\n"),
    ("the clips of HACS", "classname,youtube_id,subset,start,end,label\nRun,x,training,1,3,-1\n"),
])
def test_other_layouts_are_known_and_refused_with_what_to_export(run, tool, text):
    said, *_ = run("x", x=text)
    assert said.startswith(f"x looks like {tool}") and said.endswith(
        "which is not read; export a table with the columns video, start, end, label from it, and "
        "import that") or "its .eaf file is read" in said


def test_absent_empty_and_folder_without_frame_labels(run, tmp_path):
    assert run("none.csv")[0] == "there is no none.csv"
    assert run("x", x="")[0] == "x is empty"
    (tmp_path / "folder").mkdir()
    assert run("folder")[0] == "folder is a folder without .txt files; name the files in it"


def test_the_folder_above_the_frame_labels_is_refused_with_the_right_one(run):
    said, *_ = run(f"{SAMPLES / 'framelabels'} --fps 10")
    assert said == (f"{SAMPLES / 'framelabels'} holds the folder groundTruth; name that: "
                    f"{SAMPLES / 'framelabels/groundTruth'}")
    assert len(run(f"{SAMPLES / 'framelabels/groundTruth'} --fps 10")[1]) == 2


# ---- files that are there, encodings ------------------------------------------------------------

def test_existing_annotations_are_replaced_only_with_overwrite(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text("mine")
    words = ["import", str(SAMPLES / "table.csv"), "--to", "a.json"]
    assert Prepare_data.main(words) == 2 and Path("a.json").read_text() == "mine"
    assert capsys.readouterr().err == "error: a.json already exists; --overwrite replaces it\n"
    assert Prepare_data.main([*words, "--overwrite"]) == 0
    assert Prepare_data.main([*words[:-1], str(tmp_path)]) == 2
    assert "is a folder; name a file in it, such as" in capsys.readouterr().err


def test_a_fault_in_the_last_file_leaves_nothing_written(run):
    said, *_ = run(f"{SAMPLES / 'table.csv'} bad.csv", **{
        "bad.csv": "video,start,end,label\nv,1,x,run\n"})
    assert said.startswith("bad.csv, line 2: the end is 'x'")


def test_letters_that_are_in_no_usual_encoding_need_one(run, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"video,start,end,label\na,1,2,\x81\n")
    assert run("x.csv")[0] == ("x.csv is neither utf-8 nor cp1252; give its encoding with "
                               "--encoding")
    assert rows(run("x.csv --encoding cp437")[1]) == {"a": [(1, 2, "ü")]}
    assert "Python knows no such encoding" in run("x.csv --encoding cp0")[0]
    assert run("x.csv --encoding ascii")[0] == ("x.csv is not text in ascii; give its "
                                                "encoding with --encoding")


def test_an_open_quote_names_its_line(run):
    text = "video,start,end,label\n" + 'a,1,2,"' + "x" * 140_000
    assert "is a quotation mark left open?" in run("x.csv", **{"x.csv": text})[0]


# ---- times --------------------------------------------------------------------------------------

@pytest.mark.parametrize("row, fault", [
    ("a,3,1,run", "it ends at 1 s, before it starts at 3 s"),
    ("a,nan,1,run", "the start is 'nan', expected seconds or h:m:s"),
    ("a,1,inf,run", "the end is 'inf', expected seconds or h:m:s"),
    ("a,0:61,90,run", "the start is '0:61', expected seconds or h:m:s"),
    ("a,1,,run", "the end is '', expected seconds or h:m:s"),
    ('a,"1,5",2,run', "the start is '1,5', expected seconds or h:m:s"),
    ("a,1,2,", "the label is empty"),
    (",1,2,run", "the name of the video is empty"),
    ("a,1,2,run,more", "it has 5 cells, the header 4"),
])
def test_a_bad_row_is_refused_with_its_line_or_skipped_on_request(run, row, fault):
    text = f"video,start,end,label\na,1,2,run\n{row}\n"
    said, *_ = run("x.csv", **{"x.csv": text})
    assert said == (f"x.csv, line 3: {fault}; fix it, or leave such rows out with --skip_bad")
    _, found, out = run("x.csv --skip_bad", **{"x.csv": text})
    assert rows(found) == {"a": [(1, 2, "run")]} and "bad rows (1)" in out


@pytest.mark.parametrize("name", ["mouse_1_labels.csv", "framelabels/groundTruth/rgb-01.txt"])
def test_frames_need_a_rate(run, name):
    path = SAMPLES / name
    assert run(str(path))[0] == f"{path}: the times are frames; give --fps"
    assert run(f"{path} --fps 10")[1]


def test_frames_of_a_table_need_a_rate_if_it_has_none(run):
    text = "video,start_frame,stop_frame,label\na,0,29,x\n"
    assert run("x.csv", **{"x.csv": text})[0] == "x.csv, line 2: the times are frames; give --fps"
    assert rows(run("x.csv --fps 10", **{"x.csv": text})[1]) == {"a": [(0, 3, "x")]}


@pytest.mark.parametrize("row, fault", [
    ("a,0.5,2,x,5", "the start is 0.5, expected a whole number of frames"),
    ("a,3,2,x,5", "it ends with frame 2, before it starts with frame 3"),
    ("a,1,2,x,0", "fps is 0, expected more than 0"), ("a,1,2,x,fast", "fps is 'fast'")])
def test_frames_that_are_none_are_refused_with_their_line(run, row, fault):
    text = f"video,start_frame,end_frame,label,fps\n{row}\n"
    assert run("x.csv", **{"x.csv": text})[0].startswith(f"x.csv, line 2: {fault}")


@pytest.mark.parametrize("word", ["0", "-1", "nan", "x"])
def test_a_rate_is_a_number_above_0(run, word):
    assert "--fps" in run(f"{SAMPLES / 'mouse_1_labels.csv'} --fps={word}")[0]


# ---- tables -------------------------------------------------------------------------------------

def test_two_headers_for_one_key_need_a_choice(run):
    text = "video,start,end,label,class\na,1,2,run,fast\n"
    said, *_ = run("x.csv", **{"x.csv": text})
    assert said == ("x.csv: 'label' and 'class' can both be the label; choose one with --columns "
                    "label=HEADER")
    assert rows(run("x.csv --columns label=class")[1]) == {"a": [(1, 2, "fast")]}
    assert rows(run("x.csv --label label")[1]) == {"a": [(1, 2, "run")]}


def test_epic_needs_to_know_which_column_is_the_label(run):
    path = SAMPLES / "epic.csv"
    said, *_ = run(str(path))
    assert said.startswith(f"{path}: no column is the label; choose one of narration_id, ")
    assert said.endswith(" with --label COLUMN")
    assert rows(run(f"{path} --label noun")[1]) == {"P99_01": [(0.1, 2.3, "tin"),
                                                              (60, 63.5, "oil")]}


@pytest.mark.parametrize("header, remedy", [
    ("video,start,label,to", "end=to"), ("video,start_frame,label,to", "end_frame=to"),
    ("video,from,label,end", "start=from")])
def test_a_missing_column_is_named_with_the_option_for_it(run, header, remedy):
    text = f"{header}\na,1,run,3\n"
    said, *_ = run("x.csv --from table", **{"x.csv": text})
    key = remedy.split("=")[0]
    assert f"no column is the {key}; choose one of" in said
    assert said.endswith(f"with --columns {key}=HEADER")
    assert run(f"x.csv --fps 1 --columns {remedy}")[1]


def test_columns_that_are_not_there_or_no_keys_are_refused(run):
    text = "video,start,end,label\na,1,2,run\n"
    assert "x.csv has no column 'Text'; there are video, start, end, label" in run(
        "x.csv --label Text", **{"x.csv": text})[0]
    assert "is not KEY=HEADER; keys are video, start" in run("x.csv --columns wann=start")[0]


def test_time_rows_must_have_a_constant_step(run):
    text = "Time,Behaviour\n0,\n0.1,run\n0.2,run\n0.9,\n"
    said, *_ = run("x.csv --label Behaviour", **{"x.csv": text})
    assert said.startswith("x.csv, line 3: the rows do not follow each other with a constant time "
                           "step")
    assert run("x.csv", **{"x.csv": "Time,Behaviour\n0,run\n"})[0].startswith(
        "x.csv: 1 row, too few to show a time step")


def test_two_rows_about_a_video_must_agree(run):
    for column, values in (("video_duration", "10 20"), ("subset", "train test")):
        first, second = values.split()
        text = f"video,start,end,label,{column}\na,1,2,run,{first}\na,3,4,run,{second}\n"
        assert "x.csv, line 3: video a: the " in run("x.csv", **{"x.csv": text})[0]
    assert "the subset is 'blue', expected training, validation or testing" in run(
        "x.csv", **{"x.csv": "video,start,end,label,set\na,1,2,run,blue\n"})[0]


# ---- BORIS --------------------------------------------------------------------------------------

def test_a_start_without_stop_is_refused_dropped_or_closed(run):
    text = boris(("hen", "peck", "", "START", 5), ("hen", "drink", "", "START", 1),
                 ("hen", "drink", "", "STOP", 2))
    said, *_ = run("x.csv", **{"x.csv": text})
    assert said == ("x.csv: observation nest (n.mp4), hen: 'peck' starts at 5 s and never stops; "
                    "stop it in BORIS, or choose --unclosed drop or end")
    _, found, out = run("x.csv --unclosed drop")
    assert rows(found) == {"n": [(1, 2, "drink")]} and "unclosed (1)" in out
    _, found, out = run("x.csv --unclosed end")
    assert rows(found) == {"n": [(1, 2, "drink"), (5, 90, "peck")]}
    assert "closed at the end of the video (1)" in out


def test_closing_at_the_end_needs_a_length(run):
    text = boris(("", "peck", "", "START", 5), lengths="NA")
    said, *_ = run("x.csv --unclosed end", **{"x.csv": text})
    assert said.endswith("'peck' starts at 5 s and never stops, and the length of its media is not "
                         "known; choose --unclosed drop")
    assert rows(run("x.csv --unclosed drop")[1]) == {"n": []}


@pytest.mark.parametrize("events, fault", [
    ([("", "peck", "", "STOP", 5)], "line 2: 'peck' stops at 5 s without having started"),
    ([("", "peck", "", "START", 1), ("", "peck", "", "START", 2), ("", "peck", "", "STOP", 3)],
     "line 3: 'peck' starts at 2 s, but it has not stopped since 1 s"),
    ([("", "peck", "a", "START", 1), ("", "peck", "b", "STOP", 2), ("", "peck", "a", "STOP", 3)],
     "line 3: 'peck' stops at 2 s without having started"),
    ([("", "peck", "", "LATER", 1)], "line 2: the event is 'LATER', expected START, STOP or POINT"),
    ([("", "peck", "", "START", "x")], "line 2: Time is 'x', expected seconds or h:m:s"),
])
def test_unpaired_events_are_refused_or_skipped_on_request(run, events, fault):
    said, *_ = run("x.csv", **{"x.csv": boris(*events)})
    assert said == f"x.csv, {fault}; fix it, or leave such rows out with --skip_bad"
    _, found, out = run("x.csv --skip_bad")
    assert "bad rows (1)" in out
    assert rows(found)["n"] == ([(1, 3, "peck")] if len(events) == 3 else [])


def test_several_files_in_an_old_export_are_refused(run):
    text = (SAMPLES / "boris_aggregated_v7.csv").read_text()
    text = text.replace("fox_01.avi,120.000,30.0,No focal subject,sniff",
                        "fox_02.avi,120.000,30.0,No focal subject,sniff")
    said, *_ = run("x.csv --skip_bad", **{"x.csv": text})
    assert said == ("x.csv: observation obs1 has several media files, whose lengths this version "
                    "of BORIS does not write; export from a newer BORIS or give the .boris project")
    old = (SAMPLES / "boris_tabular_v7.tsv").read_text().replace(
        "Player #1\tcage3.mp4", "Player #1\tcage3.mp4\t\t\t\t\t\t\t\nPlayer #1\tcage4.mp4")
    assert "give the .boris project" in run("x.tsv", **{"x.tsv": old})[0]
    assert run(str(SAMPLES / "boris_project.boris"))[1]


def test_an_observation_of_several_files_cannot_name_them(run):
    path = SAMPLES / "boris_project.boris"
    said, *_ = run(f"{path} --video_name observation")
    assert said == (f"{path}: observation walk 2 has 2 media files, which cannot share its name; "
                    "choose --video_name media")
    assert list(run(f"{path} --video_name media")[1]) == ["walk1", "walk2a", "walk2b"]
    _, found, _ = run(f"{SAMPLES / 'boris_tabular_v9.csv'} --video_name observation")
    assert list(found) == ["nest7"]


def test_files_and_lengths_must_be_as_many(run):
    text = boris(("", "peck", "", "POINT", 1), source="player #1:a.mp4;b.mp4", lengths="5.0")
    assert "there are 2 media files and 1 duration" in run("x.csv", **{"x.csv": text})[0]
    text = boris(("", "peck", "", "POINT", 1), source="player #1:a.mp4;b.mp4", lengths="NA;5.0")
    assert "the length of a.mp4 is not known" in run("x.csv", **{"x.csv": text})[0]


@pytest.mark.parametrize("change, fault", [
    (lambda p: p["behaviors_conf"]["0"].update(type="Vague"), "behaviour 'sit' of the ethogram"),
    (lambda p: p.update(observations=[]), "has no object 'observations'"),
    (lambda p: p["observations"]["walk 1"].update(events={"0": []}), "are not a list"),
    (lambda p: p["observations"]["walk 1"]["events"].append(["x", "", "sit", ""]),
     "event 6 of observation walk 1: the time is 'x', expected a number"),
    (lambda p: p["observations"]["walk 1"]["events"].append(3), "event 6 of observation walk 1: "),
    (lambda p: p["observations"]["walk 2"]["media_info"].clear(),
     "the length of /data/walk2a.mp4 is not known"),
])
def test_a_damaged_project_is_refused_with_the_place(run, change, fault):
    project = json.loads((SAMPLES / "boris_project.boris").read_text())
    change(project)
    assert fault in run("x.boris", **{"x.boris": json.dumps(project)})[0]


# ---- Label Studio -------------------------------------------------------------------------------

def task(*values, **more):
    return json.dumps([{"data": {"video": "a.mp4", "fps": 10}, "annotations": [
        {"result": [{"value": value} for value in values]}]} | more])


def test_predictions_are_not_annotations(run):
    path = SAMPLES / "export/labelstudio_predictions.json"
    assert run(str(path))[0] == (f"{path}: predictions are not annotations; correct and submit "
                                 "them in Label Studio, then export the project as JSON")


def test_frames_of_label_studio_need_a_rate_and_count_from_1(run):
    good = {"ranges": [{"start": 1, "end": 10}], "timelinelabels": ["x"]}
    text = task(good, data={"video": "a.mp4"})
    assert run("x.json", **{"x.json": text})[0] == ("x.json, task 1: the times are frames; give "
                                                    "--fps")
    assert rows(run("x.json --fps 10")[1]) == {"a": [(0, 1, "x")]}
    text = task({"ranges": [{"start": 0, "end": 10}], "timelinelabels": ["x"]})
    assert run("x.json", **{"x.json": text})[0].startswith(
        "x.json, task 1: it starts at frame 0, but Label Studio counts frames from 1")


def test_a_time_series_needs_its_unit(run):
    text = task({"start": 2, "end": 3.5, "timeserieslabels": ["x"], "instant": False})
    said, *_ = run("x.json", **{"x.json": text})
    assert said == ("x.json, task 1: regions of a time series are in the units of its axis; if "
                    "these are seconds, say --timeseries seconds")
    assert rows(run("x.json --timeseries seconds")[1]) == {"a": [(2, 3.5, "x")]}
    text = task({"start": "2024-01-01", "end": "2024-01-02", "timeserieslabels": ["x"]})
    assert "the start is '2024-01-01', expected a number" in run(
        "x.json --timeseries seconds", **{"x.json": text})[0]


def test_a_task_needs_one_media_file(run):
    good = {"ranges": [{"start": 1, "end": 10}], "timelinelabels": ["x"]}
    for data, count in (({"text": "hi"}, 0), ({"a": "x.mp4", "b": "y.mp4"}, 2)):
        text = task(good, data=data)
        assert f"task 1: {count} of the values of its data are media files, expected one" in run(
            "x.json --fps 10", **{"x.json": text})[0]


def test_what_label_studio_has_beside_actions_is_counted(run):
    text = task({"start": 1, "end": 2, "labels": ["song"]}, {"rating": 4},
                {"ranges": [{"start": 1, "end": 2}], "timelinelabels": []},
                {"ranges": [{"start": 1, "end": 10}, {"start": 21, "end": 30}],
                 "timelinelabels": ["x"]})
    _, found, out = run("x.json", **{"x.json": text})
    assert rows(found) == {"a": [(0, 1, "x"), (1, 2, "song"), (2, 3, "x")]}
    assert "results of other kinds (1)" in out and "regions without a label (1)" in out


def test_the_ground_truth_goes_before_the_first_annotation(run):
    def annotation(label, **more):
        return {"result": [{"value": {"start": 1, "end": 2, "labels": [label]}}], **more}
    text = task(annotations=[annotation("a"), annotation("b", ground_truth=True),
                             annotation("c", was_cancelled=True)])
    _, found, out = run("x.json", **{"x.json": text})
    assert rows(found) == {"a": [(1, 2, "b")]}
    assert "annotations of other annotators (1)" in out and "cancelled annotations (1)" in out


def test_of_json_min_the_first_annotation_of_a_task_counts(run):
    one = {"id": 1, "video": "a.mp4", "tl": [{"start": 1, "end": 2, "labels": ["x"]}]}
    text = json.dumps([one | {"tl": [{"ranges": [{"start": 1, "end": 5}],
                                      "timelinelabels": ["y"]}]}, one])
    _, found, out = run("x.json --fps 5", **{"x.json": text})
    assert rows(found) == {"a": [(0, 1, "y")]} and "annotations of other annotators (1)" in out


# ---- ELAN ---------------------------------------------------------------------------------------

def eaf(run, change, words=""):
    text = (SAMPLES / "elan.eaf").read_text()
    changed = change(text)
    assert changed != text
    return run(f"x.eaf {words}", **{"x.eaf": changed})


def test_a_document_type_definition_is_refused(run):
    said, *_ = eaf(run, lambda text: text.replace(
        "<ANNOTATION_DOC", '<!DOCTYPE x [<!ENTITY a "aa">]>\n<ANNOTATION_DOC', 1))
    assert said == ("x.eaf: it has a DOCTYPE, which ELAN never writes; save the file again with "
                    "ELAN")


def test_times_in_units_other_than_milliseconds_are_refused(run):
    said, *_ = eaf(run, lambda text: text.replace('"milliseconds"', '"PAL-frames"'))
    assert said == ("x.eaf: its times are PAL-frames; save it with a newer ELAN, which writes "
                    "milliseconds")


def test_xml_that_is_cut_off_is_refused_with_the_place(run):
    said, *_ = eaf(run, lambda text: text[:500])
    assert said.startswith("x.eaf is not valid XML: ") and "line" in said


def test_a_tier_that_is_not_there_is_refused_with_those_that_are(run):
    path = SAMPLES / "elan.eaf"
    assert run(f"{path} --tiers hand")[0] == (
        f"{path} has no tier 'hand'; choose with --tiers of gesture@A, gesture@B, hand@A")
    assert run(f"{path} --tiers gesture@B")[1]


@pytest.mark.parametrize("change, fault", [
    (lambda text: text.replace('TIME_VALUE="2000"', 'TIME_VALUE="soon"'),
     "annotation 1 of tier gesture@B: time slot ts5 is 'soon', expected a number"),
    (lambda text: text.replace(' TIME_VALUE="2000"', ""),
     "annotation 1 of tier gesture@B: its time slot ts5 has no time"),
])
def test_an_annotation_without_times_is_refused_or_skipped_on_request(run, change, fault):
    said, *_ = eaf(run, change)
    assert said == f"x.eaf, {fault}; fix it, or leave such rows out with --skip_bad"
    _, found, out = eaf(run, change, "--skip_bad")
    assert len(found["gesture_05"]["annotations"]) == 2 and "bad rows (1)" in out


def test_a_reference_to_nothing_or_to_itself_is_refused(run):
    for change in (lambda text: text.replace('ANNOTATION_REF="a1"', 'ANNOTATION_REF="a99"'),
                   lambda text: text.replace('ANNOTATION_REF="a1"', 'ANNOTATION_REF="a5"')):
        said, *_ = eaf(run, change, "--tiers hand@A")
        assert "annotation 1 of tier hand@A: it refers to a" in said


# ---- frames, subtitles, label tracks ------------------------------------------------------------

def test_a_label_in_no_mapping_is_refused_with_file_and_line(run):
    said, *_ = run("v.txt --fps 1 --mapping m", **{"v.txt": "cut\nstir\n", "m": "0 cut\n"})
    assert said == ("v.txt, line 2: 'stir' is neither a label nor an id of m; add it there, or "
                    "leave --mapping out")
    assert run("v.txt --fps 1 --mapping m", m="0 cut\n1 stir\n")[1]
    assert run("v.txt --fps 1")[1]
    assert "m, line 2: expected 'id label', each id once" in run(
        "v.txt --fps 1 --mapping m", m="0 cut\n0 stir\n")[0]


def test_ids_are_mapped_to_labels(run):
    _, found, _ = run("v.txt --fps 1 --mapping m", **{"v.txt": "1\n1\n0\n", "m": "0 a\n1 b c\n"})
    assert rows(found) == {"v": [(0, 2, "b c"), (2, 3, "a")]}


def test_a_blank_line_between_frames_is_refused(run):
    assert run("v.txt --fps 1", **{"v.txt": "a\n\na\n\n"})[0] == (
        "v.txt, line 2: the line is blank, expected the label of a frame; fix the file")


def test_frames_that_are_not_yet_labelled_are_refused_or_leave_the_video_out(run):
    bad = {"x_labels.csv": ",background,run\n0,1,0\n1,-1,-1\n2,-1,-1\n", "y_labels.csv":
           ",background,run\n0,1,0\n1,0,1\n"}
    said, *_ = run("x_labels.csv y_labels.csv --fps 1", **bad)
    assert said == ("x_labels.csv: 2 frames not yet labelled (-1); label all, or leave the "
                    "video out with --skip_bad")
    _, found, out = run("x_labels.csv y_labels.csv --fps 1 --skip_bad")
    assert list(found) == ["y"] and "videos with unlabelled frames (1)" in out


def test_columns_of_poses_need_the_names_of_the_behaviours(run):
    path = SAMPLES / "simba_targets/Together_9.csv"
    said, *_ = run(f"{path} --from onehot --fps 10")
    assert said == (f"{path}, line 2: Nose_x is '100.0', expected 0 or 1; choose the columns of "
                    "behaviours with --labels")
    assert run(f"{path} --fps 10 --labels Attack")[1]
    assert "has no column 'Bite'; choose with --labels of Nose_x" in run(
        f"{path} --fps 10 --labels Bite")[0]


def test_a_missing_row_of_a_frame_is_refused(run):
    said, *_ = run("x.csv --fps 1", **{"x.csv": ",run\n0,1\n2,1\n"})
    assert said == "x.csv, line 3: frame 2 follows frame 0; every frame needs its row, in order"


@pytest.mark.parametrize("text, fault", [
    ("1\n00:00:01,000 --> soon\ngoal\n", "line 1: the end is 'soon'"),
    ("1\n00:00:01,000 --> 00:00:02,000\ngoal\n\nlost line\n",
     "line 5: expected the lines of one cue, found 'lost line'"),
    ("1\n00:00:01,000 --> 00:00:02,000\ngoal\n2\n00:00:03,000 --> 00:00:04,000\nfoul\n",
     "line 1: expected the lines of one cue"),
    ("1\n00:00:05,000 --> 00:00:02,000\ngoal\n", "line 1: it ends at 2 s, before it starts at 5 s"),
    ("1\n00:00:01,000 --> 00:00:02,000\n<i></i>\n", "line 1: the label is empty"),
])
def test_a_cue_that_is_none_is_refused_with_its_line(run, text, fault):
    assert run("x.srt", **{"x.srt": text})[0].startswith(f"x.srt, {fault}")


def test_a_line_that_is_not_a_label_is_refused(run):
    said, *_ = run("x.txt", **{"x.txt": "1\t2\tsong\n1 2 song\n"})
    assert said.startswith("x.txt, line 2: it is '1 2 song', expected start, end, label and")


def test_half_a_character_is_refused_as_a_label(run):
    text = task({"start": 1, "end": 2, "labels": ["\ud800"]})
    assert run("x.json", **{"x.json": text})[0].startswith(
        "x.json, task 1: the label '\\ud800' or its subject is not valid text")


# ---- files beside them --------------------------------------------------------------------------

TABLE = {"t.csv": "video,start,end,label\na,1,2,run\n"}


@pytest.mark.parametrize("option, text, fault", [
    ("--durations d", "a,5\n", "d has no column 'video'; --durations expects a table with the "
                               "header video,seconds"),
    ("--durations d", "video,seconds\na,0\n", "the duration is 0, expected more than 0 seconds"),
    ("--durations d", "video,seconds\na,long\n", "video a: the time is 'long'"),
    ("--durations d", "video,seconds\na,1\na.mp4,2\n", "video a has the durations 1 and 2"),
    ("--names d", "from,to\na,b\na,c\n", "'a' has the new names 'b' and 'c'; keep one"),
    ("--names d", "a,b\n", "d has no column 'from'"),
    ("--split d", "video,subset\na,red\n", "the subset is 'red', expected training, validation"),
    ("--split d", "[]", "d has no column 'video'"),
    ("--split d", "{}", "expected {video: subset} in the file of --split"),
    ("--split none", "", "there is no none"),
])
def test_a_bad_table_beside_the_files_is_refused(run, option, text, fault):
    assert fault in run(f"t.csv {option}", d=text, **TABLE)[0]


def test_a_folder_without_lists_is_refused_as_a_split(run, tmp_path):
    (tmp_path / "lists").mkdir()
    assert run("t.csv --split lists", **TABLE)[0] == (
        "lists holds no lists of videos; they are called train*, val* and test*, and end in "
        ".bundle or .txt")


def test_features_are_looked_for_before_anything_is_written(run, tmp_path):
    assert run("t.csv --feature_path none", **TABLE)[0] == "--feature_path none does not exist"
