_base_ = "./tracking_siamfc_alexnet.py"
# The embedding is wider and the sum over channels larger: the response is scaled down further.
model = dict(backbone=dict(_delete_=True, type="lwdna_mm.CIResNet22", channels=(64, 64, 128)), head=dict(scale=1e-4))
