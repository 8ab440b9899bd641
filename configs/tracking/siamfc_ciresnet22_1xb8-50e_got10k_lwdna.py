_base_ = "./siamfc_ciresnet22_1xb8-50e_got10k.py"
# The embedding that is correlated keeps its width, and with it the response its scale; the exemplar's branch
# runs once for a whole sequence, so that the budget is of the search image's.
lwdna = dict(
    widen=2.0,
    shrink=dict(iters=16, criterion=dict(type="GradientCriterion"), policy="threshold", min_ratio=0.4),
    budget=dict(flops=1.0),
    init="inherit",
    input_shape=[(3, 127, 127), (3, 255, 255)],
    amortized=[0],
    keep=["backbone.stage2.0.conv3"],
)
