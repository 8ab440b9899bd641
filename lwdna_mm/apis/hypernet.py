"""The paper's hypernetwork beside plain gates: what each makes of a search as short as the public code's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from torch import Tensor

from ..channels import ChannelPlan
from ..engine.config import load_config
from ..engine.pipeline import shrink
from ..engine.shrink_hook import ShrinkHook
from ..shrink import Latents
from ..tables import Row

LATENTS = dict(type="LatentHypernet", embedding_dim=2)
# The public code's two steps on quarter batches: the second one's gradient, or the magnitudes after both.
SHORT = dict(warmup_iters=1, iters=1, batch_ratio=0.25, grow_last=True)
KINDS: dict[str, dict[str, Any]] = {
    "gates, gradient": dict(gate=dict(type="PlainGates"), criterion=dict(type="GradientCriterion")),
    "hypernetwork, gradient": dict(gate=LATENTS, criterion=dict(type="GradientCriterion")),
    "hypernetwork, magnitude": dict(gate=LATENTS, criterion=dict(type="LatentMagnitudeCriterion"), warmup_iters=2),
}


class DrawnHook(ShrinkHook):
    """A search that also tells how far its channels are those that the latents' initial draw would keep."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.drawn = None
        if isinstance(self.gates, Latents):
            self.drawn = self._draft({name: latent.detach().abs().cpu() for name, latent in self.gates.items()})

    def _find(self, scores: dict[str, Tensor]) -> tuple[ChannelPlan, dict[str, Any]]:
        plan, found = super()._find(scores)
        if self.drawn is not None:
            alike = sum(self._alike(name, plan) for name in plan.kept)
            found["as_drawn"] = alike / sum(group.width for group in self.graph.free.values())
        return plan, found

    def _alike(self, name: str, plan: ChannelPlan) -> int:
        """Channels of a group that are kept, or dropped, by both plans."""
        both = set(plan.kept[name]) & set(self.drawn.kept[name])
        dropped = self.graph.free[name].width - len(plan.kept[name]) - len(self.drawn.kept[name]) + len(both)
        return len(both) + dropped


def compare_gates(config: str | Path, options: dict[str, Any], out: Path, seeds: Sequence[int]) -> list[Row]:
    """Search a config with plain gates and with hypernetworks, a few seeds each.

    Args:
        config: with an ``lwdna`` section.
        options: changes to it, as ``--cfg-options``.
        out: where plans and logs go.
        seeds: two or more; of the initialisation and of the order of the images.

    Returns:
        For each kind the share of channels that are decided as by the magnitudes of the initial draw; the rank
        correlation between two seeds of what groups keep of their widths, a mean over pairs of seeds; and the widths,
        as shares of the baseline's, of the first and of the last third of the groups.
    """
    rows: list[Row] = []
    for kind, chosen in KINDS.items():
        metas, shares = [], []
        for seed in seeds:
            given = {f"lwdna.shrink.{key}": value for key, value in {**SHORT, **chosen}.items()}
            cfg = load_config(config, {**options, **given, "randomness.seed": seed})
            cfg.work_dir = str(out / kind.replace(", ", "-") / f"seed-{seed}")
            plan = shrink(cfg, Path(cfg.work_dir, "plan.json"), DrawnHook)
            metas.append(plan.meta)
            base = plan.meta["baseline"]["widths"]
            shares.append([plan.widths[name] / base[name] for name in plan.meta["order"]])
        pairs = [spearmanr(one, other).statistic for i, one in enumerate(shares) for other in shares[:i]]
        third = len(shares[0]) // 3
        drawn = [meta["as_drawn"] for meta in metas if "as_drawn" in meta]
        rows.append(
            {
                "search": kind,
                "decided as drawn": f"{np.mean(drawn):.3f}" if drawn else "-",
                "rank correlation of widths between seeds": float(np.mean(pairs)),
                "first third of groups": float(np.mean([one[:third] for one in shares])),
                "last third": float(np.mean([one[-third:] for one in shares])),
            }
        )
    return rows
