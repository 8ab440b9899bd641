# The arms of a comparison. Each is a set of changes to a config that has an lwdna section.
uniform = {"lwdna.shrink.criterion": dict(type="UniformCriterion"), "lwdna.shrink.min_ratio": 0.0}
# A floor of the even share leaves all widths as they are.
chosen = {"lwdna.shrink.min_ratio": 0.5}
random = {"lwdna.shrink.criterion": dict(type="RandomCriterion")}
tilt = {"lwdna.shrink.criterion": dict(type="TiltCriterion", tilt=-1.0), "lwdna.shrink.min_ratio": 0.0}
landscape = {
    "lwdna.shrink.criterion": dict(type="RandomWidthsCriterion", spread=0.5),
    "lwdna.shrink.min_ratio": 0.0,
}
fresh = {"lwdna.init": "fresh"}
# The paper's own setting, whatever the defaults and the suite's floor are.
paper = {"lwdna.preset": "paper", "lwdna.shrink.min_ratio": 0.4}
response = {
    "lwdna.shrink.criterion": dict(type="ResponseCriterion"),
    "lwdna.shrink.warmup_iters": 100,
    "lwdna.shrink.iters": 2,
    "lwdna.shrink.min_ratio": 0.1,
}
profile = {"lwdna.shrink.criterion": dict(type="ProfileSearch"), "lwdna.shrink.min_ratio": 0.1}
tilt_search = dict(type="ProfileSearch", candidates=4, ranges=dict(tilt=1.5))
tilts = {**profile, "lwdna.shrink.criterion": tilt_search}
# Falling and rising, by a factor of two at either end, each trained to the end.
whole_search = dict(type="ProfileSearch", candidates=[dict(tilt=-0.7), dict(tilt=0.7)], rungs=1, longest=1.0)
whole = {**profile, "lwdna.shrink.criterion": whole_search}
repeated = {**profile, "lwdna.shrink.criterion": dict(**whole_search, repeats=3)}
acts = {"lwdna.budget": dict(flops=1.0, acts=1.0)}
warm = {"lwdna.shrink.warmup_iters": 100}
capped = {"lwdna.shrink.grow_last": False}
decayed = {"optim_wrapper.optimizer.weight_decay": 3e-3}

arms = {
    # The network as its config has it.
    "baseline": dict(options=dict(lwdna=None)),
    # The baseline's widths with LW-DNA's start: weights cut out of the widened network.
    "uniform": dict(options=uniform),
    # The baseline's widths again, but of the widened network's channels those that LW-DNA's scores rank first.
    "chosen": dict(options=chosen),
    "lwdna": dict(),
    # LW-DNA's widths, but of the widened network's channels the first ones, which at the start are as good as any.
    "unchosen": dict(widths="lwdna"),
    "lwdna-fresh": dict(options=fresh),
    # The widened network is trained for a moment first: on both sides, for what is cut out is trained longer then.
    "uniform-warm": dict(options={**uniform, **warm}),
    "lwdna-warm": dict(options=warm),
    # No more activations than the baseline either.
    "lwdna-acts": dict(options=acts),
    # What the last layers read becomes no wider than in the baseline.
    "lwdna-capped": dict(options=capped),
    "lwdna-capped-acts": dict(options={**capped, **acts}),
    # With more weight decay, on both sides.
    "uniform-decayed": dict(options={**uniform, **decayed}),
    "lwdna-capped-decayed": dict(options={**capped, **decayed}),
    "paper": dict(options=paper),
    # By what each group's width was measured to be worth.
    "response": dict(options=response),
    # By short trainings of some profiles, the even one among them.
    "profile": dict(options=profile),
    "profile-tilts": dict(options=tilts),
    "profile-whole": dict(options=whole),
    "profile-repeated": dict(options=repeated),
    "random": dict(options=random),
    "random-fresh": dict(options={**random, **fresh}),
    # Even widths at another cost of LW-DNA: its parameters, or its activations.
    "narrow": dict(options=uniform, equal=dict(params="lwdna")),
    "wider": dict(options=uniform, equal=dict(acts="lwdna")),
    # Early layers wider, late ones narrower, with nothing measured.
    "tilt": dict(options=tilt),
    "tilt-fresh": dict(options={**tilt, **fresh}),
    # Torch-Pruning's global Taylor importance on the same widened network, at the same FLOPs.
    "torch-pruning": dict(planner="torch-pruning"),
    # With the best weight decay and learning rate for each.
    "baseline-tuned": dict(options=dict(lwdna=None), tuned=True),
    "uniform-tuned": dict(options=uniform, tuned=True),
    "lwdna-tuned": dict(tuned=True),
    "lwdna-fresh-tuned": dict(options=fresh, tuned=True),
    "lwdna-acts-tuned": dict(options=acts, tuned=True),
    "lwdna-capped-tuned": dict(options=capped, tuned=True),
    "tilt-tuned": dict(options=tilt, tuned=True),
    # With what is best for the baseline's widths.
    "profile-whole-tuned": dict(options=whole, tuned="uniform-tuned"),
    # How the gradients are used, on held-out images.
    "lwdna-search": dict(
        tuned=True,
        grid_seeds=1,
        grid={
            "lwdna.shrink.min_ratio": [0.1, 0.2, 0.4],
            "lwdna.shrink.policy": ["threshold", "density"],
            "lwdna.shrink.warmup_iters": [0, 100],
        },
    ),
    "lwdna-batches-search": dict(tuned=True, grid_seeds=1, grid={"lwdna.shrink.iters": [1, 4, 16, 64]}),
    # Random widths at the same FLOPs and start: what widths can do at all.
    "landscape": dict(options=landscape, vary="lwdna.shrink.criterion.seed"),
}

del uniform, chosen, random, tilt, landscape, fresh, paper, response, acts, warm, capped, decayed
del profile, tilt_search, tilts, whole_search, whole, repeated
