import math

import numpy as np
import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.shrink import ProfileCriterion, ProfileSearch, UniformCriterion, search
from lwdna_mm.shrink.profile_search import RANGES, ranked, trunk_groups

from .nets import graph_of


def test_each_number_has_its_groups():
    graph = graph_of("ResNet-18")
    names, trunk = list(graph.free), trunk_groups(graph)
    count, quarter = len(names), math.ceil(len(names) / 4)
    growth = ProfileCriterion(tilt=-0.5, trunk=0.3, first=0.2, last=-0.1).growth(graph)
    for index, (name, factor) in enumerate(growth.items()):
        expected = -0.5 * (2 * index / (count - 1) - 1) + 0.3 * (name in trunk)
        expected += (0.2 if index < quarter else 0) - (0.1 if index >= count - quarter else 0)
        assert math.log(factor) == pytest.approx(expected)


def test_even_widths_are_the_uniform_control():
    graph = graph_of("ResNet-18")
    plans = [
        search(graph, one.scores(graph), 0.5 * graph.flops(), growth=one.growth(graph))
        for one in (ProfileCriterion(), ProfileSearch(), UniformCriterion())
    ]
    assert plans[0] == plans[1] == plans[2]


def test_trunks_are_what_shortcuts_join():
    graph = graph_of("ResNet-18")
    inner = {name for name in graph.free if ".conv1" in name and ".layer" in name}
    assert trunk_groups(graph) == set(graph.free) - inner
    graph = graph_of("MobileNetV2")
    written_by_expansions = {name for name in graph.free if ".conv.0." in name and "layer1." not in name}
    assert written_by_expansions
    assert not trunk_groups(graph) & written_by_expansions
    # What additions join; layer7 and the last convolution are written once and read once.
    joined = ["conv1.conv", *(f"layer{number}.0.conv.2.conv" for number in range(2, 7))]
    assert trunk_groups(graph) == {f"backbone.{name}" for name in joined}


def test_draws_are_a_latin_hypercube_by_seed():
    even, *drawn = ProfileSearch(candidates=8, seed=5).draw()
    assert even == dict.fromkeys(RANGES, 0.0)
    for name, limit in RANGES.items():
        strata = [math.floor((one[name] / limit + 1) / 2 * 8) for one in drawn]
        assert sorted(strata) == list(range(8))
    assert ProfileSearch(candidates=8, seed=5).draw() == [even, *drawn] != ProfileSearch(candidates=8, seed=6).draw()


def test_some_numbers_alone():
    even, *drawn = ProfileSearch(candidates=4, ranges={"tilt": 1.0}).draw()
    assert even == dict.fromkeys(RANGES, 0.0)
    assert sorted(math.floor((one["tilt"] + 1) * 2) for one in drawn) == [0, 1, 2, 3]
    assert {value for one in drawn for name, value in one.items() if name != "tilt"} == {0.0}


def test_given_candidates_trained_to_the_end():
    one = ProfileSearch(candidates=[dict(tilt=-0.7), dict(tilt=0.7, trunk=1)], rungs=2, eta=4, longest=1)
    assert one.draw() == [{**dict.fromkeys(RANGES, 0.0), **given} for given in ({}, *one.candidates)]
    assert one.lengths == [0.25, 1.0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(candidates=[]), "candidates is 0, but must be a whole number of at least 1"),
        (dict(candidates=2.5), "candidates are 2.5, but must be a whole number, or a list such as"),
        (dict(candidates=[-0.7]), r"candidates are \[-0.7\], but must be a whole number, or a list such as"),
        (dict(candidates=[dict(depth=1)]), "depth=1 is not one of tilt, trunk, first, last, from -5 to 5"),
        (dict(candidates=[dict(tilt=-6)]), "tilt=-6 is not one of"),
        (dict(candidates=[dict(tilt=-1)], ranges=dict(tilt=1)), "nothing to draw: leave out ranges"),
        (dict(longest=0), "longest is 0, but must be above 0, at most 1"),
        (dict(longest=1.5), "longest is 1.5, but"),
    ],
)
def test_candidates_and_lengths_that_cannot_be(given, message):
    with pytest.raises(UserError, match=message):
        ProfileSearch(**given)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"depth": 1.0}, "ranges have 'depth', but may have tilt, trunk, first, last"),
        ({"tilt": 0}, r"ranges\['tilt'\] is 0, but must be above 0, at most 5"),
        ({"tilt": math.nan}, r"ranges\['tilt'\] is nan, but"),
        (["tilt"], r"ranges is \['tilt'\], but must be a dict"),
        ({"tilt": "1"}, r"ranges\['tilt'\] is '1', but"),
    ],
)
def test_ranges_that_cannot_be(ranges, message):
    with pytest.raises(UserError, match=message):
        ProfileSearch(ranges=ranges)


def test_halving_keeps_the_best_and_always_the_even_widths():
    one = ProfileSearch(candidates=9, rungs=3, eta=3)
    assert one.lengths == pytest.approx([1 / 27, 1 / 9, 1 / 3])
    values = {0: -5.0, 1: 3.0, 2: math.nan, 3: 7.0, 4: 7.0, 5: 1.0, 6: 2.0, 7: 9.0, 8: 0.0, 9: 3.0}
    values = {index: [value] for index, value in values.items()}
    assert one.survivors(values) == [0, 3, 4, 7]
    assert one.survivors({index: values[index] for index in (0, 3, 4, 9)}) == [0, 3]
    assert one.survivors({0: [1.0], 2: [math.nan]}) == [0, 2]
    assert one.choose({0: [7.0], 3: [7.0], 4: [7.0]}) == 0
    assert one.choose({0: [7.0], 3: [7.5], 4: [8.0]}) == 4
    assert one.choose({0: [math.nan], 3: [-1.0], 4: [0.0]}) == 4
    assert one.choose({0: [math.nan], 3: [math.nan]}) == 0


def test_a_lead_is_more_than_its_standard_error():
    one = ProfileSearch(candidates=9, eta=3, repeats=3)
    even = [1.0, 2.0, 3.0]
    assert one.survivors({0: even, 1: [0, 0, 9], 2: [2, 2, 2], 3: [4, 4, math.nan]}) == [0, 1]
    # Leads of 5, 0 and 1: 2 in the mean, with a standard error of 1.53; of 6, -2 and 0: 1.33 with 2.4.
    assert one.choose({0: even, 1: [6.0, 2.0, 4.0]}) == 1
    assert one.choose({0: even, 1: [7.0, 0.0, 3.0]}) == 0
    # The best is not sure of its lead, the next best is.
    assert one.choose({0: even, 1: [7.0, 0.0, 3.0], 2: [1.5, 2.5, 3.5]}) == 2
    assert one.choose({0: [1.0, math.nan, 3.0], 1: [0.0, 0.0, 0.0]}) == 1


def test_ranks():
    assert ranked([0, 3, 4], {0: 7.0, 3: 7.0, 4: 7.0})[0] == 0
    assert ranked([0, 3, 4], {0: math.nan, 3: -1.0, 4: 0.0}) == [4, 3, 0]


@pytest.mark.parametrize(
    "given",
    [
        dict(candidates=0),
        dict(rungs=0),
        dict(eta=1),
        dict(eta=2.5),
        dict(held_out=0),
        dict(held_out=1.0),
        dict(repeats=0),
    ],
)
def test_arguments_that_cannot_be(given):
    (name,) = given
    with pytest.raises(UserError, match=f"ProfileSearch's {name} is {next(iter(given.values()))}, but must be"):
        ProfileSearch(**given)


def test_the_chosen_profile_is_the_growth():
    graph = graph_of("ResNet-CIFAR")
    one = ProfileSearch()
    one.profile = dict(tilt=1.0, trunk=0.0, first=-0.5, last=0.0)
    expected = ProfileCriterion(tilt=1.0, first=-0.5).growth(graph)
    assert one.growth(graph) == expected
    assert np.prod(list(expected.values())) != pytest.approx(1)
