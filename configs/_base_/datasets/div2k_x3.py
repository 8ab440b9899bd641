# As div2k_x2.py, enlarging by 3.
_base_ = "div2k_x2.py"
train_pipeline = _base_.train_pipeline
train_pipeline[2].dictionary.scale = 3
train_pipeline[3].gt_patch_size = 144
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(img="DIV2K/DIV2K_train_LR_bicubic/X3"),
        filename_tmpl=dict(img="{}x3"),
        pipeline=train_pipeline,
    )
)
