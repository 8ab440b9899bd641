from .made import make
from .reading import cells, tell


def test_means_over_a_grid_and_a_grid_of_other_options(records):
    values = {(0.1, "threshold"): 20.0, (0.1, "density"): 21.0, (0.4, "threshold"): 23.0, (0.4, "density"): None}
    grid = [
        make("lwdna-search", value, stage="select", point={"lwdna.min_ratio": floor, "lwdna.policy": policy})
        for (floor, policy), value in values.items()
    ]
    text = tell([*records, *grid])
    assert cells(text, "min_ratio=0.1")[1:] == ["20.50 (2)"]
    assert cells(text, "min_ratio=0.4")[1:] == ["23.00 (1), 1 diverged"]
    assert cells(text, "policy=threshold")[1:] == ["21.50 (2)"]
    assert cells(text, "min_ratio=0.4,policy=density")[1:] == ["diverged"]
    assert cells(text, "lr=0.1")[1:] == ["20.14 (3)", "20.14 (3)"]
    assert cells(text, "lr=0.1,weight_decay=0.001")[1:] == ["20.10", "20.10"]


def test_points_that_were_tried_with_several_seeds(records):
    values = {0.1: (40.0, 42.0, 41.0), 0.3: (43.0, None, 30.0), 1.0: (None, None, None)}
    grid = [
        make("lwdna-tuned", value, seed=seed, stage="select", point={"lr": lr})
        for lr, row in values.items()
        for seed, value in enumerate(row)
    ]
    text = tell([*(record for record in records if record.stage == "test"), *grid])
    assert cells(text, "lr=0.1")[1:] == ["41.00 ± 1.00 (3)"]
    assert cells(text, "lr=0.3")[1:] == ["36.50 ± 9.19 (2), 1 diverged"]
    assert cells(text, "lr=1.0")[1:] == ["- (0), 3 diverged"]


def test_the_edge_is_that_of_the_points_which_the_arm_has_tried(records):
    tried = {"lwdna-tuned": (0.1, 0.3, 1.0), "uniform-tuned": (0.3, 1.0, 3.0)}
    grid = [make(arm, 40.0, stage="select", point={"lr": lr}) for arm, rates in tried.items() for lr in rates]
    chosen = [make(arm, 41.0, point={"lr": 1.0}) for arm in tried]
    text = tell([record for record in records if not record.arm.endswith("-tuned")] + grid + chosen)
    assert "lwdna-tuned: the chosen lr 1 is at the edge of the grid" in text
    assert "uniform-tuned: the chosen lr" not in text
