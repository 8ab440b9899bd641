import pytest
from mmengine.config import Config

from lwdna_mm.apis.latency import input_options
from lwdna_mm.errors import UserError


def test_where_the_shape_of_the_inputs_is_said():
    plan = dict(widths=dict(stem=3), input_shape=[[1, 8, 8]])
    left = Config(dict(model=dict(type="LWDNA", model=dict(type="ImageClassifier"), plan=plan)))
    assert [tuple(shape) for shape in input_options(left)["input_shape"]] == [(1, 8, 8)]
    given = Config(dict(model=dict(type="ImageClassifier"), input_shape=(3, 32, 32)))
    assert input_options(given)["input_shape"] == [[3, 32, 32]]
    with pytest.raises(UserError, match="no input_shape; add one"):
        input_options(Config(dict(model=dict(type="ImageClassifier"))))
