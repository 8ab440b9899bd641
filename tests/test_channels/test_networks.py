"""Networks of tests/networks.py, shrunk, widened and counted. All of them: python -m tests.check_networks."""

import random

import pytest

from tests.check_networks import TOLERANCE, prepare, single_plans
from tests.networks import NETWORKS
from tests.oracle import costs_agree, halved_difference, masked_difference, random_plan

# The positions of channels that a shuffle or a norm over channels fixes; everything else is free.
RIGID = {"ShuffleNetV2": 68}
# Otherwise just the output is frozen, which has no channels to speak of where it is grey or a response map.
FROZEN = {"ShuffleNetV2": 5, "ConvNeXt-tiny": 5, "SiamRPN AlexNetV1": 2}
FROZEN |= dict.fromkeys(["DnCNN", "U-Net", "SiamFC AlexNetV1", "Siamese, grouped"], 0)
SMALL = ["ResNet-20 (CIFAR)", "Inception-style", "EDSR x4", "U-Net", "Siamese, grouped"]
# Left to the command: they take long and have the same structure as others.
SLOW = {"RegNetX-4.0GF", "HRNet-W18", "EfficientNet-B0", "ResNeXt-50", "MobileNetV3-large", "EDSR x2"}
SLOW |= {"SEResNet-50", "MNASNet", "VGG-16-BN", "MobileNetV1", "ResNet-50"}


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in SLOW])
def test_shrinks_and_widens_exactly(name: str) -> None:
    model, graph, _ = prepare(name)
    assert costs_agree(model, graph)
    assert masked_difference(model, graph, random_plan(graph, random.Random(0))) < TOLERANCE
    assert halved_difference(model, graph) < TOLERANCE
    assert len(graph.groups) - len(graph.free) == RIGID.get(name, 0), graph.notes
    assert len(graph.frozen) == FROZEN.get(name, 1), graph.notes


@pytest.mark.parametrize("name", SMALL)
def test_every_group_by_itself(name: str) -> None:
    model, graph, _ = prepare(name)
    for plan in single_plans(graph, random.Random(0)):
        assert masked_difference(model, graph, plan) < TOLERANCE, plan


def test_widening_doubles_every_free_group() -> None:
    from lwdna_mm.channels import analyze, resize

    model, graph, _ = prepare("DenseNet-40 (CIFAR)")
    wide = resize(model, graph, graph.scaled(2.0))
    doubled = analyze(wide, graph.tracing.inputs, forward=graph.tracing.forward)
    assert doubled.widths == {name: 2 * width for name, width in graph.widths.items()}
