"""The lab's own command line, and the same as typed functions: keys, signing, publishing, pulling, verifying.

Pure cores and an HTTP client. Knows no Django and no database; what the bytes are is settled in exchange.stix.
"""
