import pytest
import torch

from lwdna_mm.models.tracking import AlexNetV1, CIResNet22


@pytest.mark.parametrize(("backbone", "exemplar", "search"), [(AlexNetV1, 6, 22), (CIResNet22, 5, 21)])
def test_sizes_of_the_embeddings(backbone, exemplar, search):
    network = backbone().eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 127, 127)).shape == (1, network.out_channels, exemplar, exemplar)
        assert network(torch.zeros(1, 3, 255, 255)).shape[-1] == search
        # 255 gives a response of 17, 239 one of 15.
        assert network(torch.zeros(1, 3, 239, 239)).shape[-1] - exemplar + 1 == 15


def test_published_parameter_counts():
    assert round(sum(p.numel() for p in AlexNetV1().parameters()) / 1e6, 2) == 2.34
    # 22 convolutions on the main path: the stem and seven bottlenecks of three.
    names = [name for name, p in CIResNet22().named_parameters() if p.ndim == 4 and "downsample" not in name]
    assert len(names) == 22


@pytest.mark.parametrize(
    "network", [AlexNetV1(channels=(8, 8, 8, 8, 8)), CIResNet22(channels=(8, 8, 8))], ids=["alexnet", "ciresnet"]
)
def test_no_padding_is_seen_so_the_map_shifts_with_the_image(network):
    network.init_weights()
    network.eval()
    torch.manual_seed(0)
    image = torch.rand(1, 3, 160, 160)
    with torch.no_grad():
        whole = network(image[..., :152])
        shifted = network(image[..., 8:])
    torch.testing.assert_close(shifted[..., :-1], whole[..., 1:])
    assert not torch.allclose(shifted, whole)
