"""Units of time. Times are milliseconds since 1970, in UTC; hours are those of the clock."""

from typing import Final

MS_PER_SECOND: Final = 1_000
MS_PER_MINUTE: Final = 60 * MS_PER_SECOND
HOURS_PER_DAY: Final = 24
MS_PER_HOUR: Final = 60 * MS_PER_MINUTE
MS_PER_DAY: Final = HOURS_PER_DAY * MS_PER_HOUR
DAYS_PER_WEEK: Final = 7
HOURS_PER_WEEK: Final = DAYS_PER_WEEK * HOURS_PER_DAY
WORKDAYS: Final = 5
# 1970 began on a Thursday; weeks here begin on Monday.
HOURS_FROM_MONDAY_TO_1970: Final = 3 * HOURS_PER_DAY
