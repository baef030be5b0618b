"""Recurrence rules: what is read, what is refused and why, and the one spelling in which they are written."""

from __future__ import annotations

from datetime import date

import pytest

from backend.utils.recurrence.in_words import in_words
from backend.utils.recurrence.rule import MAX_RULE_LENGTH, InvalidRule, read_rule, written_out

LEAP_DAY = date(2024, 2, 29)  # a Thursday

SPELLINGS = {
    "daily": "FREQ=DAILY",
    " Weekly ": "FREQ=WEEKLY",
    "weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "RRULE:FREQ=DAILY": "FREQ=DAILY",
    "freq=daily;interval=1;": "FREQ=DAILY",
    "BYDAY=FR,MO,FR;WKST=MO;FREQ=WEEKLY;INTERVAL=02": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
    "FREQ=MONTHLY;BYMONTHDAY=-1,31,+01": "FREQ=MONTHLY;BYMONTHDAY=1,31,-1",
    "FREQ=MONTHLY;BYDAY=-1FR,+02MO": "FREQ=MONTHLY;BYDAY=2MO,-1FR",
    "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;COUNT=3": "FREQ=MONTHLY;COUNT=3;BYDAY=MO,TU;BYSETPOS=-1",
    "FREQ=YEARLY;BYMONTH=12,1;BYMONTHDAY=5;UNTIL=20301231": "FREQ=YEARLY;UNTIL=20301231;BYMONTH=1,12;BYMONTHDAY=5",
    "FREQ=DAILY;UNTIL=09990101T000000Z": "FREQ=DAILY;UNTIL=09990101T000000Z",
    "FREQ=YEARLY;BYDAY=-53SU;WKST=SU": "FREQ=YEARLY;BYDAY=-53SU;WKST=SU",
}
REFUSED = {
    "": "A recurrence is an RRULE of",
    "hourly": "A recurrence is an RRULE of",
    "FREQ=DAILY;BYHOUR=9": "A recurrence is an RRULE of",
    "FREQ=DAILY;;INTERVAL=2": "A recurrence is an RRULE of",
    "INTERVAL=2": "FREQ must be one of",
    "FREQ=HOURLY": "FREQ must be one of",
    "FREQ=DAILY;FREQ=DAILY": "FREQ is there twice",
    "FREQ=DAILY;INTERVAL=0": "INTERVAL must be a whole number",
    "FREQ=DAILY;INTERVAL=1000": "INTERVAL must be a whole number",
    "FREQ=DAILY;INTERVAL=": "INTERVAL must be a whole number",
    "FREQ=DAILY;COUNT=-1": "COUNT must be a whole number",
    "FREQ=DAILY;COUNT=\u0663": "COUNT must be a whole number",
    "FREQ=DAILY;COUNT=2;UNTIL=20300101": "Send COUNT or UNTIL",
    "FREQ=DAILY;UNTIL=20260230": "UNTIL must be a day",
    "FREQ=DAILY;UNTIL=20260203T250000Z": "UNTIL must be a day",
    "FREQ=DAILY;UNTIL=20260203T010203": "UNTIL must be a day",
    "FREQ=DAILY;BYMONTH=13": "BYMONTH must be numbers from 1 to 12",
    "FREQ=DAILY;BYMONTH=-1": "BYMONTH must be numbers from 1 to 12",
    "FREQ=DAILY;BYMONTH=1,,2": "BYMONTH must be numbers from 1 to 12",
    "FREQ=MONTHLY;BYMONTHDAY=0": "BYMONTHDAY must be numbers from 1 to 31",
    "FREQ=MONTHLY;BYMONTHDAY=-32": "BYMONTHDAY must be numbers from 1 to 31",
    "FREQ=WEEKLY;BYMONTHDAY=1": "BYMONTHDAY needs FREQ=MONTHLY or YEARLY",
    "FREQ=YEARLY;BYMONTHDAY=1": "BYMONTHDAY with FREQ=YEARLY needs BYMONTH",
    "FREQ=WEEKLY;BYDAY=1MO": "A number in BYDAY needs",
    "FREQ=MONTHLY;BYDAY=0MO": "BYDAY must be weekdays",
    "FREQ=MONTHLY;BYDAY=XX": "BYDAY must be weekdays",
    "FREQ=MONTHLY;BYDAY=MO,1TU": "BYDAY has numbers",
    "FREQ=MONTHLY;BYDAY=6MO": "A number in BYDAY is from 1 to 5",
    "FREQ=YEARLY;BYMONTH=6;BYDAY=52SU": "A number in BYDAY is from 1 to 5",
    "FREQ=YEARLY;BYDAY=-54MO": "A number in BYDAY is from 1 to 53",
    "FREQ=MONTHLY;BYSETPOS=1": "BYSETPOS needs",
    "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1": "BYSETPOS needs",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367": "BYSETPOS must be numbers",
    "FREQ=WEEKLY;WKST=XX": "WKST must be one of",
    "x" * (MAX_RULE_LENGTH + 1): "A recurrence has at most",
}
WRITTEN_OUT = {
    "daily": "FREQ=DAILY",
    "weekly": "FREQ=WEEKLY;BYDAY=TH",
    "monthly": "FREQ=MONTHLY;BYMONTHDAY=29",
    "yearly": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=WEEKLY;BYDAY=MO": "FREQ=WEEKLY;BYDAY=MO",
    "FREQ=YEARLY;BYMONTH=1,7": "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=29",
    "FREQ=YEARLY;BYDAY=20MO": "FREQ=YEARLY;BYDAY=20MO",
    "FREQ=MONTHLY;BYMONTH=1": "FREQ=MONTHLY;BYMONTH=1;BYMONTHDAY=29",
}
SENTENCES = {
    "daily": "Every day",
    "weekly": "Every week on Thursday",
    "weekdays": "Every week from Monday to Friday",
    "monthly": "Every month on the 29th",
    "yearly": "Every year on 29 February",
    "FREQ=DAILY;INTERVAL=3;COUNT=5": "Every 3 days, 5 times",
    "FREQ=DAILY;COUNT=1": "Every day, once",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR": "Every 2 weeks on Monday, Wednesday and Friday",
    "FREQ=DAILY;BYMONTH=1,2;UNTIL=20271231": "Every day in January and February, until 31 December 2027",
    "FREQ=MONTHLY;BYMONTHDAY=1,2,3,11,22": "Every month on the 1st, 2nd, 3rd, 11th and 22nd",
    "FREQ=MONTHLY;BYMONTHDAY=12,-1,-2": "Every month on the 12th, last day and 2nd last day",
    "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR": "Every month on the 13th if it is Friday",
    "FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO,-1FR": "Every 3 months on the 1st Monday and the last Friday",
    "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1": "Every month on the 1st of all days that are Monday or Tuesday",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1": "Every month on the 1st of all days that are Monday to Friday",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH": "Every year on the 4th Thursday in November",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1": "Every year on the last day in February",
}


@pytest.mark.requirement("FR-596", "FR-598")
@pytest.mark.parametrize("text", SPELLINGS)
def test_a_rule_is_written_in_one_spelling(text: str) -> None:
    written = str(read_rule(text))

    assert written == SPELLINGS[text]
    assert str(read_rule(written)) == written


@pytest.mark.requirement("FR-596", "FR-597")
@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40])
def test_another_rule_is_refused_and_says_why(text: str) -> None:
    with pytest.raises(InvalidRule) as refused:
        read_rule(text)

    assert str(refused.value).startswith(REFUSED[text])


@pytest.mark.requirement("FR-598")
@pytest.mark.parametrize("text", WRITTEN_OUT)
def test_what_a_rule_takes_from_its_first_day_is_written_out(text: str) -> None:
    assert str(written_out(read_rule(text), LEAP_DAY)) == WRITTEN_OUT[text]


@pytest.mark.requirement("FR-602")
@pytest.mark.parametrize("text", SENTENCES)
def test_a_rule_is_one_english_sentence(text: str) -> None:
    assert in_words(written_out(read_rule(text), LEAP_DAY)) == SENTENCES[text]
