"""Training: the loop around every trainer, the data set it reads,
and the importance of features it measures.
"""
