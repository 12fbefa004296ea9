"""Audit: what is wrong with recordings and labels before anything is learnt,
its tables and its page.
"""
