"""config.json: the settings of a run, stored in its folder for every script to read."""

from pathlib import Path

from Utils.config.command_line import nearest_option
from Utils.config.options import OPTIONS, STORED_NAMES, PathOptions, names_of
from Utils.files import UserError, read_json, unique, write_json

NAME = "config.json"
# Paths of a run's data; its other paths are those of its results.
DATA_PLACES = ("feature_path", "video_anno", "video_info", "class_index", "window_path")
PLACES = (*names_of(PathOptions), "video_scores", "detad_anno", "ambiguous")


def write_run_file(folder, config, script):
    """Write the settings of a run, with absolute paths, to folder/config.json."""
    content = {name: getattr(config, name) for name in STORED_NAMES}
    for name in PLACES:
        if getattr(config, name) is not None and script in OPTIONS[name].scripts:
            content[name] = str(Path(getattr(config, name)).absolute())
    write_json(Path(folder) / NAME, content, indent=1)


def read_run_file(path):
    """The options of a config.json by name, typed as on the command line.

    Raises UserError if the file is not one, or a name is not an option.
    """
    content = read_json(path, "settings", unique)
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no settings: expected an object of option names "
                        f"and values, as in the {NAME} of a run")
    return typed(content, path)


def typed(values, where):
    """Options {name: value}, typed as on the command line, from plain values.

    where: their source, for messages. Raises UserError for a name that is not an
    option, or a value of the wrong type.
    """
    for name, value in values.items():
        if name not in OPTIONS:
            raise UserError(f"{where}: unknown option {name!r}; {nearest_option(name)}")
        if not _fits(value, OPTIONS[name]):
            kind = f"{OPTIONS[name].kind.__name__}{' in a list' * OPTIONS[name].is_tuple}"
            raise UserError(f"{where}: {name} is {repr(value)[:60]}, expected {kind}")
    return {name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()}


def _fits(value, spec):
    """Whether a JSON value fits an Option: of its type, or null if the option may be unset."""
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
    """Paths of a run's data that still exist, from the config.json in `folder`.

    -> {option: path}, empty without the file.
    """
    path = Path(folder) / NAME
    if not path.is_file():
        return {}
    content = read_run_file(path)
    return {name: content[name] for name in DATA_PLACES
            if content.get(name) and Path(content[name]).exists()}
