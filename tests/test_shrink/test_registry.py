import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.shrink import CRITERIA, RandomCriterion
from lwdna_mm.shrink.registry import Registry


def test_build():
    assert CRITERIA.get("RandomCriterion") is RandomCriterion
    config = dict(type="lwdna_mm.RandomCriterion", seed=3)
    assert CRITERIA.build(config).seed == 3
    assert config == dict(type="lwdna_mm.RandomCriterion", seed=3)


def test_defaults_are_given_to_those_who_take_them():
    complete = CRITERIA.complete
    assert complete(dict(type="RandomCriterion"), seed=3) == dict(type="RandomCriterion", seed=3)
    assert complete(dict(type="RandomCriterion", seed=1), seed=3)["seed"] == 1
    assert complete(dict(type="lwdna_mm.UniformCriterion"), seed=3) == dict(type="lwdna_mm.UniformCriterion")


def test_a_registered_class_is_found():
    things = Registry("thing")

    @things.register
    class Mine:
        pass

    assert isinstance(things.build(dict(type="Mine")), Mine)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (dict(), "needs a type: one of GradientCriterion"),
        (dict(type="Gradient"), "unknown criterion 'Gradient': use one of GradientCriterion"),
        (dict(type="RandomCriterion", sede=1), "unknown key 'sede' of criterion RandomCriterion: it takes seed"),
        (dict(type="UniformCriterion", seed=1), "it takes nothing"),
        (dict(type="TiltCriterion"), "criterion TiltCriterion: missing a required argument: 'tilt'"),
        (dict(type="GradientCriterion", normalize="l1"), "normalize='l1': use None, 'l2' or 'mean'"),
    ],
)
def test_mistakes_are_named(config, message):
    with pytest.raises(UserError, match=message):
        CRITERIA.build(config)
