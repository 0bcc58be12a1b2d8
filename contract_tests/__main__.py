"""Lets `python -m contract_tests` stand for the command `contract-tests`."""

from contract_tests.entry import main

if __name__ == "__main__":
    main()
