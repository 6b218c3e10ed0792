"""How fast a number may send: what the environment says, and why it is refused."""

import re
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from environs import Env, EnvError

OFF = "off"
USUAL_QUIET_HOURS = "22:00-08:00"
SPAN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From one time of the day to another, perhaps over midnight."""

    starts: time
    ends: time
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceSettings:
    """Limits of one number; the quiet ones and the daily one are for bulk messages only."""

    chat_gap: float
    """Seconds between two sends to the same chat."""
    per_minute: int
    fresh_days: int
    """For so many days after its first send a number starts slowly; 0: it never does."""
    fresh_per_day: int
    """Bulk messages on the first day; twice as many on each next one."""
    quiet_hours: QuietHours | None


def read_pace(env: Env) -> PaceSettings:
    """Raises EnvError with one sentence where a setting cannot be used."""
    pace = PaceSettings(
        chat_gap=env.float("PACE_CHAT_GAP", 2.0),
        per_minute=env.int("PACE_PER_MINUTE", 20),
        fresh_days=env.int("PACE_FRESH_DAYS", 7),
        fresh_per_day=env.int("PACE_FRESH_PER_DAY", 50),
        quiet_hours=_read_quiet_hours(env),
    )
    for name, value, least, most in (
        ("PACE_CHAT_GAP", pace.chat_gap, 0, 3600),
        ("PACE_PER_MINUTE", pace.per_minute, 1, 1000),
        ("PACE_FRESH_DAYS", pace.fresh_days, 0, 60),
        ("PACE_FRESH_PER_DAY", pace.fresh_per_day, 1, 100_000),
    ):
        if not least <= value <= most:
            raise EnvError(f"{name}={value:g} must be at least {least} and at most {most}.")
    return pace


def _read_quiet_hours(env: Env) -> QuietHours | None:
    written, zone_name = env.str("QUIET_HOURS", USUAL_QUIET_HOURS), env.str("TIME_ZONE", "UTC")
    try:
        zone = ZoneInfo(zone_name)
    except (ValueError, OSError, LookupError) as error:
        raise EnvError(
            f"TIME_ZONE={zone_name} is no time zone, write one like Asia/Kuala_Lumpur."
        ) from error
    if written.casefold() == OFF:
        return None
    found = SPAN.fullmatch(written)
    if found is None:
        raise EnvError(f"QUIET_HOURS={written} is no span, write it like 22:00-08:00, or off.")
    from_hour, from_minute, to_hour, to_minute = (int(part) for part in found.groups())
    quiet = QuietHours(
        starts=time(from_hour, from_minute), ends=time(to_hour, to_minute), zone=zone
    )
    if quiet.starts == quiet.ends:
        raise EnvError(f"QUIET_HOURS={written} has no length, write it like 22:00-08:00, or off.")
    return quiet
