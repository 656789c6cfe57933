"""What the program says when it is handed something it cannot use."""


class BadInput(ValueError):
    """One clear line for the user: the value, what was expected, the remedy. The command line exits with code 2."""


class NothingAllowed(Exception):
    """No cell may change under the policy in force."""
