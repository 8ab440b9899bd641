from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lwdna_mm.errors import UserError
from lwdna_mm.shrink import (
    CRITERIA,
    AbsGradientCriterion,
    GradientCriterion,
    LatentHypernet,
    ProfileSearch,
    RandomCriterion,
    RandomWidthsCriterion,
    ResponseCriterion,
    TaylorCriterion,
    UniformCriterion,
)

GRAPH = SimpleNamespace(free={"a": SimpleNamespace(width=2), "b": SimpleNamespace(width=3)})
BATCHES = [{"a": [1.0, -4.0], "b": [2.0, 0.0, 1.0]}, {"a": [-3.0, -2.0], "b": [2.0, 0.0, -1.0]}]


def gates_with(grads: dict[str, list[float]], value: float = 1.0) -> dict[str, nn.Parameter]:
    gates = {name: nn.Parameter(torch.full((len(grad),), value)) for name, grad in grads.items()}
    for name, grad in grads.items():
        gates[name].grad = torch.tensor(grad)
    return gates


@pytest.mark.parametrize(
    ("criterion", "a", "b"),
    [
        (GradientCriterion(), [1, 3], [2, 0, 0]),
        (AbsGradientCriterion(), [2, 3], [2, 0, 1]),
        (TaylorCriterion(), [5 * 0.25, 10 * 0.25], [4 * 0.25, 0, 1 * 0.25]),
        (GradientCriterion(normalize="l2"), [1 / 10**0.5, 3 / 10**0.5], [1, 0, 0]),
        (AbsGradientCriterion(normalize="mean"), [2 / 2.5, 3 / 2.5], [2, 0, 1]),
    ],
)
def test_mean_over_batches(criterion, a, b):
    for batch in BATCHES:
        gates = gates_with(batch, value=0.5)
        criterion.observe(gates)
        assert all(gate.grad is None for gate in gates.values())
    scores = criterion.scores(GRAPH)
    assert list(scores) == ["a", "b"]
    torch.testing.assert_close(scores["a"], torch.tensor(a, dtype=torch.float64))
    torch.testing.assert_close(scores["b"], torch.tensor(b, dtype=torch.float64))


@pytest.mark.parametrize("normalize", ["l2", "mean"])
def test_a_group_without_any_gradient_scores_zero(normalize):
    criterion = GradientCriterion(normalize)
    gates = gates_with({"a": [1.0, 2.0], "b": [0.0, 0.0, 0.0]})
    gates["b"].grad = None
    criterion.observe(gates)
    assert criterion.scores(GRAPH)["b"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["GradientCriterion", "AbsGradientCriterion", "TaylorCriterion"])
def test_state_resumes(name):
    whole, first, second = (CRITERIA.build(dict(type=name)) for _ in range(3))
    for batch in BATCHES:
        whole.observe(gates_with(batch))
    first.observe(gates_with(BATCHES[0]))
    state = first.state_dict()
    second.load_state_dict(state)
    second.observe(gates_with(BATCHES[1]))
    assert state["batches"] == 1
    for group, score in whole.scores(GRAPH).items():
        assert torch.equal(second.scores(GRAPH)[group], score)


def test_controls():
    for criterion in (RandomCriterion(seed=1), UniformCriterion()):
        gates = gates_with(BATCHES[0])
        criterion.observe(gates)
        criterion.load_state_dict(criterion.state_dict())
        assert gates["a"].grad is None
    random = RandomCriterion(seed=1).scores(GRAPH)
    assert all(torch.equal(score, random[name]) for name, score in RandomCriterion(seed=1).scores(GRAPH).items())
    assert not torch.equal(random["b"], RandomCriterion(seed=2).scores(GRAPH)["b"])
    assert [len(score) for score in random.values()] == [2, 3]
    assert {name: score.tolist() for name, score in UniformCriterion().scores(GRAPH).items()} == {
        "a": [1, 1],
        "b": [1, 1, 1],
    }


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_diverged_gradient_names_its_group_and_counts_nothing(bad):
    criterion = GradientCriterion()
    with pytest.raises(UserError, match="'b'"):
        criterion.observe(gates_with({"a": [1.0, 1.0], "b": [0.0, bad, 0.0]}))
    assert criterion.state_dict() == {"batches": 0, "sums": {}}


def test_observing_and_scoring_out_of_order():
    criterion = GradientCriterion()
    with pytest.raises(UserError, match="after loss"):
        criterion.observe({"a": nn.Parameter(torch.ones(2))})
    with pytest.raises(UserError, match="'a' was never observed"):
        criterion.scores(GRAPH)


@pytest.mark.parametrize(
    "kind", [RandomCriterion, RandomWidthsCriterion, ResponseCriterion, ProfileSearch, LatentHypernet]
)
@pytest.mark.parametrize("seed", ["abc", 1.5, True, -1])
def test_a_seed_is_a_whole_number(kind, seed):
    with pytest.raises(
        UserError, match=f"{kind.__name__}'s seed is {seed!r}, but must be a whole number of at least 0"
    ):
        kind(seed=seed)
