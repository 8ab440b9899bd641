# GOT-10k: the folder that holds train and val. Twenty sequences of val watch over the training.
data_root = "data/got10k"
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    sampler=dict(type="lwdna_mm.PairSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
    dataset=dict(type="lwdna_mm.TrackingPairs", format="got10k", subset="train", max_gap=100),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="pseudo_collate"),
    dataset=dict(
        type="lwdna_mm.TrackingSequences",
        format="got10k",
        subset="val",
        sequences=[f"GOT-10k_Val_{number:06d}" for number in range(1, 180, 9)],
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="lwdna_mm.OTBMetric")
test_evaluator = val_evaluator
