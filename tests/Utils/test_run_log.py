"""log.txt: what a run printed, unless the run was refused."""

import sys

from Utils.run_log import NAME, RunLog


def test_what_was_printed_before_and_after_the_folder_is_known_is_kept(tmp_path, capsys):
    for number in (1, 2):
        with RunLog() as log:
            print("first", number)
            log.open(tmp_path)
            print("second")
        print("outside")
    assert (tmp_path / NAME).read_text() == "first 1\nsecond\nfirst 2\nsecond\n"
    assert capsys.readouterr().out == "first 1\nsecond\noutside\nfirst 2\nsecond\noutside\n"


def test_a_run_that_is_refused_leaves_no_log(tmp_path, capsys):
    with RunLog():
        print("no")
    assert list(tmp_path.iterdir()) == [] and capsys.readouterr().out == "no\n"


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path, capsys):
    before = sys.stdout
    with RunLog() as log:
        log.open(tmp_path / "absent")
        print("on")
    assert capsys.readouterr().out == "on\n" and sys.stdout is before
