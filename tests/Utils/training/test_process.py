"""The variables by which torchrun tells a process its place: all valid, or a sentence."""

import pytest
import torch

from Utils.files import UserError
from Utils.training.process import choose_device, processes

WHOLE = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1",
         "MASTER_PORT": "0"}
UNSET = "unset RANK WORLD_SIZE LOCAL_RANK MASTER_ADDR MASTER_PORT"


def setting(monkeypatch, **variables):
    for name in WHOLE:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        if value is not None:
            monkeypatch.setenv(name, value)


@pytest.mark.parametrize("change, words", [
    ({"WORLD_SIZE": None}, "WORLD_SIZE is not set"), ({"RANK": None}, "RANK is not set"),
    ({"RANK": "abc"}, "RANK is 'abc', not a number"), ({"RANK": ""}, "RANK is '', not a number"),
    ({"RANK": "-1"}, "RANK is '-1'"), ({"RANK": "1.5"}, "RANK is '1.5'"),
    ({"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two'"), ({"WORLD_SIZE": "0"}, "WORLD_SIZE is 0"),
    ({"RANK": "4", "WORLD_SIZE": "2"}, "RANK is 4, but WORLD_SIZE is 2"),
    ({"LOCAL_RANK": "abc"}, "LOCAL_RANK is 'abc'"), ({"MASTER_PORT": None}, "MASTER_PORT is not"),
    ({"MASTER_PORT": "99999"}, "do not name a place"),
    ({"MASTER_ADDR": None}, "do not name a place"),
    ({"MASTER_PORT": "http"}, "MASTER_PORT is 'http'")])
def test_variables_that_are_half_there_or_no_numbers(monkeypatch, change, words):
    setting(monkeypatch, **(WHOLE | change))
    with pytest.raises(UserError, match=words) as caught, processes("cpu"):
        pass
    assert UNSET in str(caught.value) and "torchrun" in str(caught.value)
    # The remedy, by the letter.
    for name in UNSET.split()[1:]:
        monkeypatch.delenv(name, raising=False)
    with processes("cpu") as process:
        assert (process.rank, process.world) == (0, 1)


def test_whole_variables_join(monkeypatch):
    setting(monkeypatch, **WHOLE)
    with processes("cpu") as process:
        assert (process.rank, process.world) == (0, 1)
        assert torch.distributed.is_initialized()
    assert not torch.distributed.is_initialized()


def test_a_meeting_place_that_is_taken_has_a_sentence(monkeypatch):
    import socket
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        setting(monkeypatch, **WHOLE | {"MASTER_PORT": str(taken.getsockname()[1])})
        with pytest.raises(UserError, match="did not find each other at 127.0.0.1"), \
                processes("cpu"):
            pass


def test_a_gpu_that_is_not_there_has_a_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    setting(monkeypatch, LOCAL_RANK="3")
    with pytest.raises(UserError, match="LOCAL_RANK is 3, but torch finds 1 CUDA device here; "
                                        ".*, give --device cpu, or unset"):
        choose_device("auto")
    assert choose_device("cpu").type == "cpu"       # the remedy, by the letter
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match="torch finds 2 CUDA devices here"):
        choose_device("auto")
    setting(monkeypatch, LOCAL_RANK="abc")
    with pytest.raises(UserError, match="LOCAL_RANK is 'abc', not a number"):
        choose_device("auto")


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_absent_has_a_sentence_and_a_remedy(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match=f"--device {name}: .*use --device cpu"):
        choose_device(name)
    assert choose_device("cpu").type == choose_device("auto").type == "cpu"
