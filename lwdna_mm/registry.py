"""Registries of lwdna_mm: children of mmengine's, so that configs of any scope can name our components."""

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry

MODELS = Registry("model", parent=MMENGINE_MODELS, scope="lwdna_mm", locations=["lwdna_mm.models"])
DATASETS = Registry("dataset", parent=MMENGINE_DATASETS, scope="lwdna_mm", locations=["lwdna_mm.datasets"])
DATA_SAMPLERS = Registry(
    "data sampler", parent=MMENGINE_DATA_SAMPLERS, scope="lwdna_mm", locations=["lwdna_mm.datasets"]
)
TRANSFORMS = Registry("transform", parent=MMENGINE_TRANSFORMS, scope="lwdna_mm", locations=["lwdna_mm.datasets"])
METRICS = Registry("metric", parent=MMENGINE_METRICS, scope="lwdna_mm", locations=["lwdna_mm.evaluation"])
HOOKS = Registry(
    "hook", parent=MMENGINE_HOOKS, scope="lwdna_mm", locations=["lwdna_mm.engine", "lwdna_mm.visualization"]
)
LOOPS = Registry("loop", parent=MMENGINE_LOOPS, scope="lwdna_mm", locations=["lwdna_mm.engine"])
OPTIM_WRAPPERS = Registry(
    "optimizer wrapper", parent=MMENGINE_OPTIM_WRAPPERS, scope="lwdna_mm", locations=["lwdna_mm.engine"]
)
