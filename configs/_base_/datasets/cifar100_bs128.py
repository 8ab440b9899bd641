# CIFAR-100 in its official format, in data_root/cifar-100-python. Downloads nothing unless download=True is given.
_base_ = "cifar10_bs128.py"
data_root = "data/cifar100"
data_preprocessor = dict(num_classes=100, mean=[129.304, 124.070, 112.434], std=[68.170, 65.392, 70.418])
train_dataloader = dict(dataset=dict(type="CIFAR100"))
val_dataloader = dict(dataset=dict(type="CIFAR100"))
val_evaluator = dict(topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
