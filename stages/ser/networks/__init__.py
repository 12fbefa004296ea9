"""Networks: what neural models share: batches, training loops, schedules,
checkpoints, pooling over time, the picture of the layers.
"""
