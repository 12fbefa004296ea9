"""Models: a module a model, with fit, save, load and predict_proba;
what several of one kind share lies beside them.
"""
