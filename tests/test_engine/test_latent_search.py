import json

import pytest
import torch

from lwdna_mm.engine import shrink
from lwdna_mm.errors import UserError
from lwdna_mm.runs.checkpoint_file import load_checkpoint_file
from tests.digits_runs import tiny_config

LATENTS = dict(type="LatentHypernet", embedding_dim=2)


def searched(folder, **options):
    plan = folder / "plan.json"
    shrink(tiny_config(folder, lwdna__shrink__gate=LATENTS, **options), plan)
    return json.loads(plan.read_text()), load_checkpoint_file(plan.with_suffix(".pth"))


def test_a_search_by_latents_cuts_the_generated_weights_and_repeats(tmp_path):
    options = dict(lwdna__shrink__warmup_iters=2, lwdna__shrink__iters=1)
    plan, weights = searched(tmp_path / "once", **options)
    assert plan["gate"] == LATENTS
    assert plan["flops"] <= plan["baseline"]["flops"]
    again, same = searched(tmp_path / "again", **options)
    assert again == plan
    assert all(torch.equal(value, same["state_dict"][key]) for key, value in weights["state_dict"].items())
    _, untrained = searched(tmp_path / "untrained", lwdna__shrink__warmup_iters=0, lwdna__shrink__iters=1)
    plain = tmp_path / "plain"
    shrink(tiny_config(plain), plain / "plan.json")
    key = next(key for key in weights["state_dict"] if key.endswith("conv1.weight"))
    widths = [found["state_dict"][key].flatten()[:8] for found in (weights, untrained)]
    widths.append(load_checkpoint_file(plain / "plan.pth")["state_dict"][key].flatten()[:8])
    assert not any(torch.allclose(widths[i], widths[i - 1]) for i in range(3))


def test_magnitudes_need_latents(tmp_path):
    cfg = tiny_config(tmp_path, lwdna__shrink__criterion=dict(type="LatentMagnitudeCriterion"))
    with pytest.raises(UserError, match=r"lwdna.shrink.gate=dict\(type='LatentHypernet'\)"):
        shrink(cfg, tmp_path / "plan.json")
    plan, _ = searched(tmp_path, lwdna__shrink__criterion=dict(type="LatentMagnitudeCriterion"))
    assert plan["criterion"] == dict(type="LatentMagnitudeCriterion")


def test_batches_of_the_search_can_be_smaller(tmp_path):
    _, weights = searched(tmp_path, lwdna__shrink__batch_ratio=0.25)
    assert weights["meta"]["search"]["samples"] == 3 * 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(gate=dict(type="Latent")), "unknown gate 'Latent': use one of PlainGates, LatentHypernet"),
        (dict(gate=dict(type="LatentHypernet", dim=2)), "unknown key 'dim' of gate LatentHypernet"),
        (dict(gate=dict(embedding_dim=2, _delete_=True)), "a gate needs a type: one of PlainGates, LatentHypernet"),
        (dict(batch_ratio=2), "lwdna.shrink.batch_ratio is 2, but must be above 0, at most 1"),
        (dict(gate=LATENTS, criterion=dict(type="ResponseCriterion"), warmup_iters=2), "leave out gate"),
    ],
)
def test_mistakes_are_named(tmp_path, options, message):
    given = {f"lwdna__shrink__{key}": value for key, value in options.items()}
    with pytest.raises(UserError, match=message):
        shrink(tiny_config(tmp_path, **given), tmp_path / "plan.json")
    assert not (tmp_path / "plan.json").exists()
