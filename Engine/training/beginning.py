"""How a run begins: anew, or where an earlier one ended."""

import contextlib
from pathlib import Path

from Evaluation.report.input_figure import write_input_figure
from Utils.config.resolve import adopt
from Utils.files import UserError, agreeing, check_held, counted
from Utils.training.checkpoints import LAST, check_resumable, load_checkpoint


def earlier_run(config, process):
    """The last checkpoint in checkpoint_path for --resume; None for a fresh start.

    Raises UserError if there is one and the user gave neither --resume nor --overwrite.
    """
    path = Path(config.checkpoint_path) / LAST
    if config.overwrite or not path.exists():
        if config.resume:
            process.say(f"nothing to resume at {path}: starting from the beginning")
        return None
    before = load_checkpoint(path)
    if not config.resume:
        raise UserError(f"{config.checkpoint_path} holds a run of "
                        f"{counted(before.get('epoch'), 'epoch')}; "
                        "--resume continues it, --overwrite replaces it")
    check_resumable(before, path)
    process.say(f"resuming {path} after epoch {before['epoch']}")
    return before


def continued(config, before):
    """The config with the options of the checkpoint `before`, which a run continues.

    Raises UserError for another number of epochs with a cosine schedule: the learning rate
    of a longer run would have fallen more slowly.
    """
    config = adopt(config, before["settings"], Path(config.checkpoint_path) / LAST)
    planned = before["settings"].get("num_epoch", config.num_epoch)
    if config.schedule == "cosine" and config.num_epoch != planned:
        raise UserError(f"the cosine schedule in {config.checkpoint_path} was planned "
                        f"for {counted(planned, 'epoch')}: continuing to "
                        f"{config.num_epoch} does not give the same result as a run of "
                        f"{counted(config.num_epoch, 'epoch')}; leave --num_epoch out, "
                        "or start again with --overwrite")
    return config


def draw_input(stem, dataset, source):
    """Draw one training input to stem.pdf and stem.png, to check by eye that the labels fit.

    It is the first stitched input, or else the first with an action.
    """
    rows = [*dataset.stitched.nonzero().flatten(), *dataset.labels.counts.nonzero().flatten()]
    if not rows:
        return
    item = dataset[int(rows[0])]
    targets, count = item.targets, int(item.targets.counts[0])
    write_input_figure(
        stem, item.features[0].numpy(), int(item.num_frames[0]),
        source.config.stitch_gap if item.stitched[0] else None,
        targets.segments[0, :count].numpy(),
        [source.classes[label - 1] for label in targets.labels[0, :count].tolist()],
        {name: getattr(targets, name)[0].numpy() for name in ("action", "start", "end")})


@contextlib.contextmanager
def telling_how_to_go_on(config, history, process):
    """On Ctrl-C or SIGTERM, say what is saved and how to continue.

    history: the list to which the run appends its epochs.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(how_to_go_on(config, history) if process.is_first else "") from None


def how_to_go_on(config, history):
    """What is saved of this run and how to continue, in words.

    Read from the file, as the end may come at any time.
    """
    folder = config.checkpoint_path
    path = Path(folder) / LAST
    try:
        check_held(path)
    except UserError as problem:
        return str(problem)
    found = load_checkpoint(path).get("history") if path.exists() else None
    # With --overwrite, the checkpoint
    # of the older run stays until the first epoch is done.
    if not found or found not in (history, history[:-1]):
        return "no epoch is saved yet; start again"
    are = agreeing(len(found), "is", "are")
    return (f"{len(found)} of {counted(config.num_epoch, 'epoch')} {are} saved in "
            f"{folder}; continue with the same command and --resume (--checkpoint_path "
            f"{folder} --resume)")
