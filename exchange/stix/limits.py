"""Bounds of what is read from outside, each with its source."""

# wire-format: 10,000 ranges of at most 199 bytes on one signed object, and room for the rest.
MAX_OBJECT_BYTES = 2 * 1024 * 1024

# 10,000 ranges have seven values each. Each value costs time, however few bytes it takes: about 2 us.
MAX_VALUES_PER_OBJECT = 100_000

# Numbers with a fraction are written slowly (RFC 8785 section 3.2.2.3), about 2 us each. STIX has a few in places.
MAX_FRACTIONS_PER_OBJECT = 10_000

# The deepest object in the STIX 2.1 specification has 9 levels; carried playbooks and dictionaries get room.
MAX_DEPTH = 32

# RFC 7493 section 2.2 and RFC 8785 section 3.2.2.3: integers that every reader holds exactly.
MAX_SAFE_INTEGER = 2**53 - 1

# A request is handled in one transaction; a larger publication comes in several requests.
MAX_OBJECTS_PER_ENVELOPE = 10_000

# A hundred for each object of a full request, or ten objects of the largest kind.
MAX_VALUES_PER_ENVELOPE = 1_000_000

# An envelope that is cut while it arrives is published in pieces; what bounds it is its status, which names every
# object in some hundred bytes.
MAX_OBJECTS_PER_STREAM = 50_000
MAX_VALUES_PER_STREAM = 5_000_000

# TAXII 2.1 section 3.7 has `more` and `next` beside the objects, a STIX bundle `type` and `id`.
MAX_ENVELOPE_MEMBER_BYTES = 64 * 1024

# STIX 2.1 section 3.1.
MIN_NAME_CHARS = 3
MAX_NAME_CHARS = 250

# Room for some thousand addresses in one pattern; brackets nest by recursion, and nobody nests more by hand.
MAX_PATTERN_CHARS = 256 * 1024
MAX_PATTERN_DEPTH = 64

# A producer mends some and sends again; an object made of a hundred thousand unknown names is no reason to list them.
MAX_WARNINGS = 50
