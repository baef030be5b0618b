"""Who signs in here, with an address and a password: the tables, what people send and get, and what an export has.

Their shapes belong here.
What a password may be does not, nor how tokens are made: see `backend/identity/`.
"""
