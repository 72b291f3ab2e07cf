"""The reader of .mat files: scipy writes them, damaged ones are refused."""

import numpy as np
import pytest
from scipy.io import savemat

from Utils.data.matlab import MatlabError, struct_field


def write(path, values, **options):
    rows = np.empty((1, len(values)), dtype=[("name", object), ("seconds", object)])
    for row, value in enumerate(values):
        rows[0, row] = f"video {row}", value
    savemat(path, {"first": 3.0, "videos": rows}, **options)
    return path


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("values", [[1.5, 2.25, 1e9], [np.int16(-7), np.uint8(3)], []])
def test_values_are_read_row_by_row(tmp_path, values, compressed):
    path = write(tmp_path / "a.mat", values, do_compression=compressed)
    assert struct_field(path, "seconds") == values


def test_a_field_that_is_not_there_or_no_number_is_refused(tmp_path):
    path = write(tmp_path / "a.mat", [1.5])
    with pytest.raises(MatlabError, match="no struct with a field length"):
        struct_field(path, "length")
    with pytest.raises(MatlabError, match="a value is not a number"):
        struct_field(path, "name")
    with pytest.raises(MatlabError, match="damaged"):
        struct_field(write(tmp_path / "b.mat", [np.zeros((0, 0))]), "seconds")


@pytest.mark.parametrize("content, message", [
    (b"", "not a MATLAB 5 file"),
    (b"MATLAB 7.3 MAT-file" + b" " * 200, "save it in MATLAB with -v7"),
    ((b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM").ljust(512), "save it in MATLAB with -v7")])
def test_other_files_are_refused(tmp_path, content, message):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(MatlabError, match=message):
        struct_field(tmp_path / "a.mat", "seconds")


def test_every_cut_is_refused_or_read_alike(tmp_path):
    path = write(tmp_path / "a.mat", [1.5, 2.25])
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(MatlabError):
            struct_field(path, "seconds")
