"""JSON Web Signatures to order, as the catalogue makes them."""

from labsim.catalogue.jws import GONE, Change, Jws, as_json, changed, unchanged

__all__ = ["GONE", "Change", "Jws", "as_json", "changed", "unchanged"]
