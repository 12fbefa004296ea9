"""A service over HTTP: an open page, predictions, timelines and live streams of one model, within limits.
The page's own files lie in `page/`; nothing is asked from another host."""
