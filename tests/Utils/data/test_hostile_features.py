"""Feature files that lead elsewhere, cost far more than their size, or are not files at all."""

import gzip
import io
import os
import resource
import subprocess
import zipfile

import h5py
import numpy as np
import pytest
import torch

from tests.small_data import noise
from Utils.data.feature_files import FolderStream
from Utils.data.feature_places import open_features, open_places
from Utils.files import UserError, read_json

SECRET = noise("secret", 40, 5)


# ---- HDF5 that leads elsewhere ------------------------------------------------------------------

def external_link(file, secret):
    file["a"] = h5py.ExternalLink(str(secret), "secret")


def link_to_an_external_link(file, secret):
    file["b"] = h5py.ExternalLink(str(secret), "/")
    file["a"] = h5py.SoftLink("/b/secret")


def external_group(file, secret):
    file["b"] = h5py.ExternalLink(str(secret), "/")
    file["c/a"] = h5py.SoftLink("../b/secret")
    file["a"] = h5py.SoftLink("b/secret")


def virtual(file, secret):
    layout = h5py.VirtualLayout((40, 5), np.float32)
    layout[:] = h5py.VirtualSource(str(secret), "secret", (40, 5))
    file.create_virtual_dataset("a", layout)


def raw_storage(file, secret):
    file.create_dataset("a", (40, 5), np.float32, external=[(str(secret), 0, 800)])


def link_loop(file, secret):
    file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")


def self_link(file, secret):
    file["a"] = h5py.SoftLink("/a")


LEADING = {external_link: "is a link to another file", raw_storage: "keeps its values in another",
           link_to_an_external_link: "is a link to another file",
           external_group: "is a link to another file", virtual: "assembled from other files"}


def leading(folder, attack):
    with h5py.File(folder / "secret.bin", "w") as file:
        file["secret"] = SECRET
    (folder / "features").mkdir()
    with h5py.File(folder / "features" / "f.h5", "w") as file:
        attack(file, folder / "secret.bin")
    return folder / "features"


@pytest.mark.parametrize("attack", LEADING)
def test_a_file_that_leads_to_another_is_refused_unless_asked_for(tmp_path, attack):
    folder = leading(tmp_path, attack)
    store = open_features(folder)
    for reading in (store.lengths, store.missing, lambda a: store.read(a, "features", 0, 5)):
        if reading != store.missing or "link" in LEADING[attack]:
            with pytest.raises(UserError, match=LEADING[attack]) as caught:
                reading("a")
            assert "f.h5: /a " in str(caught.value) and "give --follow_links" in str(caught.value)
    trusting = open_features(folder, follow_links=True)
    assert trusting.lengths("a") == (40,)
    if attack is not raw_storage:       # there the bytes of the file itself are read
        assert np.array_equal(trusting.read("a", "features", 0, 40), SECRET)


@pytest.mark.parametrize("attack", [link_loop, self_link])
def test_links_in_a_circle_have_a_sentence(tmp_path, attack):
    with pytest.raises(UserError, match="a link that leads back to itself"):
        open_features(leading(tmp_path, attack)).lengths("a")


def test_a_link_to_the_group_that_holds_it_is_no_circle_for_the_names(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["a"], file["more/b"], file["more/c"] = SECRET, SECRET, SECRET
        file["more/around"] = h5py.SoftLink("/more")
    store = open_features(tmp_path)
    assert sorted(store.parts["features"].names()) == ["a", "b", "c"]
    assert store.lengths("b") == (40,)


@pytest.mark.parametrize("link", [lambda file, to: file[to], lambda file, to: h5py.SoftLink(to)])
@pytest.mark.parametrize("follow_links", [False, True])
def test_groups_that_are_reached_in_very_many_ways_are_entered_once(tmp_path, link, follow_links):
    """Forty floors with two stairs each: 2^40 ways down."""
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["40/b"], file["40/c"] = SECRET, SECRET
        for floor in range(39, -1, -1):
            file[f"{floor}/left"] = link(file, f"/{floor + 1}")
            file[f"{floor}/right"] = link(file, f"/{floor + 1}")
    store = open_features(tmp_path, follow_links=follow_links)
    assert sorted(store.parts["features"].names()) == ["b", "c"]


def test_links_within_a_file_are_followed(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["deep/er/array"] = SECRET
        file["deep/link"] = h5py.SoftLink("er/array")
        file["a"], file["b"] = h5py.SoftLink("/deep/link"), h5py.SoftLink("deep/er/array")
        file["c"] = file["deep/er/array"]
        file["gone"] = h5py.SoftLink("/nowhere")
    store = open_features(tmp_path)
    for video in "abc":
        assert np.array_equal(store.read(video, "features", 0, 40), SECRET)
    with pytest.raises(UserError, match="gone in .* cannot be read"):
        store.lengths("gone")
    assert "nothing" not in store


def test_a_link_to_a_pipe_is_never_opened(tmp_path):
    """HDF5 would wait for it forever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "features").mkdir()
    with h5py.File(tmp_path / "features" / "f.h5", "w") as file:
        file["a"] = h5py.ExternalLink(str(tmp_path / "pipe"), "x")
    with pytest.raises(UserError, match="link to another file"):
        open_features(tmp_path / "features").lengths("a")


# ---- small files of great cost ------------------------------------------------------------------

def never_written(path):
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file.create_dataset("a", (10 ** 10, 512), np.float32, chunks=(1024, 512))


def hardly_written(path):
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file.create_dataset("a", (10 ** 10, 512), np.float32, chunks=(1024, 512))[0] = 1


def stretched_tensor(path):
    torch.save(torch.ones(1, 5).expand(10 ** 10, 5), path.with_suffix(".pt"))


def sparse_tensor(path):
    torch.save(torch.sparse_coo_tensor([[0], [0]], [1.0], (10 ** 10, 5)), path.with_suffix(".pt"))


def compressed_tensor(path):
    plain = io.BytesIO()
    torch.save(torch.zeros(2 ** 22, 5), plain)
    with zipfile.ZipFile(plain) as parts, zipfile.ZipFile(
            path.with_suffix(".pt"), "w", zipfile.ZIP_DEFLATED) as packed:
        for part in parts.infolist():
            packed.writestr(part.filename, parts.read(part))


def lying_header(path):
    content = io.BytesIO()
    np.save(content, np.zeros((4, 5), np.float32))
    path.with_suffix(".npy").write_bytes(
        content.getvalue().replace(b"(4, 5)", b"(10000000000, 5)").replace(b" " * 11, b"", 1))


GREAT = {never_written: "were ever written; write it again", hardly_written: "were ever written",
         stretched_tensor: "repeats the same values", sparse_tensor: "is not an array of numbers",
         compressed_tensor: "is compressed", lying_header: "cannot be read"}


def cost(work):
    """How many bytes work() added to the peak memory of this process, and its result."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = work()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, result


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize("attack", GREAT)
def test_a_file_that_is_more_than_it_holds_is_refused(tmp_path, attack):
    attack(tmp_path / "a")

    def refused():
        with pytest.raises(UserError, match=GREAT[attack]):
            store = open_features(tmp_path)
            store.lengths("a")
            store.read_through("a")

    assert cost(refused)[0] < 2 ** 27


def bomb(path, rows, width=64):
    """An .npz of `rows` zeros, a thousandth of their size."""
    with (zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts,
          parts.open("features.npy", "w", force_zip64=True) as file):
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (rows, width)})
        for _ in range(rows // 4096):
            file.write(bytes(4096 * width * 4))


def test_the_shape_of_an_npz_comes_from_its_header(tmp_path):
    bomb(tmp_path / "a.npz", 2 ** 20)       # 256 MiB
    taken, shape = cost(lambda: FolderStream(tmp_path).shape("a"))
    assert shape == (2 ** 20, 64) and taken < 2 ** 26
    taken, rows = cost(lambda: FolderStream(tmp_path).read("a", 2 ** 19, 2 ** 19 + 7))
    assert rows.shape == (7, 64) and taken < 2 ** 26


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f4", "<f2", "<i2"])
def test_rows_of_an_npz_are_those_of_the_array(tmp_path, save, order, dtype):
    array = np.asarray(SECRET * 100, dtype=dtype, order=order)
    save(tmp_path / "a.npz", array)
    stream = FolderStream(tmp_path)
    for start, stop in ((0, 40), (3, 9), (38, 60), (50, 60), (0, 0)):
        assert np.array_equal(stream.read("a", start, stop), array[start:stop])
    assert stream.shape("a") == (40, 5)


def test_rows_of_a_tensor_are_those_of_the_array(tmp_path):
    for name, legacy in (("new", False), ("old", True)):
        torch.save(torch.from_numpy(SECRET), tmp_path / f"{name}.pt",
                   _use_new_zipfile_serialization=not legacy)
        stream = FolderStream(tmp_path)
        assert np.array_equal(stream.read(name, 3, 9), SECRET[3:9])
        assert stream.shape(name) == (40, 5)


def test_text_that_unpacks_without_end_is_refused(tmp_path):
    with gzip.open(tmp_path / "a.json.gz", "wb") as file:
        for _ in range(300):
            file.write(b" " * 2 ** 20)
    taken, _ = cost(lambda: pytest.raises(UserError, read_json, tmp_path / "a.json.gz"))
    with pytest.raises(UserError, match="unpacks to more than 64 MiB"):
        read_json(tmp_path / "a.json.gz")
    assert taken < 2 ** 28


# ---- no files -----------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.pt", "f.h5", "a.json", "a.json.gz"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_only_files_are_opened(tmp_path, name, kind):
    """A pipe would block forever; a device may have no end."""
    path = tmp_path / name
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    with pytest.raises(UserError, match="is a pipe or a device, not a file"):
        read_json(path) if "json" in name else open_features(tmp_path).lengths("a")


def test_the_remedy_for_a_pipe_works(tmp_path):
    """The content of the pipe, saved to a file, is read."""
    np.save(tmp_path / "source.npy", SECRET)
    os.mkfifo(tmp_path / "a.npy")
    writer = subprocess.Popen(["cp", tmp_path / "source.npy", tmp_path / "a.npy"])
    (tmp_path / "b.npy").write_bytes((tmp_path / "a.npy").read_bytes())
    writer.wait()
    store, (name,) = open_places([tmp_path / "b.npy"])
    assert store.lengths(name) == (40,)


def test_links_to_files_are_files(tmp_path):
    np.save(tmp_path / "x.npy", SECRET)
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "a.npy").symlink_to(tmp_path / "x.npy")
    assert open_features(tmp_path / "features").lengths("a") == (40,)


# ---- folders without the right to read ----------------------------------------------------------

@pytest.fixture()
def no_rights(tmp_path):
    """A folder that this process may not read, even as root."""
    np.save(tmp_path / "a.npy", SECRET)
    tmp_path.chmod(0)
    user = os.geteuid()
    if not user:
        for parent in list(tmp_path.parents)[:3]:
            parent.chmod(0o755)
        os.seteuid(65534)
    yield tmp_path
    os.seteuid(user)
    tmp_path.chmod(0o755)


def test_a_folder_that_may_not_be_read_has_a_sentence(no_rights):
    for place in (no_rights, no_rights / "deeper"):
        with pytest.raises(UserError, match=f"--feature_path {place} cannot be read: Permission "
                                            "denied; get read permission"):
            open_features(place)


def test_the_right_to_read_it_is_the_remedy(no_rights):
    os.seteuid(0) if os.getuid() == 0 else None
    no_rights.chmod(0o755)
    assert open_features(no_rights).lengths("a") == (40,)
