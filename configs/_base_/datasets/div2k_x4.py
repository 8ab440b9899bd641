# As div2k_x2.py, enlarging by 4.
_base_ = "div2k_x2.py"
train_pipeline = _base_.train_pipeline
train_pipeline[2].dictionary.scale = 4
train_pipeline[3].gt_patch_size = 192
train_dataloader = dict(
    dataset=dict(
        data_prefix=dict(img="DIV2K/DIV2K_train_LR_bicubic/X4"),
        filename_tmpl=dict(img="{}x4"),
        pipeline=train_pipeline,
    )
)
