"""One network or more of each family of timm: its smallest member, on images as small as it permits.

Depth and sizes are given where the family is the same without most of its blocks, or fixed to one size of image.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from tests.networks import Network


def _network(name: str, size: int, options: dict[str, Any]) -> Network:
    def build() -> nn.Module:
        import timm

        return timm.create_model(name, pretrained=False, **options)

    return Network(build, ((3, size, size),), mode=False, batch=2)


# The side of the images, and arguments of the constructor.
_TABLE: dict[str, tuple[int, dict[str, Any]]] = {
    "beit_base_patch16_224": (32, dict(img_size=32, depth=2)),
    "eca_botnext26ts_256": (64, dict(img_size=64)),
    "test_byobnet": (64, {}),
    "mobileone_s0": (64, {}),
    "cait_xxs24_224": (32, dict(img_size=32)),
    "coat_lite_tiny": (64, dict(img_size=64)),
    "convit_tiny": (32, dict(img_size=32)),
    "convmixer_768_32": (32, {}),
    "test_convnext": (64, {}),
    "cpubone_nano": (64, {}),
    "crossvit_tiny_240": (240, {}),
    "csatv2": (64, {}),
    "cs3darknet_focus_s": (64, {}),
    "cspnext_tiny": (64, {}),
    "davit_tiny": (64, dict(depths=(1, 1, 1, 1))),
    "deepseek_vit_412m": (126, dict(depth=2)),
    "deit_tiny_patch16_224": (32, dict(img_size=32)),
    "densenet121": (64, {}),
    "dla46_c": (64, {}),
    "dpn48b": (64, {}),
    "edgenext_xx_small": (64, {}),
    "efficientformer_l1": (224, {}),
    "efficientformerv2_s0": (224, {}),
    "test_efficientnet": (64, {}),
    "efficientvim_m1": (64, {}),
    "efficientvit_b0": (64, {}),
    "efficientvit_m0": (224, {}),
    "eva02_tiny_patch14_224": (28, dict(img_size=28)),
    "fasternet_t0": (64, {}),
    "fastvit_t8": (64, {}),
    "focalnet_tiny_srf": (64, {}),
    "gcvit_xxtiny": (64, dict(img_size=64)),
    "gemma4_vit_167m": (64, dict(depth=2)),
    "ghostnet_050": (64, {}),
    "hardcorenas_a": (64, {}),
    "hgnetv2_b0": (64, {}),
    "hiera_tiny_224": (64, dict(img_size=64)),
    "sam2_hiera_tiny": (64, {}),
    "hrnet_w18_small": (64, {}),
    "iformer_t": (64, {}),
    "inception_next_atto": (64, {}),
    "inception_resnet_v2": (107, {}),
    "inception_v3": (107, {}),
    "inception_v4": (107, {}),
    "lcnetv2_small": (64, {}),
    "levit_128s": (64, dict(img_size=64)),
    "lowformer_b0": (64, {}),
    "test_mambaout": (64, {}),
    "test_coatnet": (64, dict(img_size=64)),
    "test_maxvit": (64, dict(img_size=64)),
    "poolformer_s12": (64, {}),
    "convformer_s18": (64, {}),
    "gmixer_12_224": (32, dict(img_size=32)),
    "resmlp_12_224": (32, dict(img_size=32)),
    "mixer_s32_224": (64, dict(img_size=64)),
    "mobilenetv3_small_050": (64, {}),
    "mobilenetv4_conv_small_035": (64, {}),
    "mobilenetv4_hybrid_medium_075": (64, {}),
    "mobilenetv5_base": (64, {}),
    "mobilevit_xxs": (64, {}),
    "mobilevitv2_050": (64, {}),
    "mvitv2_tiny": (64, dict(img_size=64)),
    "naflexvit_base_patch16_gap": (32, dict(depth=2)),
    "nasnetalarge": (96, {}),
    "nest_tiny": (32, dict(img_size=32)),
    "nextvit_small": (64, {}),
    "test_nfnet": (64, {}),
    "pit_ti_224": (64, dict(img_size=64)),
    "pnasnet5large": (96, {}),
    "pvt_v2_b0": (64, {}),
    "qwen3_vit_88m": (64, dict(depth=2)),
    "rdnet_tiny": (64, {}),
    "regnetx_002": (64, {}),
    "regnetz_005": (64, {}),
    "repghostnet_050": (64, {}),
    "repvit_m0_9": (64, {}),
    "res2net50_14w_8s": (64, {}),
    "resnest14d": (64, {}),
    "test_resnet": (64, {}),
    "resnetv2_18": (64, {}),
    "resnetv2_50x1_bit": (64, {}),
    "rexnet_100": (64, {}),
    "selecsls42": (64, {}),
    "legacy_seresnet18": (64, {}),
    "sequencer2d_s": (32, {}),
    "shvit_s1": (64, {}),
    "skresnet18": (64, {}),
    "starnet_s050": (64, {}),
    "swiftformer_xs": (64, {}),
    "swin_tiny_patch4_window7_224": (64, dict(img_size=64)),
    "swinv2_tiny_window8_256": (64, dict(img_size=64)),
    "swinv2_cr_tiny_224": (64, dict(img_size=64)),
    "tiny_vit_5m_224": (224, {}),
    "tnt_s_legacy_patch16_224": (32, dict(img_size=32)),
    "tresnet_m": (64, {}),
    "twins_pcpvt_small": (64, dict(img_size=64)),
    "vgg11": (64, dict(mlp_ratio=0.125)),
    "visformer_tiny": (64, dict(img_size=64)),
    "test_vit": (32, dict(img_size=32)),
    "vit_tiny_r_s16_p8_224": (64, dict(img_size=64)),
    "test_vit_relpos": (32, dict(img_size=32)),
    "samvit_base_patch16": (64, dict(img_size=64, depth=2)),
    "vitamin_small_224": (64, dict(img_size=64)),
    "volo_d1_224": (64, dict(img_size=64)),
    "ese_vovnet19b_slim_dw": (64, {}),
    "legacy_xception": (64, {}),
    "xception41": (64, {}),
    "xcit_nano_12_p16_224": (32, dict(img_size=32)),
}

TIMM = {name: _network(name, *row) for name, row in _TABLE.items()}
