# One sequence of OTB to train on, another to track: enough to see a tracker learn on a CPU.
# One sequence shows one target; mirroring and recolouring keep the network from learning just that one.
data_root = "data/otb"
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type="lwdna_mm.PairSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
    dataset=dict(
        type="lwdna_mm.TrackingPairs",
        format="otb",
        sequences=["DragonBaby"],
        pairs_per_sequence=400,
        max_shift=8,
        flip=0.5,
        recolour=0.4,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    collate_fn=dict(type="pseudo_collate"),
    dataset=dict(type="lwdna_mm.TrackingSequences", format="otb", sequences=["Crossing"]),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="lwdna_mm.OTBMetric")
test_evaluator = val_evaluator
