# As div2k_sigma25.py, with more or less noise.
_base_ = "div2k_sigma25.py"
train_pipeline = _base_.train_pipeline
train_pipeline[6].params.gaussian_sigma = [50, 50]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
