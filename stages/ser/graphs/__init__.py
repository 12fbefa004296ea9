"""Graphs: networks, trees and feature extraction written as ONNX from their
weights; the same bytes from run to run, whichever library trained them.
"""
