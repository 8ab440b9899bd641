# 50 of Tiny-ImageNet's classes; data_root holds them or all 200. 400 training images a class; the other 100, never
# trained on, and the 50 for validation make 7,500 test images.
_base_ = "tiny-imagenet_bs128.py"
data_root = "data/tiny-imagenet-50"
data_preprocessor = dict(num_classes=50)
# fmt: off
classes = [
    "n02124075", "n02802426", "n02106662", "n02279972", "n04507155", "n01443537", "n07875152", "n03085013",
    "n02486410", "n09256479", "n04275548", "n07753592", "n03902125", "n01882714", "n04398044", "n02843684",
    "n02423022", "n02669723", "n04465501", "n02165456", "n03770439", "n02950826", "n03400231", "n03160309",
    "n03992509", "n04133789", "n01945685", "n02395406", "n04251144", "n04356056", "n03670208", "n02002724",
    "n04560804", "n07615774", "n04070727", "n01774384", "n03255030", "n01698640", "n02999410", "n03617480",
    "n06596364", "n03976657", "n02231487", "n02085620", "n03837869", "n02815834", "n07720875", "n02788148",
    "n02909870", "n03447447",
]
# fmt: on
train_dataloader = dict(dataset=dict(classes=classes, images=(0, 400)))
official = dict(_base_.val_dataloader.dataset, classes=classes)
val_dataloader = dict(
    dataset=dict(
        _delete_=True, type="ConcatDataset", datasets=[official, dict(official, split="train", images=(400, 500))]
    )
)
test_dataloader = val_dataloader
