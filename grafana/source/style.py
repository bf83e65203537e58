# SPDX-License-Identifier: MIT
"""One look for all dashboards: colours, texts of label values, thresholds. Grafana's named colours suit the dark and the light theme."""

GREY = "#8e8e8e"
# For text, where Grafana's yellow cannot be read on white.
GOLD = "#b88a00"

BANDS = {
    "healthy": ("Healthy", "green"),
    "moderate": ("Moderate", "yellow"),
    "at_risk": ("At risk", "orange"),
    "critical": ("Critical", "red"),
    "unscored": ("Unscored", GREY),
}
RISKS = {
    "low": ("Low", "green"),
    "medium": ("Medium", "yellow"),
    "high": ("High", "orange"),
    "critical": ("Critical", "red"),
    "unscored": ("Unscored", GREY),
}
STATUSES = {
    "active": ("Active", "green"),
    "onboarding": ("Onboarding", "blue"),
    "at_risk": ("At risk", "orange"),
    "churned": ("Churned", "red"),
    "unknown": ("Unknown", GREY),
}
TRENDS = {"improving": ("Improving", "green"), "stable": ("Stable", "blue"), "declining": ("Declining", "red")}
# Gains above the axis, losses below it.
MOVEMENTS = {
    "new": ("New", "blue"),
    "expansion": ("Expansion", "green"),
    "reactivation": ("Reactivation", "purple"),
    "adjustment": ("Adjustment", GREY),
    "contraction": ("Contraction", "orange"),
    "churn": ("Churn", "red"),
}
LOSSES = ("contraction", "churn")
FACTORS = {
    "product_usage": ("Product usage", "blue"),
    "support": ("Support", "purple"),
    "engagement": ("Engagement", "orange"),
    "business": ("Business", "green"),
}
RISK_FACTORS = {
    "health_decline": ("Health decline", "red"),
    "engagement_reduction": ("Engagement reduction", "orange"),
    "business_risk": ("Business risk", "purple"),
    "competitive_threats": ("Competitive threats", "blue"),
}
OUTCOMES = {
    "positive": ("Positive", "green"),
    "neutral": ("Neutral", "blue"),
    "action_required": ("Action required", "orange"),
    "negative": ("Negative", "red"),
    "unrecorded": ("Unrecorded", GREY),
}
TYPES = {
    "meeting": ("Meeting", "blue"),
    "call": ("Call", "green"),
    "email": ("Email", "yellow"),
    "demo": ("Demo", "purple"),
    "training": ("Training", "orange"),
    "note": ("Note", GREY),
    "other": ("Other", "#b0a090"),
}
STRENGTHS = {
    "champion": ("Champion", "green"),
    "supporter": ("Supporter", "blue"),
    "neutral": ("Neutral", "yellow"),
    "detractor": ("Detractor", "red"),
    "unknown": ("Unknown", GREY),
}
CATEGORIES = {"promoter": ("Promoters", "green"), "passive": ("Passives", "yellow"), "detractor": ("Detractors", "red")}
GOALS = {
    "achieved": ("Achieved", "green"),
    "on_track": ("On track", "blue"),
    "at_risk": ("At risk", "orange"),
    "overdue": ("Overdue", "purple"),
    "missed": ("Missed", "red"),
    "unknown": ("Unknown", GREY),
}
RESULTS = {"renewed": ("Renewed", "green"), "undecided": ("Undecided", GOLD), "lost": ("Lost", "red")}
ONBOARDING = {"completed": ("Completed", "green"), "in_progress": ("In progress", "blue"), "overdue": ("Overdue", "red")}
ACTIONS = {
    "executive_review": "Executive review",
    "schedule_check_in": "Schedule a check-in",
    "identify_champion": "Find a champion",
    "training": "Training",
    "billing_follow_up": "Follow up on billing",
    "support_escalation_review": "Review escalations",
    "expansion_conversation": "Expansion talk",
}
REASONS = {
    "renewal_at_risk": "Renewal at risk",
    "silent": "Silent for 30 days",
    "champion_lost": "Champion lost",
    "low_adoption": "Low adoption",
    "payment_overdue": "Payment overdue",
    "escalated": "Escalations",
    "seats_used_up": "Seats used up",
}
# What the alerts of contrib/prometheus are called in a table.
ALERTS = {
    "CrmAccountHealthDropped": "Health dropped",
    "CrmAccountCritical": "Newly critical",
    "CrmAccountRiskRose": "Churn risk rose",
    "CrmHighArrAccountSilent": "Large account silent",
    "CrmChampionLost": "Champion lost",
    "CrmRenewalAtRisk": "Renewal at risk",
    "CrmPaymentOverdue": "Payment overdue",
    "CrmAccountsNewlyAtRisk": "Accounts newly at risk",
    "CrmHealthFalling": "Health falling",
    "CrmArrAtRisk": "Revenue at risk",
    "CrmRenewalOverdue": "Renewal undecided",
    "CrmSupportEscalationStorm": "Escalation storm",
    "CrmNpsFell": "NPS fell",
    "CrmNetRetentionBelowTarget": "Net retention low",
    "CrmGrossRetentionBelowTarget": "Gross retention low",
    "CrmRevenueIdentityBroken": "Revenue adds not up",
    "CrmUndatedChurn": "Churn without a date",
    "CrmCollectorDown": "Collector down",
    "CrmSourceUnreadable": "CRM not readable",
    "CrmSourceStale": "CRM data too old",
    "CrmRelationMissing": "Relation missing",
    "CrmShardMissing": "Shard missing",
    "CrmSeriesLimitReached": "Series left out",
    "CrmRemoteWriteDropping": "Samples dropped",
    "CrmSpoolGrowing": "Spool growing",
    "CrmSettingsMissing": "Settings missing",
}
SEVERITIES = {"critical": ("crit", "red"), "warning": ("warn", "orange"), "info": ("info", "blue")}
WEEKDAYS = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}


def readable(colour):
    """The colour for text."""
    return GOLD if colour == "yellow" else colour


def words(value):
    """product_usage -> Product usage."""
    return value.replace("_", " ").capitalize()


def texts(values):
    return {v: t[0] if isinstance(t, tuple) else t for v, t in values.items()}


def colours(values):
    return {v: t[1] for v, t in values.items()}
