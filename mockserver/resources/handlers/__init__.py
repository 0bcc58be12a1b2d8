"""The operations that the generic actions can't express, by the name that `x-resource` gives them."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.resources.handlers import (
    accounts,
    content,
    earnings,
    links,
    lists,
    mass_messages,
    messaging,
    publishing,
    reach,
    schedules,
)
from mockserver.resources.scene import Result, Scene

Handler = Callable[[Scene], Result]

HANDLERS: dict[str, Handler] = {
    handler.__name__: handler
    for handler in (
        accounts.current_account,
        accounts.list_accounts,
        content.list_streaks,
        content.search_gifs,
        content.top_highlights,
        content.top_streak,
        earnings.chargebacks_chart,
        earnings.earnings_chart,
        earnings.earnings_overview,
        earnings.referral_chart,
        links.list_tracking_links,
        lists.list_members,
        lists.list_top_subscribers,
        lists.list_vault_lists,
        lists.sort_vault_lists,
        lists.update_display_name,
        lists.vault_media_types,
        mass_messages.cancel_mass_message,
        mass_messages.mass_message_chart,
        mass_messages.send_mass_message,
        mass_messages.update_mass_message,
        messaging.list_chats,
        messaging.mark_chat_as_unread,
        messaging.send_message,
        publishing.create_post,
        publishing.create_promotion,
        publishing.create_upload,
        publishing.finish_upload,
        publishing.message_settings,
        publishing.promotions_and_trials,
        publishing.update_notification_settings,
        reach.trial_overview,
        reach.visitors_chart,
        reach.visitors_countries,
        reach.visitors_overview,
        schedules.later_chats,
        schedules.schedule_counters,
        schedules.schedule_items,
    )
}
"""Every handler by its name."""
