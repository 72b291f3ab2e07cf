"""The title of the page: what it is about, and the facts below."""

from pathlib import PurePath

from Evaluation.report.sections.in_words import plural


def title_of(scores: dict, provenance: dict) -> dict:
    """The subject of the page: run, dataset, and the facts below."""
    made_by = run_facts(provenance.get("settings") or {}, provenance.get("epoch"))
    source = PurePath(str(provenance.get("detections") or "")).name
    facts = [*made_by, source, provenance.get("date"), amounts(scores)]
    return {"run": provenance.get("run"), "dataset": scores.get("dataset") or "detections",
            "subset": scores.get("subset"), "facts": [str(fact) for fact in facts if fact]}


def run_facts(settings: dict, epoch: int | None) -> list[str]:
    """Recipe and checkpoint of a run in words; empty if unknown."""
    recipe = settings.get("recipe")
    which = {"best": f"best checkpoint by {settings.get('best_by')}",
             "last": "last checkpoint"}.get(settings.get("checkpoint"), "checkpoint")
    facts = [f"{recipe} recipe" if recipe else None,
             f"{which}, epoch {epoch}" if epoch is not None else None]
    return [fact for fact in facts if fact]


def compared_fact(name: str, provenance: dict, date: str) -> str:
    """Recipe, checkpoint and date of one of several runs."""
    made_by = run_facts(provenance.get("settings") or {}, provenance.get("epoch"))
    return f"{name}: {', '.join([*made_by, date])}"


def amounts(scores: dict) -> str:
    """The numbers of what was scored, in words."""
    return (f"{plural(scores.get('num_detections'), 'detection')} against "
            f"{plural(scores.get('num_ground_truth'), 'action')} in "
            f"{plural(scores.get('num_videos'), 'video')}")
