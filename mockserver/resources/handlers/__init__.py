"""The operations that the generic actions can't express, by the name that `x-resource` gives them."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.resources.handlers import accounts, earnings, reach
from mockserver.resources.scene import Result, Scene

Handler = Callable[[Scene], Result]

HANDLERS: dict[str, Handler] = {
    handler.__name__: handler
    for handler in (
        accounts.current_account,
        accounts.list_accounts,
        earnings.chargebacks_chart,
        earnings.earnings_chart,
        earnings.earnings_overview,
        earnings.referral_chart,
        reach.trial_overview,
        reach.visitors_chart,
        reach.visitors_countries,
        reach.visitors_overview,
    )
}
"""Every handler by its name."""
