"""The evidence of a closed month: a pack that people open, and a verifier that needs nothing but the pack."""
