"""Exporting: trained models as ONNX graphs for programs without this library;
the cleaning of the audio and its features are operators of the graph.
"""
