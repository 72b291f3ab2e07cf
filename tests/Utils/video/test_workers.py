"""Worker processes: order within a task, a bounded number of parts, crashes."""

import os

import pytest

from Utils.video.workers import CRASHED, in_workers


def count_to(task):
    yield from range(task)


def die_at_three(task):
    for number in count_to(task):
        if number == 3:
            os._exit(7)
        yield number


@pytest.mark.parametrize("number", [0, 1, 3])
def test_every_task_gives_its_events_in_order(number):
    found = {}
    for task, event in in_workers(number, count_to, iter([5, 0, 200, 1])):
        found.setdefault(task, []).append(event)
    assert found == {5: [0, 1, 2, 3, 4], 200: list(range(200)), 1: [0]}


def test_tasks_are_asked_for_only_when_a_process_is_free():
    asked = []

    def tasks():
        for number in range(10, 20):
            asked.append(number)
            yield number

    events = in_workers(2, count_to, tasks())
    next(events)
    assert asked == [10, 11]
    assert {task for task, _ in events} == set(range(10, 20))
    assert asked == list(range(10, 20))


def test_a_process_that_dies_names_its_task_and_the_others_go_on():
    events = list(in_workers(2, die_at_three, iter([2, 9, 3])))
    assert (9, (CRASHED, 7)) in events
    assert [event for task, event in events if task == 3] == [0, 1, 2]
    assert [event for task, event in events if task == 9][:-1] == [0, 1, 2]
