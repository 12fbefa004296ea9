"""Compute: work spread over processes, threads or a Dask cluster,
and which kind of CPU did it.
"""
