import pytest

from lwdna_mm.engine.section import parse_section
from lwdna_mm.errors import UserError


def test_defaults_and_shapes():
    section = parse_section(dict(input_shape=(3, 32, 32)))
    assert section.input_shapes == ((3, 32, 32),)
    assert (section.widen, section.budget.flops, section.init) == (2.0, 1.0, "inherit")
    assert section.shrink.criterion == dict(type="GradientCriterion")
    pair = parse_section(dict(input_shape=[(3, 127, 127), (3, 255, 255)], amortized=[0]))
    assert pair.input_shapes == ((3, 127, 127), (3, 255, 255))
    assert pair.trace_options == dict(
        input_shape=[[3, 127, 127], [3, 255, 255]], grouped="within", keep=[], amortized=[0]
    )


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (dict(widne=2.0, input_shape=(3, 8, 8)), "lwdna has no key 'widne': did you mean 'widen'"),
        (dict(shrink=dict(iter=3), input_shape=(3, 8, 8)), "lwdna.shrink has no key 'iter': did you mean 'iters'"),
        (dict(budget=dict(flop=1), input_shape=(3, 8, 8)), "did you mean 'flops'"),
        (dict(budget=0.5, input_shape=(3, 8, 8)), "lwdna.budget must be a dict"),
        (dict(budget=dict(), input_shape=(3, 8, 8)), "flops, params, acts or latency"),
        (dict(budget=dict(flops=0), input_shape=(3, 8, 8)), "budget.flops is 0"),
        (dict(budget=dict(flops=1.0, acts=-1), input_shape=(3, 8, 8)), "budget.acts is -1"),
        (dict(), "input_shape is missing"),
        (dict(input_shape=(3, -1, 8)), r"input_shape is \(3, -1, 8\)"),
        (dict(init="copy", input_shape=(3, 8, 8)), "'inherit' or 'fresh'"),
        (dict(widen=0.5, input_shape=(3, 8, 8)), "widen is 0.5"),
        (dict(widen=17.0, input_shape=(3, 8, 8)), "widen is 17.0, but must be at least 1, at most 16"),
        (dict(shrink=dict(min_ratio=dict(stem=2)), input_shape=(3, 8, 8)), "min_ratio"),
        (dict(shrink=dict(iters=0), input_shape=(3, 8, 8)), "shrink.iters is 0"),
    ],
)
def test_mistakes_are_named(section, message):
    with pytest.raises(UserError, match=message):
        parse_section(section)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (True, "lwdna must be a dict"),
        (dict(widen="2"), "lwdna.widen is '2', but must be a number"),
        (dict(shrink=dict(iters=1.5)), "lwdna.shrink.iters is 1.5, but must be a whole number"),
        (dict(shrink=dict(divisor=None)), "lwdna.shrink.divisor is None"),
        (dict(shrink=dict(criterion="GradientCriterion")), "lwdna.shrink.criterion is 'GradientCriterion'"),
        (dict(shrink=dict(min_ratio={"a": "b"})), "lwdna.shrink.min_ratio is 'b'"),
        (dict(shrink=dict(grow_last=1)), "lwdna.shrink.grow_last is 1, but must be True or False"),
        (dict(budget=dict(flops="1")), "lwdna.budget.flops is '1'"),
        (dict(budget=dict(acts=[1])), r"lwdna.budget.acts is \[1\]"),
        (
            dict(budget=dict(latency=1.0)),
            "latency is 1.0, but must be the path of a latency.json, or a dict",
        ),
        (dict(budget=dict(latency=dict(ratio=1.0))), "must be the path of a latency.json"),
        (dict(budget=dict(latency=dict(file="l", ratios=1))), "did you mean 'ratio'"),
        (dict(budget=dict(latency=dict(file="l", ratio="1"))), "lwdna.budget.latency.ratio is '1'"),
        (dict(budget=dict(latency=dict(file="l", ratio=0))), "lwdna.budget.latency.ratio is 0, but must be above 0"),
        (dict(budget=dict(latency=dict(file="l", dtype="int8"))), "one of fp32, bf16, fp16"),
        (dict(keep=3), "lwdna.keep is 3, but must be a list of str"),
        (dict(amortized=["a"]), "lwdna.amortized is .'a'., but must be a list of int"),
        (dict(amortized=[5]), "lwdna.amortized has 5, but there are 1 inputs"),
        (dict(input_shape=8), "input_shape is 8: give"),
        (dict(input_shape=[1, 8.0]), "input_shape is .*: give"),
    ],
)
def test_wrong_types(section, message):
    section = {"input_shape": (1, 8, 8), **section} if isinstance(section, dict) else section
    with pytest.raises(UserError, match=message):
        parse_section(section)


def test_one_name_to_keep_is_a_list_of_one():
    assert parse_section(dict(input_shape=(1, 8, 8), keep="backbone.conv1")).keep == ("backbone.conv1",)
