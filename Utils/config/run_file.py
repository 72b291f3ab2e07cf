"""config.json: the settings of a run in its folder, from which every script can take them."""

from pathlib import Path

from Utils.config.command_line import nearest_option
from Utils.config.options import OPTIONS, STORED_NAMES, PathOptions, names_of
from Utils.files import UserError, read_json, write_json

NAME = "config.json"
# Where the data of a run are; its other places are those of its results.
DATA_PLACES = ("feature_path", "video_anno", "video_info", "class_index", "window_path")
PLACES = (*names_of(PathOptions), "video_scores", "detad_anno", "ambiguous")


def write_run_file(folder, config, script):
    """Write the settings of a run, and its places as absolute paths, to folder/config.json."""
    content = {name: getattr(config, name) for name in STORED_NAMES}
    for name in PLACES:
        if getattr(config, name) is not None and script in OPTIONS[name].scripts:
            content[name] = str(Path(getattr(config, name)).absolute())
    write_json(Path(folder) / NAME, content, indent=1)


def read_run_file(path):
    """The options of a config.json by name, as the command line would give them.

    Raises UserError for a file that is none, and for names that are no options.
    """
    content = read_json(path, "settings", unique_names=True)
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no settings: expected an object of option names and values, "
                        f"as in the {NAME} of a run")
    return typed(content, path)


def typed(values, where):
    """Options {name: value} as the command line would give them, of plain values.

    where: they come from, for messages. Raises UserError for what is no option, or not of its type.
    """
    for name, value in values.items():
        if name not in OPTIONS:
            raise UserError(f"{where}: unknown option {name!r}; {nearest_option(name)}")
        if not _fits(value, OPTIONS[name]):
            raise UserError(f"{where}: {name} is {repr(value)[:60]}, which is no "
                            f"{OPTIONS[name].kind.__name__}{' in a list' * OPTIONS[name].is_tuple}")
    return {name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()}


def _fits(value, spec):
    """Whether a value of JSON is one of an Option: of its type, or unset where it may be."""
    if value is None:
        return spec.default is None or spec.is_stored
    if spec.is_tuple:
        return isinstance(value, list) and all(_is(part, spec.kind) for part in value)
    return _is(value, spec.kind)


def _is(value, kind):
    if kind is float:
        return type(value) in (int, float)
    return type(value) is kind


def data_places(folder):
    """Where the data of the run in `folder` are, by its config.json; those that are there still.
    -> {option: path}, empty without the file."""
    path = Path(folder) / NAME
    if not path.is_file():
        return {}
    content = read_run_file(path)
    return {name: content[name] for name in DATA_PLACES
            if content.get(name) and Path(content[name]).exists()}
