"""The units that a page lists. What is wrong with a file is in tests/cli/test_export.py."""

from charrnn.export.neurons_file import Neuron, best_first


def test_each_feature_comes_once_before_the_others() -> None:
    ranked = [
        Neuron(1, number, feature, "state cell", 0.9)
        for number, feature in enumerate(["quotes", "quotes", "word", "quotes", "line", "word"])
    ]
    assert [neuron.unit for neuron in best_first(ranked)] == [0, 2, 4, 1, 3, 5]
    assert best_first([]) == []
