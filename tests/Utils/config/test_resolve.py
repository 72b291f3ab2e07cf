"""Options: every flag of every script, the presets, refusals, and what a checkpoint brings."""

import dataclasses
import json
import pickle
import shlex

import pytest

from Utils.config.checks import check_network
from Utils.config.describe import describe, notes, opening, unread_by
from Utils.config.fields import SCRIPTS
from Utils.config.help_text import help_text
from Utils.config.options import GROUPS, OPTIONS, SETTLED, STORED_NAMES, Config, names_of
from Utils.config.presets import PRESETS, RECIPES
from Utils.config.resolve import adopt, parse_config, settings
from Utils.files import UserError

T7 = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
T10 = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)

# The paper's settings of the two benchmarks, as the original's options had them.
BOTH = {
    "use_VSS": True, "use_xGPN": True, "batch_size": 32, "weight_decay": 1e-4, "step_size": 15,
    "step_gamma": 0.1, "temporal_scale": 1280, "input_feat_dim": 2048, "bb_hidden_dim": 256,
    "num_levels": 5, "num_head_layers": 4, "base_stride": 4, "nfeat_mode": "feat_ctr",
    "agg_type": "max", "edge_weight": False, "gcn_insert": "par", "stitch_gap": 30,
    "short_ratio": 0.4, "clip_win_size": 0.38, "val_split": "test", "seed": 21,
}
TABLE = {
    "thumos": BOTH | {
        "train_lr": 5e-5, "num_epoch": 10, "decoder_num_classes": 21, "class_agnostic": False,
        "anchor_scale": (1, 1.5), "iou_thr": (0.5, 0.5, 0.7), "num_neigh": 12, "nms_thr": 0.4,
        "nms_alpha_detect": 0.46, "max_seconds": 50, "score_loss_weight": 0.2, "tiou": T7,
        "boundary_loss_epsilon": 1e-5, "max_detections": 200, "framing": "sliding",
        "train_subset": "train", "subset": "test",
    },
    "activitynet": BOTH | {
        "train_lr": 1e-4, "num_epoch": 15, "decoder_num_classes": 201, "class_agnostic": True,
        "anchor_scale": (8, 20), "iou_thr": (0.5, 0.6, 0.7), "num_neigh": 10, "focal_alpha": 0.35,
        "nms_alpha_detect": 0.85, "nms_alpha_prop": 0.75, "nms_lthr_prop": 0.65, "tiou": T10,
        "nms_hthr_prop": 0.9, "max_seconds": None, "score_loss_weight": 1, "framing": "whole",
        "boundary_loss_epsilon": 1e-6, "max_detections": 100, "num_video_classes": 1,
        "train_subset": "training", "subset": "validation",
    },
    "demo": {
        "temporal_scale": 256, "num_levels": 5, "bb_hidden_dim": 64, "num_head_layers": 2,
        "num_neigh": 8, "stitch_gap": 8, "anchor_scale": (1, 1.5), "batch_size": 16,
        "train_lr": 1e-3, "num_epoch": 12, "input_feat_dim": 32, "decoder_num_classes": 7,
        "feature_path": "data/demo", "max_seconds": None, "tiou": T7,
    },
    "custom": {
        "val_split": "heldout", "framing": None, "temporal_scale": None, "input_feat_dim": None,
        "decoder_num_classes": None, "anchor_scale": None, "max_seconds": None, "tiou": T7,
    },
}

def test_own_videos_are_held_out_only_if_they_choose_a_checkpoint():
    for flags, expected in ((["--recipe", "paper"], "heldout"), (["--recipe", "strong"], "none"),
                            (["--recipe", "strong", "--checkpoint", "best"], "heldout"),
                            (["--recipe", "strong", "--val_split", "test"], "test")):
        config = parse_config("Train", ["--dataset", "custom", *flags])
        assert config.val_split == expected


# Every option of the command line, as a user may write it.
FLAGS = """
--dataset thumos --feature_path f --checkpoint_path c --output_path o --window_path w
--use_VSS --no-use_VSS --use_xGPN --no-use_xGPN --batch_size 2 --train_lr 1e-3 --weight_decay 0
--num_epoch 1 --step_size 2 --step_gamma 0.5 --temporal_scale 640 --input_feat_dim 32
--bb_hidden_dim 64 --decoder_num_classes 5 --num_levels 4 --num_head_layers 1 --base_stride 4
--anchor_scale 1 2 --iou_thr 0.5 0.6 0.7 --num_neigh 3 --nfeat_mode dif_ctr --agg_type mean
--edge_weight true --gcn_insert seq --focal_alpha 0.3 --stitch_gap 8 --short_ratio 0.3
--clip_win_size 0.2 --nms_thr 0.5 --nms_alpha_detect 0.5 --nms_alpha_prop 0.7 --nms_lthr_prop 0.6
--nms_hthr_prop 0.8 --resume --seed 3 --device cpu --num_workers 0
--protocol thumos14 --video_anno a.json --detad_anno e.json --subset val --train_subset training
--val_split heldout --video_scores s.json --ambiguous t.txt --video_info v.csv --tiou 0.3 0.5
--checkpoint last --skip_missing --feature_fps 30 --framing whole --num_video_classes 2
--detad_length_bins vsgn
"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_accepts_every_flag(script):
    is_train = "false" if script == "Infer" else "true"
    config = parse_config(script, [*shlex.split(FLAGS), "--is_train", is_train])
    assert (config.feature_path, config.train_lr, config.seed) == ("f", 1e-3, 3)
    assert config.use_VSS is False and config.use_xGPN is False and config.edge_weight is True
    assert config.anchor_scale == (1, 2) and config.iou_thr == (0.5, 0.6, 0.7)
    assert config.feature_fps == 30 and config.tiou == (0.3, 0.5) and config.resume is True


@pytest.mark.parametrize("dataset", TABLE)
def test_presets_are_those_of_the_table(dataset):
    config = parse_config("Train", ["--dataset", dataset, "--recipe", "paper"])
    assert {name: getattr(config, name) for name in TABLE[dataset]} == TABLE[dataset]
    assert config.checkpoint_path == f"checkpoint_{dataset}"
    assert config.output_path == f"output_{dataset}"
    assert config.window_path == f"windows/{dataset}"


@pytest.mark.parametrize(("dataset", "recipe"), [
    ("custom", "strong"), ("demo", "strong"), ("thumos", "paper"), ("activitynet", "paper")])
def test_own_data_train_by_the_strong_recipe_and_benchmarks_by_the_papers(dataset, recipe):
    config = parse_config("Train", ["--dataset", dataset])
    named = parse_config("Train", ["--dataset", dataset, "--recipe", recipe])
    assert config.recipe == recipe and settings(config) == settings(named)


def test_a_bare_command_means_activitynet():
    assert parse_config("Cut_long_videos", []).dataset == "activitynet"


def test_a_bare_detection_file_means_custom():
    config = parse_config("Eval", ["--detections", "theirs.json"])
    assert (config.dataset, config.tiou, config.max_seconds) == ("custom", T7, None)
    assert parse_config("Eval", ["--detections", "x", "--dataset", "thumos"]).dataset == "thumos"


def test_a_flag_overrides_its_preset_and_nothing_else():
    given = parse_config("Train", ["--dataset", "demo", "--num_epoch", "3"])
    plain = parse_config("Train", ["--dataset", "demo"])
    assert given.num_epoch == 3 and given.given == {"dataset": "demo", "num_epoch": 3}
    assert dataclasses.replace(given, num_epoch=14, given=plain.given) == plain


def test_presets_and_limits_name_real_options():
    known = set(names_of(*GROUPS))
    assert {name for preset in [*PRESETS.values(), *RECIPES.values()] for name in preset} <= known
    assert {name for spec in OPTIONS.values() for name in spec.needs} <= known
    assert len(names_of(*GROUPS)) == len(known)


@pytest.mark.parametrize(("words", "hint"), [
    ("--batchsize 4", "unknown option --batchsize; did you mean --batch_size?"),
    ("--no-use-vss", "unknown option --no-use-vss; did you mean --use_VSS?"),
    ("--temporal-scale=3", "unknown option --temporal-scale=3; did you mean --temporal_scale?"),
    ("--num_epo 4", "unknown option --num_epo; did you mean --num_epoch?"),
    ("--qqqq 4", "unknown option --qqqq; --help all lists them"),
    ("stray", "stray does not belong to an option; --help all lists them"),
])
def test_unknown_options_name_the_nearest(words, hint):
    with pytest.raises(UserError) as caught:
        parse_config("Train", words.split())
    assert str(caught.value) == hint


@pytest.mark.parametrize(("script", "words", "sentence"), [
    ("Train", "--is_train false", "--is_train false contradicts Train.py"),
    ("Infer", "--is_train true", "--is_train true contradicts Infer.py"),
    ("Train", "--resume --overwrite", "--resume and --overwrite contradict each other"),
    ("Train", "--dataset kinetics", "--dataset: invalid choice: 'kinetics'"),
    ("Train", "--batch_size four", "--batch_size: invalid int value: 'four'"),
    ("Train", "--edge_weight yes", "'yes' is neither true nor false"),
    ("Train", "--is_train yes", "--is_train: invalid choice: 'yes'"),
    ("Train", "--anchor_scale", "--anchor_scale: expected at least one argument"),
    ("Train", "--nfeat_mode feat", "--nfeat_mode: invalid choice: 'feat'"),
    ("Train", "--iou_thr 0.5 0.6", "--iou_thr takes three thresholds, found 2"),
    ("Train", "--iou_thr 0.5 0.6 7", "--iou_thr 0.5 0.6 7 is impossible: it must be from 0 to 1"),
    ("Train", "--batch_size 0", "--batch_size 0 is impossible: it must be above 0"),
    ("Train", "--train_lr nan", "--train_lr nan is impossible: it must be above 0"),
    ("Train", "--train_lr inf", "--train_lr inf is impossible: it must be above 0"),
    ("Cut_long_videos", "--stitch_gap -1", "--stitch_gap -1 is impossible: it must be 0 or above"),
    ("Train", "--decoder_num_classes 1", "it must be 2 or above"),
    ("Train", "--anchor_scale 1 -2", "--anchor_scale 1 -2 is impossible: it must be above 0"),
    ("Cut_long_videos", "--short_ratio 0.99", "leave no room for a magnified copy: 1267 + 30 of "
                                              "--temporal_scale 1280 frames"),
    ("Train", "--temporal_scale 1000", "not divisible by 64 (4 * 2^(num_levels - 1)); "
                                       "960 and 1024 fit"),
    ("Train", "--temporal_scale 128", "--num_neigh 10 is more than the 4 positions of the "
                                      "coarsest graph; at most 4 fit"),
    ("Train", "--bb_hidden_dim 100", "it must be a multiple of 32, the groups of the heads' "
                                     "GroupNorm; 96 and 128 fit"),
    ("Infer", "--base_stride 8", "--base_stride 8 is impossible: it must be 4"),
    # What the network is built with, every script knows: a remedy of one must suit the next.
    ("Cut_long_videos", "--bb_hidden_dim 48", "it must be a multiple of 32"),
    ("Train", "--num_neigh 300", "--num_neigh 300 is impossible: it must be from 1 to 256"),
    ("Train", "--recipe strong --clip_win_size 0.1", "--min_clip 0.19 is more than --clip_win_size "
     "0.1, the length of the longest clip; lower --min_clip or raise --clip_win_size"),
    ("Train", "--check", "--check belongs to Cut_long_videos.py; Train.py cannot do that"),
    ("Eval", "--video x.npy", "--video belongs to Infer.py"),
    ("Cut_long_videos", "-o x.json", "--out belongs to Infer.py"),
    ("Infer", "--sweep vote_iou=0.7", "--sweep belongs to Eval.py"),
    ("Train", "--detections x.json", "--detections belongs to Eval.py"),
    ("Eval", "--tiou 0.5:0:0.9", "--tiou: '0.5:0:0.9' is neither a number nor a list"),
    ("Eval", "--tiou 0.5:0.05", "'0.5:0.05' is neither a number"),
    ("Eval", "--tiou high", "'high' is neither a number"),
])
def test_contradictory_and_impossible_options_are_refused(script, words, sentence):
    with pytest.raises(UserError) as caught:
        parse_config(script, words.split())
    assert sentence in str(caught.value)


def test_the_network_binds_neither_cutting_nor_evaluation():
    for script in ("Cut_long_videos", "Eval"):
        assert parse_config(script, ["--temporal_scale", "1000"]).temporal_scale == 1000


def test_limits_of_the_graph_apply_only_if_there_is_one():
    words = ["--temporal_scale", "128"]
    assert parse_config("Train", [*words, "--no-use_xGPN"]).temporal_scale == 128
    assert parse_config("Train", [*words, "--num_neigh", "4"]).num_neigh == 4


def test_room_for_the_magnified_copy_matters_only_if_clips_are_stitched():
    config = parse_config("Train", ["--short_ratio", "0.99", "--no-use_VSS"])
    assert config.short_ratio == 0.99


def test_options_that_the_data_decide_pass_until_they_are_known():
    config = parse_config("Train", ["--dataset", "custom"])
    check_network(config)
    with pytest.raises(UserError, match="--temporal_scale 100"):
        check_network(dataclasses.replace(config, temporal_scale=100))


def test_a_class_agnostic_network_has_one_score():
    assert parse_config("Train", ["--dataset", "thumos"]).num_scores == 21
    assert parse_config("Train", ["--dataset", "activitynet"]).num_scores == 1


def stored_of(*words):
    """Settings as a checkpoint or a JSON file gives them back."""
    return json.loads(json.dumps(settings(parse_config("Train", words))))


def test_options_not_given_come_from_the_checkpoint():
    stored = stored_of("--dataset", "demo", "--num_neigh", "5", "--anchor_scale", "1", "3",
                       "--seed", "9", "--nms_thr", "0.3")
    config = parse_config("Infer", ["--checkpoint_path", "there", "--nms_thr", "0.6"])
    adopted = adopt(config, stored, "there/best.pth.tar")
    assert (adopted.dataset, adopted.num_neigh, adopted.seed) == ("demo", 5, 9)
    assert adopted.anchor_scale == (1, 3)
    assert adopted.nms_thr == 0.6                       # given here
    assert adopted.checkpoint_path == "there"           # a place is never taken over
    assert adopted.given == config.given


def test_places_and_ways_of_running_are_not_stored():
    stored = stored_of("--dataset", "demo", "--output_path", "o", "--device", "cpu", "--overwrite")
    assert stored["dataset"] == "demo" and stored["seed"] == 21
    assert not {"output_path", "checkpoint_path", "device", "overwrite", "resume"} & set(stored)


def test_adopting_ones_own_settings_changes_nothing():
    config = parse_config("Train", ["--dataset", "activitynet", "--num_neigh", "4"])
    assert adopt(config, json.loads(json.dumps(settings(config))), "itself") == config


def test_a_given_network_option_that_differs_is_refused():
    stored = stored_of("--dataset", "demo")
    config = parse_config("Infer", ["--dataset", "demo", "--no-use_xGPN"])
    with pytest.raises(UserError) as caught:
        adopt(config, stored, "run/best.pth.tar")
    assert str(caught.value) == (
        "--use_xGPN false contradicts run/best.pth.tar, made with true; leave the option out, or "
        "train again with it")
    same = parse_config("Infer", ["--dataset", "demo", "--num_neigh", "8"])
    assert adopt(same, stored, "run/best.pth.tar").num_neigh == 8


def test_stored_options_that_are_unknown_here_are_passed_over():
    stored = stored_of("--dataset", "demo") | {"of_a_later_version": 3, "checkpoint_path": "evil"}
    adopted = adopt(parse_config("Infer", []), stored, "x")
    assert adopted.checkpoint_path == "checkpoint_demo"


def test_a_recipe_stands_between_the_dataset_and_the_user():
    config = parse_config("Train", ["--dataset", "demo", "--recipe", "strong", "--ema", "0.9"])
    assert (config.batch_size, config.temporal_scale, config.ema) == (8, 256, 0.9)
    assert config.random_windows and config.checkpoint == "last" and config.nms_by_class
    paper = parse_config("Train", ["--dataset", "demo", "--recipe", "paper"])
    assert (paper.batch_size, paper.ema, paper.random_windows) == (16, None, False)


def test_the_recipe_of_the_training_is_that_of_the_decoding_unless_another_is_named():
    stored = settings(parse_config("Train", ["--dataset", "demo", "--recipe", "strong",
                                             "--vote_iou", "0.6"]))
    plain = adopt(parse_config("Infer", []), stored, "x")
    assert (plain.recipe, plain.vote_iou, plain.boundary_power) == ("strong", 0.6, 0.25)
    paper = adopt(parse_config("Infer", ["--recipe", "paper"]), stored, "x")
    assert (paper.vote_iou, paper.boundary_power, paper.nms_thr) == (None, 1.0, 0.4)
    assert paper.temporal_scale == 256
    stored.pop("recipe")       # of a run before there were recipes
    assert adopt(parse_config("Infer", ["--recipe", "strong"]), stored, "x").vote_iou == 0.7


def test_an_option_that_a_script_does_not_read_is_reported():
    words = ["--num_epoch", "3", "--seed", "4", "--tiou", "0.5"]
    assert notes(parse_config("Cut_long_videos", words), "Cut_long_videos") == [
        "Cut_long_videos.py does not read --num_epoch, --tiou"]
    assert notes(parse_config("Train", words), "Train") == []


def test_a_script_refuses_options_that_contradict_the_file_it_reads():
    stored = stored_of("--dataset", "demo")
    for script, words, name in (("Infer", "--num_epoch 99", "train"),
                                ("Eval", "--num_epoch 99", "train"),
                                ("Eval", "--nms_thr 0.9", "infer"),
                                ("Eval", "--score_threshold 0.9", "infer"),
                                ("Infer", "--dataset custom", "train")):
        config = parse_config(script, words.split())
        with pytest.raises(UserError, match=f"{words.split()[0]} .* contradicts FILE, made with .*"
                                            f" or {name} again with it"):
            adopt(config, stored, "FILE", SETTLED[script])
        assert notes(config, script) == []
    decoded = parse_config("Infer", ["--nms_thr", "0.9", "--batch_size", "3"])
    assert adopt(decoded, stored, "FILE", SETTLED["Infer"]).nms_thr == 0.9


@pytest.mark.parametrize(("script", "words", "needed"), [
    ("Train", "--clip_share 0.5", "--random_windows"),
    ("Train", "--dataset custom --recipe strong --best_by map", "--checkpoint best"),
    ("Train", "--no-use_xGPN --agg_type mean", "--use_xGPN"),
    ("Train", "--recipe strong --step_size 3", "--schedule step"),
    ("Train", "--recipe strong --no-use_VSS --min_clip 0.1", "--use_VSS"),
    ("Train", "--dataset thumos --focal_alpha 0.1", "--class_agnostic"),
    ("Eval", "--ambiguous there.txt", "--protocol thumos14"),
    ("Eval", "--detections a.json --nms_alpha_detect 0.3", "no --detections"),
    ("Eval", "--detections a.json --min_score auto", "--export"),
    ("Eval", "--detections a.json --top 3", "--export"),
    ("Eval", "--sweep nms_alpha_detect=0.3 --min_score 0.2", "no --sweep"),
    ("Eval", "--sweep nms_alpha_detect=0.3 --figures png", "no --sweep"),
    ("Eval", "--sweep nms_alpha_detect=0.3 --short_seconds 2", "no --sweep"),
])
def test_an_option_without_effect_says_which_other_one_it_needs(script, words, needed):
    name = [word for word in words.split() if word.startswith("--")][-1]
    assert notes(parse_config(script, words.split()), script) == [
        f"{name} has no effect: it needs {needed}"]


def test_what_cuts_an_export_has_an_effect_with_one():
    for words in ("--detections a.json --export csv --min_score auto", "--min_score 0.2 --top 3"):
        assert notes(parse_config("Eval", words.split()), "Eval") == []


def test_eval_reports_options_that_a_mode_does_not_read():
    words = ["--tiou", "0.5", "--output_path", "there", "--overwrite"]
    config = parse_config("Eval", ["--compare", "a", "b", *words])
    assert unread_by(config, "compare") == ["Eval.py --compare does not read --tiou"]
    config = parse_config("Eval", ["--list", "a", *words])
    assert unread_by(config, "list") == [
        "Eval.py --list does not read --tiou, --output_path, --overwrite"]


def test_thresholds_are_written_as_numbers_with_commas_or_as_a_range():
    for words in ("0.3 0.5 0.7", "0.3,0.5,0.7", "0.3:0.2:0.7", "0.3,0.5 0.7"):
        assert parse_config("Eval", ["--tiou", *words.split()]).tiou == (0.3, 0.5, 0.7)
    assert parse_config("Eval", ["--tiou", "0.5:0.05:0.95"]).tiou == T10


def test_the_printed_options_are_those_of_the_script_and_star_the_users_own():
    text = describe(parse_config("Train", ["--dataset", "demo", "--recipe", "paper",
                                           "--num_epoch", "3"]), "Train")
    assert "num_epoch*=3 " in text and " batch_size=16 " in text
    assert "anchor_scale=1 1.5" in text and "use_VSS=true" in text
    assert "video_anno" not in text and "sweep" not in text


def test_a_script_says_first_what_differs_from_the_preset_and_what_the_data_decided():
    config = parse_config("Train", ["--dataset", "custom", "--num_epoch", "3", "--ema", "0.99"])
    config = dataclasses.replace(config, temporal_scale=640, bb_hidden_dim=64)
    assert opening(config, "Train", " on cpu") == [
        "Train.py on cpu: dataset custom, recipe strong",
        "  differs from the preset: num_epoch 3",      # ema 0.99 is the recipe's own
        "  from the data: temporal_scale 640, bb_hidden_dim 64"]
    assert len(opening(dataclasses.replace(config, verbose=True), "Train")) == 2
    said = opening(parse_config("Eval", ["--detections", "x", "--tiou", "0.5", "--seed", "3"]),
                   "Eval", lines=["own"])
    assert said == ["Eval.py: dataset custom, recipe strong",
                    "  differs from the preset: tiou 0.5", "own", "Eval.py does not read --seed"]


def help_of(script, capsys, *words):
    with pytest.raises(SystemExit) as stop:
        parse_config(script, ["--help", *words])
    assert stop.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_all_shows_every_option_that_the_script_reads_and_no_other(script, capsys):
    text = help_of(script, capsys, "all")
    shown = {word.removeprefix("--") for line in text.splitlines() for word in line.split()[:2]
             if line.startswith("  -") and word.startswith("--")}
    assert shown == {name for name, spec in OPTIONS.items() if script in spec.scripts}


@pytest.mark.parametrize(("script", "most"), [("Train", 110), ("Cut_long_videos", 80),
                                              ("Infer", 80), ("Eval", 80)])
def test_help_is_short_and_begins_with_an_example(script, most, capsys):
    lines = help_of(script, capsys).splitlines()
    assert len(lines) <= most and all(len(line) <= 100 for line in lines)
    assert lines.index("example:") <= 3 and lines[-1].startswith("--help all")
    assert lines.index("most important:") < 9
    assert "epochs (10; activitynet 15; demo 12; strong 14)" in "\n".join(lines) or (
        script != "Train")
    # The example is a command that the script takes.
    start = lines.index("example:") + 1
    example = " ".join(lines[start:lines.index("", start)]).split()
    assert example[:2] == ["python", f"{script}.py"]
    assert notes(parse_config(script, example[2:]), script) == []


def test_only_names_are_called_names_in_the_help():
    texts = {name for name, spec in OPTIONS.items()
             if spec.kind is str and not spec.choices and not spec.metavar}
    assert texts == {"train_subset", "subset", "export"}
    assert "--video_folder PATH" in help_text("Eval")
    assert "--sweep NAME=VALUES ..." in help_text("Eval")


def test_help_says_what_chooses_an_option_that_a_preset_leaves_open(capsys):
    text = " ".join(help_of("Train", capsys, "all").split())
    assert "unset" not in text
    assert "channels, all streams together (2048; custom: from the data; demo 32)" in text
    assert "(test; custom: none, but heldout with --checkpoint best)" in text
    for checkpoint, split in (("last", "none"), ("best", "heldout")):
        chosen = parse_config("Train", ["--dataset", "custom", "--checkpoint", checkpoint])
        assert chosen.val_split == split


def test_what_is_stored_is_what_shapes_training_proposals_or_detections():
    assert set(STORED_NAMES) >= {"seed", "num_epoch", "nms_thr", "nms_alpha_detect", "dataset"}
    assert not {"tiou", "detections", "device", "feature_path", "check"} & set(STORED_NAMES)


def test_a_config_cannot_be_changed_but_can_be_sent_to_a_worker_process():
    config = parse_config("Train", ["--dataset", "demo"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1
    assert pickle.loads(pickle.dumps(config)) == config
    assert isinstance(config, Config)
