"""What is still known of each class: shares by brute force, and records like those of any run."""

import pytest
import torch
from tiny_streams import HEADS, small, toy_stream

from workbench.continual.learning import StreamRecord, accuracy_matrix
from workbench.experiments.experiment import prepare, start
from workbench.training.setting import Plan
from workbench.watch.recall import Recall, examples, learn_and_recall, recall


def test_the_share_of_each_class_is_counted_one_by_one():
    stream, network = toy_stream(2), small()
    shares = recall(network, stream)
    for t, task in enumerate(stream):
        for c in (0, 1):
            answers = [int(network(x[None], t).argmax()) for x in task.test_x[task.test_y == c]]
            assert float(shares[t, c]) == pytest.approx(answers.count(c) / len(answers))


def test_a_class_that_a_task_does_not_have_is_no_number():
    stream = toy_stream(2)
    stream[1] = stream[1]._replace(test_y=torch.zeros_like(stream[1].test_y))
    assert recall(small(), stream).isnan().tolist() == [[False, False], [False, True]]


def test_a_run_tells_after_each_task_what_is_known_of_all_before():
    items = list(learn_and_recall(prepare(HEADS, "fine-tuning", tasks=3), Plan(epochs=1)))
    A = accuracy_matrix(item for item in items if isinstance(item, StreamRecord))
    recalls = [item for item in items if isinstance(item, Recall)]
    assert torch.equal(A, accuracy_matrix(start(HEADS, "fine-tuning", epochs=1, tasks=3)))
    assert [len(each.right) for each in recalls] == [1, 2, 3]
    for t, each in enumerate(recalls):
        assert each.right.mean(1).tolist() == pytest.approx(A[t, : t + 1].tolist())  # as many samples of each class
    assert isinstance(items[-2], StreamRecord)


def test_an_example_of_each_class():
    stream = toy_stream(2)
    shown = examples(stream, 2)
    assert shown.shape == (2, 2, 10)
    assert torch.equal(shown[1, 0], stream[1].test_x[0])
    assert torch.equal(shown[1, 1], stream[1].test_x[1])
    with pytest.raises(ValueError, match=r"'clouds 0' has fewer than the 3 classes"):
        examples(stream, 3)
