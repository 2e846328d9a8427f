"""What the bytes are: reading, checking and canonical form of STIX 2.1 objects.

Pure Python: no Django, no network, no files except data of installed packages.
It does not decide who may see an object or whether it may be stored.
"""
