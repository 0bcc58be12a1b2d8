"""The gate: checks any server against the contract, rule by rule."""
