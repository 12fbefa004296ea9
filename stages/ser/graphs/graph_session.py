"""A graph ready to run, with the same bytes whatever the machine has of cores."""

import onnxruntime

ERRORS_ONLY = 3  # onnxruntime's severity


def session_of(content: bytes) -> onnxruntime.InferenceSession:
    """Return a graph, as its file holds it, ready to run; what onnxruntime raises of a damaged one is passed on."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # several add up in another order: other bytes
    options.enable_mem_pattern = False  # a plan of the memory for every length of a clip would be kept
    options.log_severity_level = ERRORS_ONLY
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
