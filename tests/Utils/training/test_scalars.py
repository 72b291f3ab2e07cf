"""The training curves: what TensorBoard will read, and a disk that is full."""

import struct

import pytest
from tensorboardX.proto.event_pb2 import Event

from tests.disks import full, small_disk
from Utils.files import UserError
from Utils.training.scalars import ScalarLog


def events(path):
    """The events of a file: records of length, checksum, content, checksum."""
    content, found = path.read_bytes(), []
    while content:
        size, = struct.unpack_from("<Q", content)
        found.append(Event.FromString(content[12:12 + size]))
        content = content[16 + size:]
    return found


def test_added_numbers_are_in_the_file_at_once(tmp_path):
    log = ScalarLog(tmp_path / "curves")
    log.add({"train/total": 0.5, "val/total": 0.75}, 3)
    path, = (tmp_path / "curves").iterdir()
    first, *scalars = events(path)
    assert first.file_version == "brain.Event:2" and ".out.tfevents." in path.name
    assert all(event.wall_time > 1e9 for event in (first, *scalars))
    assert [(event.summary.value[0].tag, event.summary.value[0].simple_value, event.step)
            for event in scalars] == [("train/total", 0.5, 3), ("val/total", 0.75, 3)]
    log.close()
    log.close()


def test_a_full_disk_is_one_sentence_and_no_hang(tmp_path):
    with small_disk(tmp_path / "disk", megabytes=1) as mounted:
        log = ScalarLog(tmp_path / "disk")
        with full(tmp_path / "disk", mounted), pytest.raises(UserError) as problem:
            for epoch in range(1000):
                log.add({"train/total": 0.5}, epoch)
        assert "cannot write the training curves to " in str(problem.value)
        log.close()


def test_a_file_for_a_folder_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write the training curves to .*file"):
        ScalarLog(tmp_path / "file")
