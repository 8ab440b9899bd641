# As sr_tests_x2.py, enlarging by 4.
_base_ = "sr_tests_x2.py"
protocol = "PSNR and SSIM on Y of 8-bit images, 4 pixels cropped at each border"
sr_test_pipeline = _base_.sr_test_pipeline
sr_test_pipeline[1].dictionary.scale = 4
test_dataloader = [
    dict(loader, dataset=dict(loader.dataset, pipeline=sr_test_pipeline)) for loader in _base_.test_dataloader
]
test_evaluator = [
    dict(evaluator, metrics=[dict(metric, crop_border=4) for metric in evaluator.metrics])
    for evaluator in _base_.test_evaluator
]
val_dataloader = test_dataloader[:1]
val_evaluator = test_evaluator[:1]
custom_hooks = [dict(_base_.custom_hooks[0], crop_border=4), _base_.custom_hooks[1]]
