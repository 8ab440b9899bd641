import pytest

from .made import make, make_arm


@pytest.fixture
def records():
    arms = [make_arm("baseline", 18.0, 18.2, 17.9), make_arm("uniform", 19.9, 19.8, 20.1)]
    arms += [make_arm("lwdna", 24.3, 23.6, 24.6), make_arm("random", 21.2, 19.9), make_arm("torch-pruning", 90.0)]
    arms += [make_arm("uniform", 30.0, 30.5, task="200"), make_arm("lwdna", 30.6, 30.4, task="200")]
    for arm in ("uniform-tuned", "lwdna-tuned"):
        points = [{"optimizer.lr": 0.1, "optimizer.weight_decay": decay} for decay in (1e-4, 1e-3, 3e-3)]
        arms.append([make(arm, 20.0 + 100 * p["optimizer.weight_decay"], stage="select", point=p) for p in points])
        arms.append(make_arm(arm, 22.0, 22.4, 22.3 if arm.startswith("l") else None, point=points[-1]))
    point = {"optimizer.lr": 0.3, "optimizer.weight_decay": 1e-4}
    arms.append([make("lwdna-tuned", None, stage="select", point=point)])
    arms.append([make(f"landscape-{i:02d}", 20.0 + i) for i in range(6)])
    return [record for arm in arms for record in arm]
