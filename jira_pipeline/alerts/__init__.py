"""Alerts: what is said about runs, to whom it still has to be said, and how it gets there."""

from jira_pipeline.alerts.announcements import Announcement, Told, announce
from jira_pipeline.alerts.delivery import NotDelivered, Receiver, receivers
from jira_pipeline.alerts.messages import Outcome

__all__ = ["Announcement", "NotDelivered", "Outcome", "Receiver", "Told", "announce", "receivers"]
