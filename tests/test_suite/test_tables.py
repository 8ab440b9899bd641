import re
from dataclasses import replace

import pytest
from scipy import stats

from lwdna_mm.suite.costs import machine_use, relative_costs
from lwdna_mm.suite.differences import seeds_needed
from lwdna_mm.suite.statistics import split_tasks

from .made import make, make_arm
from .reading import cells, tell


def test_table_of_arms(records):
    text = tell(records)
    row = cells(text, "lwdna")
    assert row[1:3] == ["3", "24.17 ± 0.51"]
    difference = split_tasks(records)[0].compare("lwdna")
    low, high = difference.corrected
    assert row[3] == f"+4.23 [{low:+.2f}, {high:+.2f}]"
    assert row[4] == "ahead"
    assert row[5:] == ["64.17 ± 0.51", "1.00", "0.26", "1.39", "1.39", "4.0", "834"]
    assert cells(text, "uniform")[3:5] == ["-", "-"]


def test_no_winner_without_an_interval_that_leaves_zero_out(records):
    text = tell(records)
    assert cells(text, "torch-pruning")[3:5] == ["+70.15", "not told apart (one seed)"]
    assert cells(text, "random")[4] == "not told apart"
    for line in text.splitlines():
        held = re.search(r"\| [-+][\d.]+ \[([-+][\d.]+), ([-+][\d.]+)\] \| ([^|]*) \|", line)
        if held and float(held[1]) <= 0 <= float(held[2]):
            assert held[3] == "not told apart"


def test_parts_tuning_and_landscape(records):
    text = tell(records)
    start, widths, total = (cells(text, part) for part in ("start", "widths", "total"))
    assert float(total[3].split()[0]) == pytest.approx(
        float(start[3].split()[0]) + float(widths[3].split()[0]), abs=0.011
    )
    assert [int(count) for count in widths[7].split(", ")] == sorted(int(count) for count in widths[7].split(", "))
    assert cells(text, "lr=0.1,weight_decay=0.003")[1:] == ["20.30 (chosen)", "20.30 (chosen)"]
    assert cells(text, "lr=0.1,weight_decay=0.001")[1:] == ["20.10", "20.10"]
    assert cells(text, "lr=0.3,weight_decay=0.0001")[1:] == ["-", "diverged"]
    assert "lwdna-tuned: the chosen weight_decay 0.003 is at the edge of the grid" in text
    assert "6 random plans at one training seed, 22.50 ± 1.87. lwdna (24.30, seed 0) is better than 5 of them" in text
    assert "Do widths matter here at all?" in text
    assert "uniform of that seed is better than 0 of them; the best is +5.10 from it" in text
    assert "Whose?" not in text  # all plans have the same widths here
    widths = [replace(r, widths={**r.widths, "layer2": 90 - round(r.value)}) for r in records if "landscape" in r.arm]
    text = tell([*(r for r in records if "landscape" not in r.arm), *widths])
    assert re.search(
        r"layer2's width goes with the result most, by a rank correlation of -1\.00 .*more than chance", text
    )


def test_kinds_of_comparisons_and_seeds_needed(records):
    text = tell(records)
    assert cells(text, "widths")[5] == "2 primary"
    assert cells(text, "widths, both tuned")[5] == "2 primary"
    # baseline, both tuned ones and random minus uniform, and total.
    assert cells(text, "total")[5] == "5 secondary"
    task = split_tasks(records)[0]
    one = task.compare("lwdna")
    counts = [seeds_needed(one.deviation, alpha=level, freedom_per_seed=5) for level in (0.05, 0.05 / 2)]
    assert cells(text, "widths")[7] == f"{counts[0]}, {counts[1]}"


def test_variation_of_runs_is_told(records):
    text = tell(records).partition("How much runs vary")[2]
    task = split_tasks(records)[0]
    alone = f"{(task.layout.squares / task.layout.freedom) ** 0.5:.3f} ({task.layout.freedom})"
    shared = f"{task.pool.deviation:.3f} ({task.layout.freedom + 1})"
    assert cells(text, "50")[1:] == ["6", alone, shared, "50, 200"]
    assert cells(text, "200")[3:] == [shared, "50, 200"]
    assert "Caution" not in tell(records)


def test_unequal_variation_is_told(records):
    wild = [*make_arm("uniform", 10.0, 50.0, task="200"), *make_arm("lwdna", 50.0, 10.0, task="200")]
    records = [record for record in records if record.task != "200"]
    told = tell(records).partition("How much runs vary")[2]
    text = tell([*records, *wild])
    assert "Caution: runs of the task 200 vary more than those of other sizes" in text
    assert "the task 50" not in text
    text = tell([*records, *make_arm("wider", 20.0, 28.0, 12.0)])
    assert "Caution: the errors of wider are larger than those of other arms (F test, 5 %; tasks 50)" in text
    assert cells(text.partition("How much runs vary")[2], "50")[1:] == cells(told, "50")[1:]


def test_primary_comparisons_are_corrected_over_all_tasks_too(records):
    text = tell(records)
    tasks = split_tasks(records)
    found = [task.compare(*pair) for task in tasks for pair in (("lwdna",), ("lwdna-tuned", "uniform-tuned"))]
    found = [one for one in found if one]
    assert len(found) == 3
    told = [one for one in found if one.verdict == "ahead"]
    limits = {one.arm: abs(one.estimate) / (one.deviation * one.error) for one in told}
    needed = stats.t.isf(0.025 / 3, told[0].freedom)
    assert [arm for arm, reached in limits.items() if reached > needed] == ["lwdna"]
    assert "Corrected over all 3 of the table, still told apart: 50 lwdna (ahead); no longer: none." in text
    weak = [replace(r, value=r.value - 3.485) if (r.task, r.arm) == ("50", "lwdna") else r for r in records]
    one = split_tasks(weak)[0].compare("lwdna")
    assert needed > one.estimate / (one.deviation * one.error) > stats.t.isf(0.025 / 2, one.freedom)
    assert "still told apart: none; no longer: 50 lwdna (ahead)." in tell(weak)
    assert "Corrected over all" not in tell([record for record in records if record.task == "50"])


def test_gains_of_all_tasks_beside_each_other(records):
    text = tell(records).partition("All other widths")[2].partition("## Task")[0]
    tasks = split_tasks(records)
    found = tasks[0].gains()
    assert list(found) == ["lwdna", "lwdna-tuned", "random", "torch-pruning"]
    assert (found["lwdna-tuned"].other, found["random"].other) == ("uniform-tuned", "uniform")
    tuned = f"{found['lwdna-tuned'].estimate:+.2f}"
    assert cells(text, "50")[1:] == ["accuracy/top1", "+4.23 ahead", tuned, "+0.70", "+70.15"]
    assert cells(text, "200")[2:] == [f"{tasks[1].gains()['lwdna'].estimate:+.2f}", "-", "-", "-"]
    one = [record for record in records if record.task == "50"]
    assert "All other widths" not in tell(one)


def test_gains_count_as_comparisons_and_leave_other_starts_out(records):
    records = [record for record in records if record.task == "50"]
    before = split_tasks(records)[0].comparisons(primary=False)
    records += [*make_arm("tilt-tuned", 22.0, 22.5), *make_arm("lwdna-fresh", 19.0, 19.2)]
    records += make_arm("lwdna-search", 20.0, 20.1)
    task = split_tasks(records)[0]
    assert not {"lwdna-fresh", "lwdna-search", "baseline", "uniform-tuned"} & set(task.gains())
    # tilt-tuned minus uniform and minus uniform-tuned; lwdna-fresh minus uniform and minus baseline; lwdna-search.
    assert task.comparisons(primary=False) == before + 5
    records += [*make_arm("uniform-warm", 21.0, 21.5), *make_arm("lwdna-warm", 22.0, 22.1)]
    task = split_tasks(records)[0]
    assert task.gains()["lwdna-warm"].estimate == task.parts()["widths, both warmed up"].estimate == pytest.approx(0.8)
    assert "uniform-warm" not in task.gains()
    records += [*make_arm("uniform-decayed", 26.0, 26.5), *make_arm("lwdna-capped-decayed", 27.0, 27.1)]
    assert split_tasks(records)[0].gains()["lwdna-capped-decayed"].estimate == pytest.approx(0.8)


def test_core_hours_of_all_runs():
    records = [make(training_seconds=1799.0, search_seconds=1.0), make(seed=1, training_seconds=1800.0)]
    records[1] = make(seed=1, training_seconds=1800.0, search_seconds=None, machine="AMD EPYC, 4 threads")
    records.append(make(seed=2, training_seconds=360.0, search_seconds=0.0, machine="NVIDIA H100"))
    assert [use.hours for use in machine_use(records).values()] == pytest.approx([0.5, 2.0, 0.1])
    assert "In all 2.5 core-hours and 0.1 device-hours" in tell(records)
    assert "several machines" in tell(records)
    assert "several machines" not in tell(records[:1])


def test_pairs_across_machines_are_told(records):
    def moved(*runs):
        return [replace(r, machine="Xeon, 1 thread") if (r.task, r.arm, r.seed) in runs else r for r in records]

    text = tell(moved(("50", "random", 1)))
    assert cells(text, "random")[4] == "not told apart (1 of 2 across machines)"
    assert cells(text, "lwdna")[4] == "ahead"
    gains = dict(zip(cells(text, "task | metric"), cells(text, "50 | accuracy/top1"), strict=True))
    assert [arm for arm, gain in gains.items() if "*" in gain] == ["random"]
    text = tell(moved(*(("50", "lwdna", seed) for seed in range(3)), ("50", "torch-pruning", 0)))
    assert cells(text, "widths")[4] == "ahead (3 of 3 across machines)"
    assert "across" not in cells(text, "start")[4]
    assert cells(text, "torch-pruning")[4] == "not told apart (one seed, 1 of 1 across machines)"


def test_times_are_compared_on_one_machine():
    slow = dict(machine="old", training_seconds=3000.0)
    records = [make("baseline", seed=0, training_seconds=100.0), make("baseline", seed=1, training_seconds=300.0)]
    records += [make(training_seconds=300.0), make(seed=1, **slow), make("random", **slow)]
    assert relative_costs(split_tasks(records)[0])["training time"] == {"baseline": [0.5, 1.5], "lwdna": [1.5]}
