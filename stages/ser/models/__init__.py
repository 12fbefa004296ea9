"""The models: each module fits, saves, loads and predicts; networks and pipelines have rooms of their own."""
