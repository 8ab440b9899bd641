"""Command lines that cannot be meant."""

import pytest

from lwdna_mm.zoo import iterate_entries
from tests.bad_input import Bad, table, write

PLAIN = "{c}/classification/resnet8_1xb32_digits.py"
TWIN = "{c}/classification/resnet8_lwdna_1xb32_digits.py"
ENTRY = next(iterate_entries()).name


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    (folder / "folder").mkdir()
    (folder / "file").write_text("text")
    return folder


def options(given: str, *wanted: str) -> Bad:
    """``--cfg-options``."""
    return Bad(f"cfg-options {given}", f"train {PLAIN} --cfg-options {given}", ("--cfg-options", *wanted))


OPTIONS = [
    options("seed", "seed is no KEY=VALUE, such as"),
    options("=3", "=3 is no KEY=VALUE"),
    options("", "expected at least one argument"),
    options("'a=[1,2'", "a=[1,2 cannot be read; give a number, a word, a list"),
    options("'custom_hooks=[dict(type=A,3)]'", "cannot be read; give a number, a word, a list"),
    options("'custom_hooks=[dict(type=open())]'", "cannot be read"),
    options("modle=3", "modle: unknown key; did you mean 'model'"),
    options("train_cgf.max_epochs=2", "the config has no 'train_cgf'; did you mean 'train_cfg'"),
    options("train_cfg..max_epochs=2", "the config has no 'train_cfg.'; known are by_epoch, max_epochs"),
    options("train_cfg.max_epochs.x=2", "max_epochs={'x': 2}"),
    options("param_scheduler.x.y=2", "the config has no 'param_scheduler.x'; known are"),
]
COUNT = "is no whole number 1 or more"
COMMANDS = [
    Bad("train nothing", "train", ("required: config", "--help")),
    Bad("train an unknown option", f"train {PLAIN} --worc-dir a", ("--worc-dir a, did you mean --work-dir",)),
    Bad(
        "train a word for a seed",
        f"train {PLAIN} --seed one",
        ("--seed: 'one' is no whole number from 0 to 4294967295",),
    ),
    Bad("train a negative seed", f"train {PLAIN} --seed -1", ("--seed: '-1' is no whole number from 0 to 4294967295",)),
    Bad("shrink too large a seed", f"shrink {TWIN} --seed 99999999999", ("--seed", "to 4294967295")),
    Bad("train a negative count", f"train {PLAIN} --skip-nonfinite -3", ("skip_nonfinite is -3", "0 or more")),
    Bad("train an unknown launcher", f"train {PLAIN} --launcher abc", ("--launcher: invalid choice: 'abc'", "slurm")),
    Bad("train without torchrun", f"train {PLAIN} --launcher pytorch", ("--launcher pytorch", "RANK", "dist_train.sh")),
    Bad("train without srun", f"train {PLAIN} --launcher slurm", ("--launcher slurm", "slurm_train.sh")),
    Bad("train into a file", f"train {PLAIN} --work-dir file", ("file: File exists",)),
    Bad("train below a file", f"train {PLAIN} --work-dir file/a", ("file/a: Not a directory",)),
    Bad(
        "amp with nothing to train", "train {c}/super_resolution/bicubic_x2_set5-set14.py --amp", ("no optim_wrapper",)
    ),
    Bad("shrink without a section", f"shrink {PLAIN}", ("digits.py has no lwdna section",)),
    Bad(
        "shrink into a folder", f"shrink {TWIN} --out folder", ("folder: give the plan a file name such as plan.json",)
    ),
    Bad("shrink into weights", f"shrink {TWIN} --out a.pth", ("a.pth: give the plan a file name such as plan.json",)),
    Bad("shrink below a file", f"shrink {TWIN} --out file/a.json", ("file/a.json: cannot be written",)),
    Bad("shrink by an unknown criterion", f"shrink {TWIN} --criterion Random", ("'Random': use one of",)),
    Bad("test into a folder", f"test {PLAIN} --out folder", ("folder: is a folder; give the name of a file",)),
    Bad("test without weights", f"test {PLAIN}", ("the network has weights, give a checkpoint",)),
    Bad("report nothing", "report", ("required: WORK_DIR",)),
    Bad("report no run", "report folder", ("folder: no summary.json, so no finished run; finish it",)),
    Bad("restore nowhere", f"restore {PLAIN} a.pth folder", ("required: --out",)),
    Bad("restore by odd tiles", f"restore {PLAIN} a.pth folder --out o --tile 7", ("tile is 7", "a multiple of 16")),
    Bad(
        "restore a negative overlap",
        f"restore {PLAIN} a.pth folder --out o --overlap -8",
        ("--overlap: '-8'", "0 or more"),
    ),
    Bad("track no box", f"track {PLAIN} a.pth folder --out o", ("required: --box",)),
    Bad(
        "track half a box", f"track {PLAIN} a.pth folder --out o --box 1,2", ("--box 1,2: give left,top,width,height",)
    ),
    Bad("track an empty box", f"track {PLAIN} a.pth folder --out o --box 1,2,0,4", ("--box 1,2,0,4: give left,top",)),
    Bad("track nan", f"track {PLAIN} a.pth folder --out o --box nan,2,3,4", ("--box nan,2,3,4: give left,top",)),
    Bad("track into a file", f"track {PLAIN} a.pth folder --out file --box 1,2,3,4", ("file: cannot be written",)),
    Bad("latency of no batch", f"latency {PLAIN} --batch 0", (f"--batch: '0' {COUNT}",)),
    Bad("latency of a negative plan", f"latency {PLAIN} --plans -1", ("--plans: '-1' is no whole number 0 or more",)),
    Bad("latency in no time", f"latency {PLAIN} --seconds 0", ("--seconds: '0' is no number above 0",)),
    Bad("latency in int8", f"latency {PLAIN} --dtype int8", ("--dtype: invalid choice: 'int8'", "bf16")),
    Bad("latency of training by ONNX", f"latency {PLAIN} --backend onnxruntime --train", ("inference in fp32",)),
    Bad("latency into a folder", f"latency {PLAIN} --out folder", ("folder: is a folder; give the name of a file",)),
    Bad(
        "latency of unknown inputs",
        "latency a.py",
        ("a.py: no input_shape; add one",),
        write("a.py", "model = dict(type='A')"),
    ),
    Bad("export no batch", f"export_onnx {PLAIN} a.pth --batch 0", (f"--batch: '0' {COUNT}",)),
    Bad("export into a folder", f"export_onnx {PLAIN} a.pth --out folder", ("folder: is a folder; give",)),
    Bad("benchmark nothing", "benchmark", ("required: COMMAND",)),
    Bad("benchmark what there is not", "benchmark speed", ("invalid choice: 'speed'", "'analyze'")),
    Bad("benchmark never", "benchmark search --repeats 0", (f"--repeats: '0' {COUNT}",)),
    Bad("benchmark into a folder", "benchmark search --json folder", ("folder: is a folder; give",)),
    Bad("costs of no network", "costs ResNet", ("no network 'ResNet'; there are ResNet-20",)),
    Bad("costs without data", "costs ResNet-20 --data none", ("none/cifar10 does not exist; give the data's folder",)),
    Bad("costs by no plans", "costs --plans 0", (f"--plans: '0' {COUNT}",)),
    Bad("demo of no seed", "demo --seeds 0", (f"--seeds: '0' {COUNT}",)),
    Bad("demo in a file", "demo --work-dir file", ("file/baseline_seed0: Not a directory",)),
    Bad("download nothing", "download", ("give NAME or --list",)),
    Bad("download what there is not", "download nothing --out o", ("the zoo has no 'nothing'; see --list",)),
    Bad("download a misspelt name", f"download {ENTRY[:-1]} --out o", (f"did you mean '{ENTRY}'",)),
    Bad("download from outside", "download ../../a --out o", ("'../../a' is no name of an entry: letters",)),
    Bad("download into a file", f"download {ENTRY} --out file", ("file: File exists",)),
    Bad("zoo of an unknown action", "zoo ad", ("invalid choice: 'ad'", "'add'")),
    Bad("zoo adds an odd name", "zoo add ../a folder --command a", ("'../a' is no name of an entry: letters",)),
    Bad("zoo adds no run", "zoo add a folder --command a", ("folder/summary.json: no such file; give the work_dir",)),
    Bad("zoo adds a run with a config", "zoo add a folder --command a --config b", ("give --config with a plan.json",)),
    Bad("OTB of nothing", "eval_otb --tracker identity", ("required: --root",)),
]


@table(*OPTIONS, *COMMANDS)
def test_command_lines(bad, refused):
    refused(bad)
